"""Writing events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import logs
from adloom.audit import actions, values
from adloom.audit.actor import Actor, actor
from adloom.db import Database
from adloom.db.engine import last_steps

Target = tuple[str, object]

_LONGEST_ID = 320
_LONGEST_AGENT = 400


def record(
    connection: Connection,
    action: str,
    *,
    org_id: UUID | None,
    target: Target | None = None,
    old: Any = None,
    new: Any = None,
    actor: Actor | None = None,
) -> None:
    """Write an event with the transaction at hand: it is there when, and only when, that commits.

    `org_id` names the chain, None the deployment's; `target` is a kind and an id, e.g. `("member", user_id)`. Who acts
    is known from the request unless `actor` says otherwise. `old` and `new` are what JSON can say, as mappings for
    preference: what is named like a secret is masked, and what is too large is cut (see adloom.audit.values). The
    chain is written to as the transaction's last step: whoever waits for it holds nothing that others still need.
    """
    body = body_of(action, target=target, old=old, new=new, who=actor)
    steps = last_steps(connection)
    pending = next((step for step in steps if isinstance(step, _Pending)), None)
    if pending is None:
        pending = _Pending()
        steps.append(pending)
    pending.events.append((org_id, body))


def note(
    database: Database,
    action: str,
    *,
    org_id: UUID | None,
    target: Target | None = None,
    old: Any = None,
    new: Any = None,
    actor: Actor | None = None,
) -> None:
    """Write an event that belongs to no transaction, in one of its own. Unavailable when the database is."""
    with database.system() as connection:
        record(connection, action, org_id=org_id, target=target, old=old, new=new, actor=actor)


def body_of(
    action: str, *, target: Target | None = None, old: Any = None, new: Any = None, who: Actor | None = None
) -> str:
    """The JSON of an event but for what the chain adds; ValueError for an action that is not in the catalogue."""
    if action not in actions.ACTIONS:
        raise ValueError(f"{action} is no action of the catalogue: add it to adloom.audit.actions")
    who = who or actor()
    told: dict[str, Any] = {"action": action, "actor": _of(who)}
    if target is not None:
        kind, target_id = target
        told["target"] = {"kind": kind, "id": values.text_of(target_id, _LONGEST_ID)}
    if old is not None:
        told["old"] = values.told(old)
    if new is not None:
        told["new"] = values.told(new)
    if request := logs.request_id.get():
        told["request"] = request
    return values.dumps(told)


def _of(who: Actor) -> dict[str, str]:
    lengths = {"kind": 40, "id": _LONGEST_ID, "session": 64, "address": 64, "agent": _LONGEST_AGENT}
    return {name: values.text_of(value, lengths[name]) for name, value in vars(who).items() if value is not None}


class _Pending:
    """The events of one transaction. Chains are taken in one order, so that no two transactions wait for each other."""

    def __init__(self) -> None:
        self.events: list[tuple[UUID | None, str]] = []

    def __call__(self, connection: Connection) -> None:
        for org_id, body in sorted(self.events, key=lambda event: str(event[0] or "")):
            connection.execute(text("select audit_append(:org, :body)"), {"org": org_id, "body": body})
