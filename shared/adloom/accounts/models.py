"""Fields and answers that several routes share."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from adloom.db import Database
from adloom.errors import Forbidden
from adloom.identity import naming, passwords
from adloom.identity.principal import Principal
from adloom.identity.roles import Role

# Printable ASCII: what a mail server takes without further agreement, and what every database lowers alike.
Email = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,255}$", max_length=320)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
NewPassword = Annotated[SecretStr, Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH)]
# What a mailed link carries.
LinkToken = Annotated[str, StringConstraints(min_length=1, max_length=100)]
DeviceToken = Annotated[str, StringConstraints(max_length=200)]
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=passwords.MAX_LENGTH)]


class User(BaseModel):
    user_id: UUID
    email: str
    name: str
    role: Role


class Organisation(BaseModel):
    org_id: UUID
    name: str


class Member(BaseModel):
    user: User
    organisation: Organisation


class Ended(BaseModel):
    ended: int = Field(description="How many sessions ended")


def member(database: Database, org_id: UUID, user_id: UUID) -> Member:
    """A member and the organisation as answers show them."""
    found = naming.describe(database, org_id, user_id)
    return Member(
        user=User(user_id=found.user_id, email=found.email, name=found.user_name, role=found.role),
        organisation=Organisation(org_id=found.org_id, name=found.organisation),
    )


def person_of(principal: Principal) -> UUID:
    """The person's id; Forbidden for the operator, whose key is no session."""
    if principal.user_id is None:
        raise Forbidden("The operator key has no session.", code="no_session")
    return principal.user_id
