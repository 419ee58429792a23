"""Days that were set aside because they failed again and again, for showing. Inside a tenant transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class SetAside:
    """Local days of an account that are not read for now; `at` is business time, `detail` the platform's own words."""

    account_id: int
    since: date
    until: date
    at: datetime
    error_code: str
    error_detail: str


_ASIDE = """
select account_id, since, until, aside_at as at, error_code, error_detail
  from sync_windows where aside_at is not null order by account_id, until desc
"""


def listed(connection: Connection) -> list[SetAside]:
    """Those of every account in scope, the newest day of each first."""
    return [SetAside(**row) for row in connection.execute(text(_ASIDE)).mappings()]
