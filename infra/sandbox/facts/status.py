"""Which objects are there at an instant, and in which state."""

from __future__ import annotations

from datetime import datetime

from infra.sandbox.facts.model import Account, Entity, EntityRow

GONE = frozenset({"archived", "deleted"})


def own_status(row: EntityRow | None, now: datetime) -> str:
    """`active`, `paused`, `archived` or `deleted`. Without entities.csv an object is active.

    An object is not deleted before its `deleted_at`.
    """
    if row is None:
        return "active"
    if row.status == "deleted" and row.deleted_at is not None and row.deleted_at > now:
        return "active"
    return row.status


def exists(account: Account, entity: Entity, now: datetime) -> bool:
    """Whether the object was made by then: it has been created, or has had a row."""
    if entity.first_day is not None and entity.first_day <= account.today(now):
        return True
    created = entity.row.created_at if entity.row else None
    if created is not None:
        return created <= now
    return entity.row is not None and entity.first_day is None


def account_lives(account: Account, now: datetime) -> bool:
    """An account lives from its first fact on."""
    return bool(account.dates) and account.dates[0] <= account.today(now)
