"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from adloom.errors import InvalidRequest
from adloom.identity.roles import Role

Kind = Literal["user", "key", "operator"]

ALL_ACCOUNTS = "*"


@dataclass(frozen=True)
class Principal:
    """A member with a session, another system with an API key, or the operator with an operator key.

    `organisation_id` is the organisation that the request is about: a member's own; for the operator the one named
    in the request or the only one there is, None otherwise. `account_scope` is `*` or the internal ids of the
    accounts that the member may see, comma separated. `authenticated_at` is when the member last proved who it is, in
    real time. Only a member has a user and a session. A key has the scopes that it was given, and a limit of its own.
    """

    kind: Kind
    user_id: UUID | None
    organisation_id: UUID | None
    role: Role
    account_scope: str = ALL_ACCOUNTS
    session_id: UUID | None = None
    expires_at: datetime | None = None
    authenticated_at: datetime | None = None
    key_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    per_minute: int | None = None

    @property
    def org_id(self) -> UUID:
        """The organisation; InvalidRequest when the operator named none and there is not exactly one."""
        if self.organisation_id is None:
            raise InvalidRequest(
                "Say which organisation this is about: its id in the header X-Adloom-Org.", code="organisation_missing"
            )
        return self.organisation_id
