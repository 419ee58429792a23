"""What the dashboard is told about the trail: how long it is, where its beginning lies, how keeping it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from adloom.audit import store
from adloom.audit.heads import DUTY
from adloom.audit.names import chain_folder
from adloom.clock import real_now
from adloom.db import Database

# Heads are signed every hour: after this long something is wrong, whether anybody said so or not.
STALE = timedelta(hours=3)


def of(database: Database, org_id: UUID | None) -> dict[str, Any]:
    """The state of a chain as `GET /audit` shows it."""
    chain = store.chain_of(org_id)
    end = store.end_of(database, chain)
    duties = {each.duty: each for each in store.duties(database)}
    heads = duties.get(DUTY)
    problems: list[dict[str, Any]] = [
        {"duty": each.duty, "code": each.problem, "since": each.problem_since}
        for each in duties.values()
        if each.problem and each.problem_since
    ]
    signed_at = heads.done_at if heads else None
    if signed_at and real_now() - signed_at > STALE and not any(one["duty"] == DUTY for one in problems):
        problems.append({"duty": DUTY, "code": "heads_stopped", "since": signed_at})
    return {
        "events": end.last_position if end else 0,
        "archived": end.archived if end else 0,
        "archived_until": end.archived_until if end else None,
        "archived_at": chain_folder(chain) if end and end.archived else None,
        "signed_at": signed_at,
        "problems": problems,
    }
