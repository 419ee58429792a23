"""Users and sessions."""

from __future__ import annotations

from adloom.accounts import (
    audit_keeping,
    audit_routes,
    email_routes,
    invitations_routes,
    keys_routes,
    members_routes,
    mfa_routes,
    operator_keys_routes,
    password_routes,
    people_routes,
    post,
    profile_routes,
    registration_routes,
    rings_routes,
    sessions_routes,
    sso_routes,
)
from adloom.accounts.settings import AuthSettings
from adloom.identity import challenges, devices, keys, sessions
from adloom.sso import states
from adloom.web import create_function, openfaas

app = create_function("auth", AuthSettings)

for routes in (
    audit_routes,
    email_routes,
    invitations_routes,
    keys_routes,
    members_routes,
    mfa_routes,
    operator_keys_routes,
    password_routes,
    people_routes,
    profile_routes,
    registration_routes,
    rings_routes,
    sessions_routes,
    sso_routes,
):
    routes.add(app)
post.add(app)


@app.on_start
def accept_operator_key() -> None:
    operator_keys_routes.accept_own(app)


@app.on_start
def check_audit_key() -> None:
    audit_keeping.check(app)


@app.tick
def send_and_forget() -> None:
    """Mails that are due; then what ended long ago."""
    post.send_due(app)
    sessions.purge(app.database())
    devices.purge(app.database())
    challenges.purge(app.database())
    keys.purge(app.database())
    states.purge(app.database())
    audit_keeping.keep(app)


handle = openfaas(app)
