"""What one row of an answer is about: a customer, one of its objects, or a part of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.sandbox.facts.model import Account, Entity, EntityRow, Level
from infra.sandbox.facts.names import name_of
from infra.sandbox.facts.status import own_status

_STATUS = {"active": "ENABLED", "paused": "PAUSED", "archived": "PAUSED", "deleted": "REMOVED"}


@dataclass(frozen=True)
class Manager:
    """A manager account: it has clients and no delivery."""

    id: str
    name: str
    currency: str = "USD"
    zone: str = "America/New_York"


@dataclass(frozen=True)
class Client:
    """A customer as its manager sees it: `level` 0 is the manager itself."""

    customer: Account | Manager
    level: int


@dataclass(frozen=True)
class Label:
    """A label of the account."""

    id: int
    name: str


@dataclass(frozen=True)
class Asset:
    """A text or an image of the account; `field_type` is its place in an asset group."""

    id: int
    field_type: str
    text: str = ""
    url: str = ""


@dataclass(frozen=True)
class Action:
    """A conversion action."""

    id: int
    name: str
    status: str
    window_days: int


@dataclass(frozen=True)
class Node:
    """What one row is about, at an instant."""

    customer: Account | Manager
    now: datetime
    entity: Entity | None = None
    client: Client | None = None
    part: Label | Asset | Action | None = None

    @property
    def account(self) -> Account:
        """The account; only asked for below one."""
        if isinstance(self.customer, Manager):
            raise TypeError(f"manager {self.customer.id} has no objects")
        return self.customer

    def of(self, level: Level) -> Entity:
        """The object itself or the one above it."""
        entity = self.entity
        if entity is None:
            raise TypeError(f"an account has no {level}")
        ids = {"campaign": entity.campaign_id, "ad_group": entity.adgroup_id, "ad": entity.id}
        return self.account.objects(level)[ids[level]]

    def row(self, level: Level) -> EntityRow | None:
        """What entities.csv says of it."""
        return self.of(level).row


Getter = Callable[[Node], Any]


def named(level: Level) -> Getter:
    """The name of today."""
    return lambda node: name_of(node.of(level), node.account.today(node.now))


def status(level: Level) -> Getter:
    """ENABLED, PAUSED or REMOVED."""
    return lambda node: _STATUS[own_status(node.row(level), node.now)]


def resource(kind: str, level: Level) -> Getter:
    """The resource name of an object."""
    return lambda node: f"customers/{node.customer.id}/{kind}/{node.of(level).id}"
