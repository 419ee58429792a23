"""Reads an account and its entities again when somebody asked for its days since they were last read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.errors import PlatformError
from adloom.metrics import account_history, accounts, entities, runs
from adloom.metrics.accounts import Synced
from adloom.metrics.entities import Listing
from adloom.metrics.fetch import Broke
from adloom.metrics.runs import Fetched
from adloom.metrics.sync import Sync
from adloom.platforms.model import Entity, Reader
from adloom.platforms.retry import OutOfTimeError

log = logs.get(__name__)

_IS_DUE = """
select exists (
    select from sync_windows w
     where w.account_id = :account_id
       and w.requested_at > coalesce(
           (select max(r.started_at) from sync_runs r
             where r.account_id = :account_id and r.kind = 'entities' and r.outcome = 'succeeded'), '-infinity'))
   and not (:sparing and exists (
       select from sync_runs r
        where r.account_id = :account_id and r.kind = 'entities' and r.outcome = 'succeeded'
          and r.business_at between cast(:now as timestamptz) - interval '20 hours' and :now))
"""


class _Counted:
    """A list of entities that may end early: what came until then is kept, but nothing is taken as gone."""

    def __init__(self, listed: Iterator[Entity]) -> None:
        self._listed = listed
        self.is_whole = False

    def __iter__(self) -> Iterator[Entity]:
        try:
            yield from self._listed
        except OutOfTimeError:
            return
        self.is_whole = True


def refresh(sync: Sync, synced: Synced, reader: Reader, *, sparing: bool = False) -> Synced | Broke:
    """The account as the platform describes it now; a Broke when the platform said no.

    `sparing`: calls are few, and what was read today will do. New ads are known by their facts all the same.
    """
    values = {"account_id": synced.account_id, "sparing": sparing, "now": clock.now()}
    with sync.database.tenant(synced.org_id, str(synced.account_id)) as connection:
        if not connection.execute(text(_IS_DUE), values).scalar_one():
            return synced
        started_at: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    business_at = clock.now()
    try:
        with sync.database.tenant(synced.org_id, str(synced.account_id)) as connection:
            return _store(connection, synced, reader, started_at, business_at)
    except (PlatformError, OutOfTimeError) as error:
        return Broke(error, None, started_at, business_at)


def _store(
    connection: Connection, synced: Synced, reader: Reader, started_at: datetime, business_at: datetime
) -> Synced:
    # What it counts as a conversion is our setting: the platform does not know it.
    account = replace(reader.account(synced.account.external_id), conversion=synced.account.conversion)
    listed = _Counted(reader.entities(account))
    staged = entities.stage(connection, account, listed)
    fetched = Fetched(started_at, business_at, clock.real_now(), reader.requests, staged)
    described = replace(synced, account=account)
    run_id = runs.begin(
        connection, described, reader, kind="entities", fetched=fetched, query={"whole": listed.is_whole}
    )
    listing = Listing(synced.org_id, synced.account_id, run_id, clock.now())
    changes = entities.replace(connection, listing, is_whole=listed.is_whole)
    account_history.note(connection, listing, account)
    accounts.refresh(connection, synced.account_id, account)
    runs.end(connection, run_id, changes)
    log.info("entities_stored", account_id=synced.account_id, listed=staged, changed=changes.total)
    return described
