"""Users and sessions."""

from __future__ import annotations

from adloom.accounts import people_routes, sessions_routes
from adloom.accounts.settings import AuthSettings
from adloom.identity import devices, members, sessions
from adloom.web import create_function, openfaas

app = create_function("auth", AuthSettings)

for routes in (people_routes, sessions_routes):
    routes.add(app)


@app.on_start
def accept_operator_key() -> None:
    key = app.settings().operator_key.get_secret_value()
    members.register_operator_key(app.database(), key, "deployment")


@app.tick
def forget_old_sessions() -> None:
    sessions.purge(app.database())
    devices.purge(app.database())


handle = openfaas(app)
