"""API keys for other systems."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from adloom.accounts.members_routes import Accounts
from adloom.accounts.models import Name
from adloom.accounts.settings import Auth
from adloom.identity import account_scope, keys
from adloom.identity.roles import Role
from adloom.identity.scopes import SCOPES, Scope
from adloom.web import Guard, Principal, RequestModel
from adloom.web.models import whole

# A person who sets up systems makes a few; a thief of a session shall not make a store of them.
NEW_KEYS = "30/hour"

Days = Annotated[int, Field(ge=1, le=366), BeforeValidator(whole)]
PerMinute = Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)]


class KeyRequest(RequestModel):
    name: Name = Field(description="What the key is for, e.g. the system that will use it")
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    role: Role | None = Field(default=None, description="What the key may do at most; null: the least its scopes need")
    accounts: Accounts | None = Field(default=None, description="Our ids of the accounts to see; null: all that I see")
    days: Days = Field(default=90, description="How long the key lasts")
    per_minute: PerMinute = Field(default=100, description="Requests that it may make in a minute")


class Key(BaseModel):
    key_id: UUID
    name: str
    prefix: str = Field(description="The visible beginning of the token, after adl_k_")
    last_four: str = Field(description="The visible end of the token")
    scopes: list[Scope]
    role: Role = Field(description="What the key may do now: never more than its maker")
    accounts: list[int] | None = Field(description="Accounts that it sees now; null: all of them")
    per_minute: int
    maker: str | None = Field(description="Who made it; null: the operator")
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute; null: not yet")
    ended_at: datetime | None
    ended_because: keys.EndedBecause | None


class NewKey(Key):
    token: str = Field(description="The key itself; it is shown this once")


class Keys(BaseModel):
    keys: list[Key]


def add(app: Auth) -> None:
    @app.route_model("GET", "/keys", guard=Guard.role("admin"), summary="The organisation's API keys")
    def api_keys(principal: Principal) -> Keys:
        return Keys(keys=[Key(**_shown(each)) for each in keys.every(app.database(), principal.org_id)])

    @app.route_model(
        "POST",
        "/keys",
        guard=Guard.role("admin", fresh=True),
        summary="Make an API key for another system; its token is in this answer only",
        status=201,
        problems=(409,),
    )
    def make_key(body: KeyRequest, principal: Principal) -> NewKey:
        app.check_limit(NEW_KEYS, "new-key", str(principal.org_id))
        new = keys.NewKey(
            name=body.name,
            scopes=body.scopes,
            life=timedelta(days=body.days),
            per_minute=body.per_minute,
            role=body.role,
            account_scope=account_scope.written(body.accounts) if body.accounts else None,
        )
        with app.database().tenant(principal.org_id) as connection:
            made = keys.make(connection, principal, new)
        return NewKey(**_shown(made.key), token=made.token)

    @app.route_model(
        "DELETE",
        "/keys/<key_id>",
        guard=Guard.role("admin", fresh=True),
        summary="Revoke an API key: it is dead at once",
        status=204,
    )
    def revoke_key(key_id: UUID, principal: Principal) -> None:
        with app.database().tenant(principal.org_id) as connection:
            keys.revoke(connection, principal, key_id)


def _shown(each: keys.ApiKey) -> dict[str, object]:
    values = dict(vars(each))
    return values | {"accounts": account_scope.ids(values.pop("account_scope"))}
