"""What the database's catalogue says there is to copy.

Nobody keeps a list: a new table is in the next backup by itself, and one that cannot be read whole stops it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adloom.backup.contents import Position
from adloom.backup.rowsum import RowSum
from adloom.db.engine import CONNECT_TIMEOUT_S, VANISHED
from adloom.errors import ConfigurationError

Connection = psycopg.Connection[tuple[Any, ...]]

# Text means the same on every server and in every version, once these are set.
TEXT_FORM = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
}
# Others' transactions on a table we want to lock are soon over.
_LIMITS = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "30s"}
_ESCAPED_SPACE = "\\ "
# Everything that is ours: not the system's, not an extension's, and of a partitioned table only the whole.
_OURS = """
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not c.relispartition
   and not exists (select from pg_depend d where d.deptype = 'e'
                      and (d.classid, d.objid) in (('pg_class'::regclass, c.oid), ('pg_namespace'::regclass, n.oid)))
"""
# alembic's own table: what it says stands in the header, and migrations write it.
REVISION_TABLE = "public.alembic_version"
_TABLES = f"""
select c.oid, n.nspname || '.' || c.relname,
       array(select a.attname::text from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              order by a.attnum),
       c.relforcerowsecurity,
       array(select array[t.tgname::text, pg_get_triggerdef(t.oid)] from pg_trigger t
              where t.tgrelid = c.oid and not t.tgisinternal
                and not exists (select from pg_depend d where d.deptype = 'e'
                                   and (d.classid, d.objid) = ('pg_proc'::regclass, t.tgfoid)))
{_OURS} and c.relkind in ('r', 'p') order by 2
"""
_REFERENCES = """
select conrelid, confrelid from pg_constraint where contype = 'f' and conrelid <> confrelid
"""
_SEQUENCES = f"""
select n.nspname || '.' || c.relname, has_sequence_privilege(c.oid, 'select')
{_OURS} and c.relkind = 'S' order by 1
"""
# Row security would hide rows without a word: there must be a policy that shows the role everything, and none that
# narrows it.
_UNREADABLE = f"""
select n.nspname || '.' || c.relname {_OURS} and c.relkind in ('r', 'p') and (
    not has_table_privilege(c.oid, 'select')
    or (c.relrowsecurity and row_security_active(c.oid) and not (
        exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
                   and p.polroles && array[0::oid, current_user::regrole::oid]
                   and pg_get_expr(p.polqual, c.oid) = 'true')
        and not exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive
                           and p.polcmd in ('r', '*') and p.polroles && array[0::oid, current_user::regrole::oid])))
) order by 1
"""


@dataclass(frozen=True)
class Table:
    """`name` is `schema.table`; `columns` are those that are stored, not computed; `triggers`: name, definition."""

    name: str
    columns: tuple[str, ...]
    forces_row_security: bool = False
    triggers: tuple[tuple[str, str], ...] = ()

    @property
    def identifier(self) -> sql.Identifier:
        return identifier(self.name)

    @property
    def column_list(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))


def listed(connection: Connection) -> list[Table]:
    """Every table of ours, those first that others refer to."""
    found = connection.execute(_TABLES).fetchall()
    tables = {
        oid: Table(name, tuple(columns), forced, tuple((trigger, text) for trigger, text in triggers))
        for oid, name, columns, forced, triggers in found
    }
    order: TopologicalSorter[int] = TopologicalSorter({oid: set() for oid in tables})
    for table, referred in connection.execute(_REFERENCES):
        if table in tables and referred in tables:
            order.add(table, referred)
    try:
        oids = list(order.static_order())
    except CycleError as error:
        names = ", ".join(dict.fromkeys(tables[oid].name for oid in error.args[1]))
        raise ConfigurationError(f"{names} refer to each other: no order of copying would satisfy them") from error
    return [tables[oid] for oid in oids if tables[oid].name != REVISION_TABLE]


def check_readable(connection: Connection) -> None:
    """ConfigurationError names the tables of which this role cannot read every row, and unreadable sequences."""
    hidden = [name for (name,) in connection.execute(_UNREADABLE)]
    hidden += [name for name, readable in connection.execute(_SEQUENCES) if not readable]
    if hidden:
        raise ConfigurationError(
            f"The role of backups cannot read all of {', '.join(hidden)}. The migration that makes a table calls "
            "`isolate`, or grants adloom_backup SELECT and a policy that shows it every row",
            code="backup_unreadable_table",
        )


def revision(connection: Connection) -> str | None:
    """The migration this database is at; None where there are none."""
    if connection.execute("select to_regclass(%s)", (REVISION_TABLE,)).fetchone() == (None,):
        return None
    row = connection.execute(sql.SQL("select version_num from {}").format(identifier(REVISION_TABLE))).fetchone()
    return str(row[0]) if row else None


def positions(connection: Connection) -> dict[str, Position]:
    """Where each sequence stands: at what was copied or beyond, since sequences keep to no snapshot."""
    found = {}
    for name in [name for name, _ in connection.execute(_SEQUENCES)]:
        row = connection.execute(sql.SQL("select last_value, is_called from {}").format(identifier(name))).fetchone()
        if row is not None:
            found[name] = Position(last_value=row[0], is_called=row[1])
    return found


def rows(connection: Connection, table: Table, total: RowSum, piece: int) -> Iterator[bytes]:
    """The table's rows in COPY's text format, as pieces of whole rows of about `piece` bytes, added to `total`."""
    question = sql.SQL("copy (select {} from {}) to stdout").format(table.column_list, table.identifier)
    buffer = bytearray()
    with connection.cursor() as cursor, cursor.copy(question) as copy:
        for data in copy:
            buffer += data
            if len(buffer) >= piece and buffer.endswith(b"\n"):
                part = bytes(buffer)
                total.add(part)
                yield part
                buffer.clear()
    if buffer:
        total.add(bytes(buffer))
        yield bytes(buffer)


def connect(url: str, application: str) -> Connection:
    """A connection that gives text in one form, and has as long as it takes; the limits of requests are not for it.

    It commits each statement: whoever needs a transaction begins one.
    """
    settings = (f"-c {name}={value.replace(' ', _ESCAPED_SPACE)}" for name, value in (TEXT_FORM | _LIMITS).items())
    return psycopg.connect(
        make_conninfo(url, connect_timeout=CONNECT_TIMEOUT_S, options=" ".join(settings), **VANISHED),
        autocommit=True,
        application_name=application,
    )


def last_head(connection: Connection) -> int:
    """The number of the last signed heads of the audit trail that the snapshot knows; 0 before there was a trail."""
    if connection.execute("select to_regclass('public.audit_heads')").fetchone() == (None,):
        return 0
    row = connection.execute("select coalesce(max(sequence), 0) from audit_heads").fetchone()
    return int(row[0]) if row else 0
