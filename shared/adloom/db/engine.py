"""Connections and transactions.

The database itself keeps organisations apart: row-level security and barrier views look at `app.org_id` and
`app.account_scope`, which `Database.tenant` sets for one transaction. Outside of it nobody's rows are visible.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from adloom import logs
from adloom.errors import Unavailable

ALL_ACCOUNTS = "*"
CONNECT_TIMEOUT_S = 5
# A server that vanished without a word is noticed within ten seconds or so, not within TCP's quarter of an hour.
VANISHED = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
# And the server notices as soon that we vanished, with our locks: faasd takes a function's network away before it tells
# the function to stop.
_SERVER_SIDE: dict[str, int | str] = {
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# A waiting request gives up before the gateway does.
POOL_TIMEOUT_S = 15
STATEMENT_TIMEOUT_MS = 55_000
# A transaction that a dead client left open would hold its locks and keep vacuum from its work.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 120_000
_SESSION = _SERVER_SIDE | {
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
    "timezone": "UTC",
}
# After so long without use a connection is asked for an answer before it is used again: what lies between may have
# dropped it without a word to either side.
_TRUSTED_S = 30.0
_USED = "adloom.used"
# Any 64-bit namespace of our own, so that other users of advisory locks in this database do not collide with us.
ACCOUNT_LOCK_SPACE = 0x41_44_4C  # "ADL"

log = logs.get(__name__)

LastStep = Callable[[Connection], None]
_LAST_STEPS = "adloom.last_steps"

_SCOPE = re.compile(r"^(\*|\d+(,\d+)*|)$")


def raw(connection: Connection) -> psycopg.Connection[tuple[object, ...]]:
    """The psycopg connection below, for COPY and binary work inside the same transaction."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"expected a psycopg connection, got {type(driver).__name__}")
    return driver


def last_steps(connection: Connection) -> list[LastStep]:
    """What is done at the end of the transaction at hand, before it commits; append to it. ValueError outside of a
    transaction of `tenant` or `system`.
    """
    try:
        steps: list[LastStep] = connection.info[_LAST_STEPS]
    except KeyError:
        raise ValueError("this connection is in no transaction of Database.tenant or Database.system") from None
    return steps


class Database:
    """The database as one login role sees it. Make one per process.

    Fails closed: an unusable database raises Unavailable, a transaction without an organisation sees no tenant row.
    """

    def __init__(self, url: str, *, pool_size: int = 8, application_name: str = "adloom") -> None:
        self.engine: Engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            hide_parameters=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                **VANISHED,
                "application_name": application_name,
                "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
            },
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", _check_alive)

    @contextmanager
    def tenant(self, org_id: UUID, account_scope: str = ALL_ACCOUNTS) -> Iterator[Connection]:
        """A transaction that sees one organisation, narrowed to `account_scope`: `*` or account ids like `3,17`.

        Commits at the end and rolls back when an exception leaves the block.
        """
        if not _SCOPE.match(account_scope):
            raise ValueError("account_scope must be * or a comma separated list of account ids")
        with self.system() as connection:
            connection.execute(
                text("select set_config('app.org_id', :org, true), set_config('app.account_scope', :scope, true)"),
                {"org": str(org_id), "scope": account_scope},
            )
            yield connection

    @contextmanager
    def system(self) -> Iterator[Connection]:
        """A transaction without an organisation: no tenant row is visible, SECURITY DEFINER functions are for it."""
        with _connected(self.engine) as connection, connection.begin():
            steps: list[LastStep] = []
            connection.info[_LAST_STEPS] = steps
            try:
                yield connection
                for step in steps:
                    step(connection)
            finally:
                connection.info.pop(_LAST_STEPS, None)

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction of its own, without an organisation."""
        with _connected(self.engine) as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def account_lock(self, account_id: int) -> Iterator[bool]:
        """Hold the account's advisory lock for the length of the block; yields False when another holds it.

        It lives on a connection of its own, so that it outlives the transactions inside and ends with the process.
        """
        with _connected(self.engine) as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")  # noqa: PLW2901 - same connection
            key = {"space": ACCOUNT_LOCK_SPACE, "account": account_id % 2**31}
            held = connection.execute(text("select pg_try_advisory_lock(:space, :account)"), key).scalar_one()
            try:
                yield bool(held)
            finally:
                if held and not connection.invalidated:
                    connection.execute(text("select pg_advisory_unlock(:space, :account)"), key)

    def check(self) -> None:
        """Raise Unavailable unless the database answers a query."""
        with self.system() as connection:
            connection.execute(text("select 1"))

    def close(self) -> None:
        self.engine.dispose()


def _note_use(_driver: object, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED] = time.monotonic()


def _check_alive(driver: psycopg.Connection[object], entry: ConnectionPoolEntry, _proxy: object) -> None:
    """Take no connection from the pool that the server has closed meanwhile.

    One that was used a moment ago costs no round trip for it: a server that closes a connection says so on its socket.
    """
    used = entry.info.get(_USED)
    if used is None or (time.monotonic() - used < _TRUSTED_S and _is_silent(driver)):
        return  # used is None: just made
    try:
        driver.autocommit = True
        driver.execute("select 1")
        driver.autocommit = False
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _is_silent(driver: psycopg.Connection[object]) -> bool:
    if driver.closed:
        return False
    socket = select.poll()
    socket.register(driver.fileno(), select.POLLIN | select.POLLRDHUP)
    return not socket.poll(0)


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """A pooled connection; a database that is away or goes away becomes Unavailable."""
    try:
        with engine.connect() as connection:
            yield connection
    except PoolTimeout as error:
        raise Unavailable(
            "All database connections are busy; try again", code="database_busy", retry_after=2
        ) from error
    except OperationalError as error:
        # The caller is told no more than to try again; a full disk or a lock is for the operator to see.
        log.warning("database_unavailable", reason=str(error.orig).partition("\n")[0])
        raise Unavailable("The database does not answer; try again", code="database_down", retry_after=5) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("The database went away; try again", code="database_down", retry_after=5) from error
        raise
