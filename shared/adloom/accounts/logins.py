"""The end of a log-in: a session, a browser that is known from now on, and a mail when it was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from flask import request
from pydantic import Field

from adloom.accounts import arrivals, post
from adloom.accounts.models import Member, member
from adloom.accounts.settings import Auth
from adloom.errors import Unauthenticated
from adloom.identity import devices, naming, sessions
from adloom.identity.proof import Proven
from adloom.identity.tokens import SESSION_PREFIX
from adloom.mail import enqueue
from adloom.web import Principal
from adloom.web.authentication import bearer_token


class NewSession(Member):
    token: str = Field(description="Send it as Authorization: Bearer; it is shown this once")
    expires_at: datetime
    device: str | None = Field(
        default=None,
        description="Names this browser at its next log-in, for a year; null: the one that was sent stays good",
    )


def open_session(
    app: Auth, who: Proven, device: str | None, methods: Sequence[str], *, device_hash: bytes | None = None
) -> NewSession:
    """A session for somebody who has proved everything; `device` is the browser's token, if it has one, or
    `device_hash` the token's hash. The session that the same browser had until now ends.
    """
    arrival, former = arrivals.of_request(app), _former(app)
    with app.database().tenant(who.org_id) as connection:
        remembered = devices.remember(connection, who.user_id, device, arrival.device, hashed=device_hash)
        arrival = replace(arrival, device_id=remembered.device_id)
        session = sessions.begin(connection, who, app.session_policy, arrival, methods)
        if former is not None and former.user_id is not None:
            sessions.end_all(connection, former.user_id, only=former.session_id, because="logout")
        if remembered.news == "new":
            name = naming.person_name(connection, who.user_id)
            enqueue(connection, who.org_id, who.user_id, "new_device", _told(arrival, name))
    return shown(app, session, remembered.token)


def _former(app: Auth) -> Principal | None:
    """Whose session the request brought along, if it brought one that is alive."""
    try:
        token = bearer_token(request)
    except Unauthenticated:
        return None
    if token is None or not token.startswith(SESSION_PREFIX):
        return None
    return sessions.principal_by_token(app.database(), token, None, app.session_policy)


def shown(app: Auth, session: sessions.Session, device: str | None = None) -> NewSession:
    """The answer that carries a token."""
    found = member(app.database(), session.org_id, session.user_id)
    return NewSession(
        token=session.token,
        expires_at=session.expires_at,
        user=found.user,
        organisation=found.organisation,
        device=device,
    )


def _told(arrival: sessions.Arrival, name: str) -> dict[str, str]:
    return {
        "name": name,
        "when": post.when(),
        "address": arrival.address,
        "device": arrival.device,
        "place": arrival.place or "unknown",
    }
