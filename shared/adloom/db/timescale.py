"""Put the metrics on TimescaleDB, as far as the server has it: a hypertable, and on the Community edition stored sums.

What a server offers is asked of the server each time, and what is done already is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from adloom.db import timescale_sums
from adloom.errors import ConfigurationError, Unavailable

# 37 months are 13 chunks: few to plan over, and the newest one's indexes fit the memory of a small server.
CHUNK = "91 days"
COMMUNITY = "timescale"
LOCK_TIMEOUT = "10s"

_STATE = """
select current_setting('server_version') as server,
       (select max(default_version) from pg_available_extensions where name = 'timescaledb') as available,
       (select extversion from pg_extension where extname = 'timescaledb') as installed,
       (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
         where e.extname = 'timescaledb') as schema,
       -- The library sets this up when the server starts with it; who may not read its settings may see this.
       exists (select from pg_settings where name = 'timescaledb.max_background_workers') as is_preloaded,
       (select rolsuper from pg_roles where rolname = current_user)
       or (has_database_privilege(current_database(), 'create')
           and exists (select from pg_available_extension_versions
                        where name = 'timescaledb' and trusted)) as may_create,
       to_regclass('public.metrics_marks') is not null as is_ready
"""
_HYPERTABLE = """
select (select num_chunks from timescaledb_information.hypertables
         where hypertable_schema = 'public' and hypertable_name = 'metrics') as chunks,
       (select count(*) = 2 from timescaledb_information.continuous_aggregates
         where view_schema = 'public' and view_name in ('metrics_weekly', 'metrics_monthly')) as is_stored,
       current_setting('timescaledb.license') as license
"""


@dataclass(frozen=True)
class Server:
    """What a database says of itself: the versions of TimescaleDB and the schema that its functions are in."""

    server: str
    available: str | None
    installed: str | None
    schema: str | None
    is_preloaded: bool
    may_create: bool
    is_ready: bool

    @property
    def obstacle(self) -> str | None:
        """Why the metrics cannot be put on TimescaleDB, and what to do about it."""
        if not self.is_ready:
            return "The schema is older than the sums: run `adloom db upgrade` first."
        if self.installed:
            return None
        if not self.available:
            return (
                f"This server (PostgreSQL {self.server}) has no TimescaleDB, and plain tables do all the work. "
                "To have it, install the package for this version of PostgreSQL, such as Debian's "
                "postgresql-17-timescaledb."
            )
        if not self.is_preloaded:
            return (
                f"TimescaleDB {self.available} is installed on the server but not loaded: add timescaledb to "
                "shared_preload_libraries in postgresql.conf and restart PostgreSQL."
            )
        if not self.may_create:
            return (
                "The role of admin-database-url may not create the extension: run `create extension timescaledb` in "
                "this database as a superuser, then this command again."
            )
        return None


def look(connection: Connection) -> Server:
    """Ask the server. Ends the transaction."""
    found = Server(**connection.execute(text(_STATE)).mappings().one())
    connection.rollback()
    return found


def settle(connection: Connection) -> None:
    """After migrations: put a database without any metrics on TimescaleDB where the server has it.

    One with metrics is left as it is: moving it takes time and a lock, so a person says when.
    """
    server = look(connection)
    if server.obstacle is not None:
        return
    is_empty = not connection.execute(text("select exists (select from metrics)")).scalar_one()
    connection.rollback()
    if is_empty:
        _move(connection, server)


def move(connection: Connection) -> list[str]:
    """Do what is missing; sentences that say what was found and done.

    ConfigurationError: the server cannot. Unavailable: others kept the tables; nothing was changed, try again.
    """
    server = look(connection)
    if server.obstacle is not None:
        raise ConfigurationError(server.obstacle, code="no_timescaledb")
    try:
        return _move(connection, server)
    except OperationalError as error:
        connection.rollback()
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise Unavailable(
                f"Somebody kept the metrics for {LOCK_TIMEOUT}; stop the syncs or try again", code="database_busy"
            ) from error
        raise


def _move(connection: Connection, server: Server) -> list[str]:
    said = []
    if server.installed is None:
        connection.execute(text("create extension timescaledb"))
        connection.commit()
        server = look(connection)
        said.append(f"Created the extension TimescaleDB {server.installed}.")
    else:
        said.append(f"Found TimescaleDB {server.installed} on PostgreSQL {server.server}.")
    found = connection.execute(text(_HYPERTABLE)).one()
    connection.rollback()
    if found.chunks is None:
        said.append(_make_hypertable(connection, str(server.schema)))
    else:
        said.append(f"The metrics are a hypertable of {found.chunks} chunks.")
    if found.license != COMMUNITY:
        said.append("This is the Apache edition: weekly and monthly sums stay views.")
    elif found.is_stored:
        said.append("Weekly and monthly sums are stored.")
    else:
        _store_sums(connection, str(server.schema))
        said.append("Weekly and monthly sums are stored from now on; old chunks will be compressed.")
    return said


def _begin(connection: Connection) -> None:
    """A transaction that may take long but does not make everybody wait for its locks."""
    connection.execute(text("set local statement_timeout = 0"))
    connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))


def _make_hypertable(connection: Connection, schema: str) -> str:
    with connection.begin():
        _begin(connection)
        connection.execute(text("set local role adloom_owner"))
        connection.execute(text("lock table metrics in access exclusive mode"))
        rows = connection.execute(text("select count(*) from metrics")).scalar_one()
        connection.execute(
            text(
                f"select * from \"{schema}\".create_hypertable('metrics',"
                f" \"{schema}\".by_range('day', interval '{CHUNK}'),"
                " create_default_indexes => false, migrate_data => true)"
            )
        )
    return f"Made the metrics a hypertable on the local day; {rows} rows moved."


def _store_sums(connection: Connection, schema: str) -> None:
    with connection.begin():
        _begin(connection)
        connection.execute(text(timescale_sums.DECOMPRESSION))
        connection.execute(text("set local role adloom_owner"))
        for statement in timescale_sums.storing(f'"{schema}"'):
            connection.execute(text(statement))
        connection.execute(text("reset role"))
        # Not as the owner, who is held to one organisation: whoever migrates has the definer's rights.
        connection.execute(text(timescale_sums.MARK_WHAT_IS_THERE))
        connection.execute(text("grant create on schema public to adloom_definer"))
        connection.execute(text("alter function mark_metrics() owner to adloom_definer"))
        connection.execute(text("revoke create on schema public from adloom_definer"))
        # Triggers on new chunks are made in the owner's name.
        connection.execute(text("grant execute on function mark_metrics() to adloom_owner"))
        connection.execute(
            text(f'select "{schema}".add_job(:job, :every)'),
            {"job": f"public.{timescale_sums.JOB}", "every": timescale_sums.JOB_EVERY},
        )


def catch_up(connection: Connection) -> list[str]:
    """Make the stored sums that are out of date anew, now; a sentence about it, or none where nothing is stored."""
    plain = connection.execution_options(isolation_level="AUTOCOMMIT")
    if not plain.execute(text("select sums_are_stored()")).scalar_one():
        return []
    plain.execute(text(f'call public.{timescale_sums.JOB}(0, \'{{"quiet"\\: "0 seconds"}}\')'))
    waiting = plain.execute(text("select count(*) from metrics_marks")).scalar_one()
    return [f"Made the sums anew; {waiting} of days that are not over are read from rows."]
