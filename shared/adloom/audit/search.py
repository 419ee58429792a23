"""Looking for events of one chain, newest first, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.audit.store import DEPLOYMENT, chain_of
from adloom.db import Database

PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """Which events; what is None does not narrow. `actor` and `target` are ids or kinds, `action` a name or the
    beginning of one up to a dot, `text` anything that stands in the record, `before` a position to go on below.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    target: str | None = None
    text: str | None = None
    before: int | None = None


@dataclass(frozen=True)
class Found:
    """An event: `record` is what its text says."""

    position: int
    hash: bytes
    line: str
    record: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Name:
    name: str
    email: str | None


def page(database: Database, org_id: UUID | None, wanted: Wanted, most: int = PAGE) -> list[Found]:
    """At most so many events, newest first. None as the organisation is the deployment's own chain."""
    conditions, values = _conditions(wanted)
    query = text(
        "select position, hash, record from audit_events where chain = :chain"
        + "".join(f" and {condition}" for condition in conditions)
        + " order by position desc limit :most"
    )
    with _chain(database, org_id) as connection:
        rows = connection.execute(query, values | {"chain": chain_of(org_id), "most": most}).all()
    return [Found(row.position, bytes(row.hash), row.record, json.loads(row.record)) for row in rows]


def every(database: Database, org_id: UUID | None, wanted: Wanted) -> Iterator[Found]:
    """All of them, newest first, read slice by slice."""
    before = wanted.before
    while found := page(database, org_id, Wanted(**(vars(wanted) | {"before": before})), 500):
        yield from found
        before = found[-1].position


def names(database: Database, org_id: UUID, ids: set[str]) -> dict[str, Name]:
    """Today's names of the people behind ids, as far as they still belong to the organisation, and of API keys."""
    if not ids:
        return {}
    query = text(
        "select user_id::text as id, name, email from users where user_id::text = any (:ids)"
        " union all select key_id::text, name, null from api_keys where key_id::text = any (:ids)"
    )
    with database.tenant(org_id) as connection:
        return {row.id: Name(row.name, row.email) for row in connection.execute(query, {"ids": sorted(ids)})}


def _chain(database: Database, org_id: UUID | None) -> AbstractContextManager[Connection]:
    return _deployment(database) if org_id is None else database.tenant(org_id)


@contextmanager
def _deployment(database: Database) -> Iterator[Connection]:
    with database.system() as connection:
        connection.execute(text("select set_config('app.audit_chain', :chain, true)"), {"chain": DEPLOYMENT})
        yield connection


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    known = {
        "since": "recorded_at >= :since",
        "until": "recorded_at < :until",
        "actor": "(actor_id = :actor or actor_kind = :actor)",
        "target": "(target_id = :target or target_kind = :target)",
        "before": "position < :before",
    }
    values: dict[str, Any] = {name: getattr(wanted, name) for name in known if getattr(wanted, name) is not None}
    conditions = [known[name] for name in values]
    if wanted.action:
        conditions.append("(action = :action or action like :beginning)")
        values |= {"action": wanted.action, "beginning": _literal(wanted.action) + ".%"}
    if wanted.text:
        conditions.append("record ilike :text")
        values["text"] = f"%{_literal(wanted.text)}%"
    return conditions, values


def _literal(words: str) -> str:
    """What `like` takes as these very words."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
