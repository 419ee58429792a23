"""Exports objects in the columns of the facts format's `entities.csv`: those that were deleted, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, text

_PLAIN = (
    "status", "kind", "daily_budget", "lifetime_budget", "objective", "final_url", "image_url", "texts", "labels",
    "review_status", "review_reason", "conversion_window_days", "created_at", "updated_at", "deleted_at",
)  # fmt: skip
COLUMNS = ("platform", "account_id", "level", "id", "parent_id", "name", *_PLAIN)
_BATCH = 5000
_ROWS = f"""
select a.platform, a.external_id as account_id, e.level, e.external_id as id, e.parent_id, e.name,
       {", ".join(f"e.{name}" for name in _PLAIN)}
  from entities e join ad_accounts a on a.account_id = e.account_id
 where cardinality(cast(:accounts as bigint[])) = 0 or e.account_id = any (:accounts)
 order by a.platform, a.external_id,
       array_position(array['account', 'campaign', 'ad_group', 'ad'], e.level), e.external_id
"""


def rows(connection: Connection, *, accounts: tuple[int, ...] = ()) -> Iterator[dict[str, str]]:
    """One dictionary of texts per object; an empty text is what the platform does not say.

    Review states are the platform's own words; instants are in UTC.
    """
    found = connection.execution_options(yield_per=_BATCH).execute(text(_ROWS), {"accounts": list(accounts)})
    for row in found.mappings():
        yield {name: _written(row[name]) for name in COLUMNS}


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
