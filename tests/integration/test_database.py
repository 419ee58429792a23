"""What callers and operators hear of a database that does not do its work."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from adloom.db import Database, engine, raw
from adloom.errors import Unavailable


def test_a_server_that_vanishes_is_noticed_soon(connect) -> None:
    with connect("auth").system() as connection:
        said = raw(connection).info.get_parameters()
    assert (said["tcp_user_timeout"], said["keepalives_idle"]) == ("10000", "5")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "10000"),
        ("statement_timeout", "55s"),
        ("idle_in_transaction_session_timeout", "2min"),
        ("TimeZone", "UTC"),
    ],
)
def test_the_server_notices_as_soon_that_we_vanished(connect, setting: str, value: str) -> None:
    with connect("auth").system() as connection:
        assert connection.execute(text(f"show {setting}")).scalar_one() == value


def test_why_a_statement_failed_is_logged_and_not_told(connect) -> None:
    def too_slow() -> None:
        with connect("auth").system() as connection:
            connection.execute(text("set local statement_timeout = 1"))
            connection.execute(text("select pg_sleep(1)"))

    with capture_logs() as logs, pytest.raises(Unavailable) as refused:
        too_slow()
    (line,) = [one for one in logs if one["event"] == "database_unavailable"]
    assert "statement timeout" in line["reason"]
    assert "statement" not in refused.value.detail


def test_the_log_of_a_refused_log_in_has_no_password(postgres) -> None:
    database = Database(postgres.url("auth").replace("://adloom_auth:", "://adloom_auth:wrong-pass-word-"))
    with capture_logs() as logs, pytest.raises(Unavailable):
        database.check()
    database.close()
    assert logs
    assert "wrong-pass-word" not in str(logs)


def _terminate(postgres) -> None:
    query = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'of a test'"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        while admin.execute(query).fetchall():
            pass


@pytest.fixture
def pooled(postgres) -> Iterator[Database]:
    """Two connections of a pool that were used a moment ago."""
    database = Database(postgres.url("auth"), pool_size=2, application_name="of a test")
    with database.system() as one, database.system() as other:
        assert one.execute(text("select 1")).scalar() == other.execute(text("select 1")).scalar()
    yield database
    database.close()


def test_connections_that_the_server_closed_meanwhile_are_not_used_again(postgres, pooled: Database) -> None:
    _terminate(postgres)

    for _ in range(3):
        pooled.check()


@pytest.mark.parametrize(("trusted", "asks"), [(30.0, []), (0.0, ["select 1"])])
def test_only_a_connection_that_was_not_used_for_long_is_asked_first(
    pooled: Database, monkeypatch: pytest.MonkeyPatch, trusted: float, asks: list[str]
) -> None:
    """What lies between may have dropped it without a word; one that was used a moment ago costs no round trip."""
    asked: list[str] = []
    execute = psycopg.Connection.execute
    monkeypatch.setattr(engine, "_TRUSTED_S", trusted)
    monkeypatch.setattr(
        psycopg.Connection, "execute", lambda self, query, *more: asked.append(query) or execute(self, query, *more)
    )

    pooled.check()

    assert asked == asks
