"""What a person says of oneself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from adloom import audit
from adloom.accounts.models import Name, person_of
from adloom.accounts.settings import Auth
from adloom.identity import people
from adloom.web import Guard, Principal, RequestModel


class ProfileChange(RequestModel):
    name: Name


class Profile(BaseModel):
    user_id: UUID
    name: str
    email: str
    email_verified_at: datetime | None = Field(description="Null: nobody has opened a link that was mailed to it")


def add(app: Auth) -> None:
    @app.route_model("GET", "/profile", guard=Guard.session(), summary="What I am called, and my address")
    def profile(principal: Principal) -> Profile:
        return _shown(app, person_of(principal))

    @app.route_model("PATCH", "/profile", guard=Guard.session(), summary="Change my name")
    def change_profile(body: ProfileChange, principal: Principal) -> Profile:
        user_id = person_of(principal)
        with people.at_home(app.database(), user_id) as (connection, person):
            people.rename(connection, user_id, body.name)
            old, new = {"name": person.name}, {"name": body.name}
            target = ("member", user_id)
            audit.record(connection, "profile.changed", org_id=person.home, target=target, old=old, new=new)
        return _shown(app, user_id)


def _shown(app: Auth, user_id: UUID) -> Profile:
    with people.at_home(app.database(), user_id) as (connection, person):
        verified_at = people.verified_at(connection, user_id)
    return Profile(user_id=user_id, name=person.name, email=person.email, email_verified_at=verified_at)
