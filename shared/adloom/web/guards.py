"""Who may call a route. Every route has exactly one guard; a route without one cannot be defined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adloom.errors import Forbidden, Unauthenticated
from adloom.identity.principal import Principal
from adloom.identity.roles import Role, includes
from adloom.web.limits import Counted, Limit

Kind = Literal["public", "session", "role", "operator"]


@dataclass(frozen=True)
class Guard:
    """Made by one of its class methods. `admit` decides, and every guard but `public` fails closed: without a
    principal, with an unknown role, or when the database that knows the token does not answer, nobody passes.
    """

    kind: Kind
    needed: Role | None = None
    reason: str = ""
    limit: Limit | None = None
    counted: Counted = "here"

    @classmethod
    def public(cls, reason: str, limit: str, counted: Counted = "here") -> Guard:
        """Anyone, up to the limit per client address, e.g. `60/minute`. Whether the limit fails open or closed says
        `counted` (see adloom.web.limits). The route must stand in `adloom.web.public`.
        """
        return cls("public", reason=reason, limit=Limit.parse(limit), counted=counted)

    @classmethod
    def session(cls) -> Guard:
        """Any member with a session, or the operator. Fails closed."""
        return cls("session")

    @classmethod
    def role(cls, role: Role) -> Guard:
        """A member whose role includes this one, or the operator. Fails closed."""
        return cls("role", needed=role)

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
            raise Unauthenticated("Send a session token or the operator key as Authorization: Bearer.")
        if principal.kind == "operator" or self.kind == "session":
            return
        if self.kind == "role" and self.needed is not None and includes(principal.role, self.needed):
            return
        needed = "the operator key" if self.kind == "operator" else f"the role {self.needed}"
        raise Forbidden(f"This needs {needed}; you have the role {principal.role}.")
