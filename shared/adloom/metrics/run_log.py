"""Sync runs, for showing: every number names the run that wrote it. Inside a tenant transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class LoggedRun:
    """One run. `since` and `until` are local days of the account, `business_at` is business time, aware."""

    run_id: int
    account_id: int
    account_name: str
    platform: str
    kind: str
    since: date | None
    until: date | None
    api_version: str
    business_at: datetime
    finished_at: datetime | None
    requests: int
    rows_read: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    outcome: str
    error_code: str | None
    error_detail: str | None

    @property
    def rows_changed(self) -> int:
        return self.rows_inserted + self.rows_updated + self.rows_deleted


_LATEST = """
select r.run_id, r.account_id, a.name as account_name, a.platform, r.kind, r.since, r.until, r.api_version,
       r.business_at, r.finished_at, r.requests, r.rows_read, r.rows_inserted, r.rows_updated, r.rows_deleted,
       r.outcome, r.error_code, r.error_detail
  from sync_runs r join ad_accounts a on a.account_id = r.account_id
 where :everything or r.account_id = any (:accounts)
 order by r.run_id desc limit :most
"""


def latest(connection: Connection, account_ids: tuple[int, ...] = (), most: int = 20) -> list[LoggedRun]:
    """The newest runs of these accounts, of all in scope when none is named."""
    values = {"everything": not account_ids, "accounts": list(account_ids), "most": most}
    return [LoggedRun(**row) for row in connection.execute(text(_LATEST), values).mappings()]
