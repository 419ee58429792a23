"""Who may call a route. Every route has exactly one guard; a route without one cannot be defined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adloom.clock import real_now
from adloom.errors import Forbidden, Unauthenticated
from adloom.identity.policy import FRESH
from adloom.identity.principal import Principal
from adloom.identity.roles import Role, includes
from adloom.identity.scopes import Scope
from adloom.web.limits import Counted, Limit

Kind = Literal["public", "session", "role", "operator"]


@dataclass(frozen=True)
class Guard:
    """Made by one of its class methods. `admit` decides, and every guard but `public` fails closed: without a
    principal, with an unknown role, or when the database that knows the token does not answer, nobody passes.

    `fresh` is for what spends money and what changes tokens, members and security: the member must have proved within
    the last ten minutes who it is (`POST /session/step-up`). The operator's key is a proof each time.

    `scope` lets API keys in that have it, with the role that is needed. A guard without one is closed to every key.
    """

    kind: Kind
    needed: Role | None = None
    reason: str = ""
    limit: Limit | None = None
    counted: Counted = "here"
    fresh: bool = False
    scope: Scope | None = None

    def __post_init__(self) -> None:
        if self.scope and (self.fresh or self.kind != "role"):
            raise ValueError("a key has a role and cannot prove again who it is: a scope goes with a role alone")

    @classmethod
    def public(cls, reason: str, limit: str, counted: Counted = "here") -> Guard:
        """Anyone, up to the limit per client address, e.g. `60/minute`. Whether the limit fails open or closed says
        `counted` (see adloom.web.limits). The route must stand in `adloom.web.public`.
        """
        return cls("public", reason=reason, limit=Limit.parse(limit), counted=counted)

    @classmethod
    def session(cls, *, fresh: bool = False) -> Guard:
        """Any member with a session, or the operator. Fails closed."""
        return cls("session", fresh=fresh)

    @classmethod
    def role(cls, role: Role, *, fresh: bool = False, scope: Scope | None = None) -> Guard:
        """A member whose role includes this one, a key that has the scope too, or the operator. Fails closed."""
        return cls("role", needed=role, fresh=fresh, scope=scope)

    @classmethod
    def operator(cls) -> Guard:
        """The operator key only. Fails closed."""
        return cls("operator")

    @property
    def is_public(self) -> bool:
        return self.kind == "public"

    def admit(self, principal: Principal | None) -> None:
        """Raise unless the principal may pass: Unauthenticated without one, Forbidden with a wrong one."""
        if self.is_public:
            return
        if principal is None:
            raise Unauthenticated("Send a session token, an API key or the operator key as Authorization: Bearer.")
        if principal.kind == "operator":
            return
        if principal.kind == "key":
            self._admit_key(principal)
        if not self._includes(principal):
            needed = "the operator key" if self.kind == "operator" else f"the role {self.needed}"
            raise Forbidden(f"This needs {needed}; you have the role {principal.role}.")
        if self.fresh and not _is_fresh(principal):
            raise Forbidden("Confirm first that it is you: POST /session/step-up.", code="step_up_needed")

    def _admit_key(self, principal: Principal) -> None:
        """Raise unless the key has the scope of this route; its role is looked at like a member's."""
        if self.scope is None:
            raise Forbidden("This is not open to API keys: log in.", code="scope_missing")
        if self.scope not in principal.scopes:
            raise Forbidden(f"This key lacks the scope {self.scope}.", code="scope_missing")

    def _includes(self, principal: Principal) -> bool:
        if self.kind == "role":
            return self.needed is not None and includes(principal.role, self.needed)
        return self.kind == "session"


def _is_fresh(principal: Principal) -> bool:
    return principal.authenticated_at is not None and real_now() - principal.authenticated_at < FRESH
