"""What the routes of connections answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from adloom.connections.ending import AtPlatform
from adloom.connections.standing import Reached, Standing
from adloom.connections.store import AccountChoice
from adloom.connections.subscriptions import Subscribed, Target
from adloom.errors import Actor
from adloom.events.catalogue import Platform
from adloom.platforms.advice_causes import Remedy
from adloom.platforms.grant import Extra, TokenKind


class Started(BaseModel):
    authorize_url: str = Field(description="Send the person there; it is good for ten minutes and one log-in")


class Finished(BaseModel):
    connection_id: UUID
    platform: Platform
    name: str
    is_another_person: bool = Field(default=False, description="Not the one whose connection was to be mended")


class Trouble(BaseModel):
    code: str
    acts: Actor = Field(description="Who can make it go away")
    remedy: Remedy = Field(description="The one button that mends it")
    happened: str = Field(description="What happened, for a person")
    step: str = Field(description="What to do, for a person")
    said: str | None = Field(description="The platform's own words")


class Connection(BaseModel):
    connection_id: UUID
    platform: Platform
    name: str
    status: Literal["active", "broken", "revoked"]
    token_kind: TokenKind
    scopes: list[str]
    missing_scopes: list[str] = Field(description="Rights that were not given and are needed")
    extras: list[Extra] = Field(description="What was asked for beyond reading ads")
    token_expires_at: datetime | None = Field(description="The platform's time; null: it has no end of its own")
    refreshed_at: datetime | None = Field(description="When the access was last prolonged by itself")
    broken_code: str | None = Field(description="The platform's code")
    broken_at: datetime | None
    revoked_at: datetime | None
    connected_at: datetime
    account_choice: AccountChoice = Field(description="Whether accounts that are found later are synced, too")
    is_choice_open: bool = Field(description="Somebody has to choose accounts yet: none is synced until then")
    accounts: int = Field(description="Ad accounts that are read by this connection")
    chosen: int = Field(description="Those of them that are synced")
    in_trouble: int = Field(description="Those that are synced and whose last sync failed")
    last_synced_at: datetime | None = Field(description="The last success, of any account")
    is_replaced: bool = Field(description="Every account of it is read by another connection now")
    trouble: Trouble | None = Field(description="The worst of what is wrong; null: nothing is")


class Account(BaseModel):
    account_id: int
    external_id: str
    name: str
    currency: str
    timezone: str
    status: str
    is_chosen: bool
    login_id: str | None = Field(description="The account by whose rights this one is read: Google's manager account")
    last_synced_at: datetime | None
    lost_at: datetime | None = Field(description="Since when this log-in does not reach it any more")
    read_by: UUID = Field(description="The connection by which it is read; another one where two people reach it")
    read_by_name: str
    trouble: Trouble | None


class Subscription(BaseModel):
    target: Target
    external_id: str
    name: str
    fields: list[str] = Field(description="What the platform tells us of; empty: nothing yet")
    subscribed_at: datetime | None
    error_code: str | None
    error_detail: str | None


class Connections(BaseModel):
    connections: list[Connection]


class ConnectionDetail(Connection):
    reached: list[Account] = Field(description="Every account that this log-in reaches, or by which it is read")
    subscriptions: list[Subscription]


class Ended(BaseModel):
    at_platform: AtPlatform = Field(
        description="revoked: the grant is ended there. kept_for_others: others here live by a log-in of the same "
        "person. refused: the platform did not end it. later: it does not answer and is asked again for a day"
    )
    detail: str | None


def shown(standing: Standing) -> Connection:
    return Connection(**_values(standing))


def detailed(standing: Standing, reached: list[Reached], subscribed: list[Subscribed]) -> ConnectionDetail:
    accounts = [Account(**(vars(each) | {"trouble": _trouble(each.trouble)})) for each in reached]
    subscriptions = [Subscription(**vars(each)) for each in subscribed]
    return ConnectionDetail(**_values(standing), reached=accounts, subscriptions=subscriptions)


def _values(standing: Standing) -> dict[str, object]:
    connected = standing.connected
    own = {name: value for name, value in vars(connected).items() if name in Connection.model_fields}
    return own | {
        "missing_scopes": list(standing.missing_scopes),
        "is_choice_open": connected.account_choice == "chosen" and connected.chosen_at is None,
        "accounts": standing.found,
        "chosen": standing.chosen,
        "in_trouble": standing.in_trouble,
        "last_synced_at": standing.last_synced_at,
        "is_replaced": standing.is_replaced,
        "trouble": _trouble(standing.trouble),
    }


def _trouble(trouble: object) -> Trouble | None:
    return Trouble(**vars(trouble)) if trouble is not None else None
