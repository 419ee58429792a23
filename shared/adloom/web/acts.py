"""Who acts in a request, for the audit trail; and what was refused to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, request

from adloom import audit, logs
from adloom.audit import Actor
from adloom.errors import AdloomError, Forbidden, TooManyRequests
from adloom.identity.principal import Principal
from adloom.settings import DatabaseSettings

if TYPE_CHECKING:
    from adloom.web.function import Function

# Refusals that are a step on somebody's way, or that the handler notes itself.
NO_DENIALS = frozenset({"step_up_needed", "code_needed", "wrong_code", "wrong_password", "registration_closed"})

log = logs.get(__name__)


def begin() -> None:
    """Nobody is known yet: a thread serves one request after the other."""
    audit.set_actor(Actor("anonymous"))


def arrive(address: str) -> None:
    """A request from this address."""
    audit.set_actor(Actor("anonymous", address=address, agent=request.headers.get("User-Agent")))


def identify(who: Principal | None) -> None:
    """Whose request it is, as its token says."""
    if who is not None:
        here = audit.actor()
        identity = who.user_id or who.key_id
        session = str(who.session_id) if who.session_id else None
        audit.set_actor(Actor(who.kind, str(identity) if identity else None, session, here.address, here.agent))


def refused(app: Function[Any], error: AdloomError) -> None:
    """Note a refusal: in the log each, in the trail of whoever is known once a minute for each route.

    The refusal stands whether the trail can be written to or not.
    """
    route = request.url_rule.rule if request.url_rule else "(unknown)"
    if isinstance(error, TooManyRequests):
        log.warning("rate_limited", method=request.method, route=route, actor=audit.actor().kind)
    who: Principal | None = g.get("principal")
    if not isinstance(error, Forbidden) or who is None or error.code in NO_DENIALS:
        return
    log.warning("permission_denied", method=request.method, route=route, reason=error.code, actor=who.kind)
    if isinstance(app.settings(), DatabaseSettings):
        where = f"{app.name} {request.method} {route}"
        audit.note_first(
            app.database(),
            "permission.denied",
            (who.kind, audit.actor().id, where, error.code),
            org_id=who.organisation_id,
            target=("route", where),
            new={"reason": error.code, "role": who.role},
        )
