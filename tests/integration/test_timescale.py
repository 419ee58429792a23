"""The metrics on TimescaleDB: what each server gives, moving onto it, and what is never deleted."""

from __future__ import annotations

import re
import uuid

import psycopg
import pytest
from click.testing import CliRunner

from adloom.cli.database import database as commands
from adloom.db import migrate
from adloom.errors import ConfigurationError, Unavailable
from tests.conftest import Postgres
from tests.integration.timescale_rig import APACHE, COMMUNITY, PLAIN, connected, deliver, edition, need, offered, value
from tests.rows import fill

SUMS = [
    *(("account_id", "bigint"), ("org_id", "uuid"), ("level", "text"), ("entity_id", "text"), ("{grain}", "date")),
    *(("row_count", "bigint"), ("impressions", "numeric"), ("clicks", "numeric"), ("spend", "numeric")),
    *(("conversions", "numeric"), ("conversion_value", "numeric"), ("video_views", "numeric"), ("reach", "bigint")),
]
ROWS = "select md5(string_agg(m::text, '|' order by m::text)) from metrics m"
CHUNKS = "select num_chunks from timescaledb_information.hypertables where hypertable_name = 'metrics'"


@pytest.fixture
def moved_late(empty_database: Postgres) -> Postgres:
    """A database that had metrics before its schema knew of TimescaleDB, at the newest migration."""
    migrate.upgrade(empty_database.admin_url, "0009")
    with psycopg.connect(empty_database.admin_url) as connection:
        org = uuid.uuid4()
        for account in (1, 2, 3):
            deliver(connection, org, account, "2023-01-01", "2026-01-31", entities=2)
    migrate.upgrade(empty_database.admin_url)
    return empty_database


@pytest.mark.parametrize("grain", ["week", "month"])
def test_sums_have_the_same_columns_on_every_server(postgres, grain):
    with psycopg.connect(postgres.admin_url) as connection:
        for relation in (f"metrics_{grain}ly", f"visible_{grain}ly"):
            found = connection.execute(
                "select attname, format_type(atttypid, null) from pg_attribute"
                " where attrelid = %s::regclass and attnum > 0 order by attnum",
                (relation,),
            ).fetchall()
            assert found == [(name.format(grain=grain), kind) for name, kind in SUMS], relation


def test_a_new_database_takes_what_the_server_has(postgres):
    has = offered(postgres)
    with psycopg.connect(postgres.admin_url) as connection:
        stored = value(connection, "select sums_are_stored()")
        if edition(postgres) == PLAIN:
            assert (has.available is None or not has.is_preloaded, stored) == (True, False)
            return
        assert value(connection, CHUNKS) is not None
        aggregates = value(connection, "select count(*) from timescaledb_information.continuous_aggregates")
    assert (stored, aggregates) == ((True, 2) if edition(postgres) == COMMUNITY else (False, 0))


def test_no_login_role_is_granted_the_metrics_the_sums_or_what_lies_below(postgres, make_organisation, make_account):
    org = make_organisation()
    with psycopg.connect(postgres.admin_url) as connection:
        deliver(connection, org, make_account(org, "deep"), "2026-01-01", "2026-01-02")
        connection.commit()
        granted = connection.execute(
            "select c.oid::regclass::text, r.rolname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " cross join pg_roles r where r.rolname = any (%s) and c.relkind in ('r', 'v', 'm', 'p', 'f')"
            " and (n.nspname like '\\_timescaledb%%' or c.relname in ('metrics', 'metrics_weekly', 'metrics_monthly'))"
            " and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'entity_id')"
            " and has_any_column_privilege(r.oid, c.oid, 'select, insert, update')",
            ([role for role in migrate.LOGIN_ROLES if role != "adloom_backup"],),
        ).fetchall()
    assert granted == []


def test_the_backup_role_copies_the_whole_table_chunks_included(postgres, make_organisation, make_account):
    org = make_organisation()
    with psycopg.connect(postgres.admin_url) as connection:
        deliver(connection, org, make_account(org, "copied"), "2024-01-01", "2026-01-31", entities=1)
        connection.commit()
        there = value(connection, "select count(*) from metrics")
    with (
        psycopg.connect(postgres.url("backup")) as connection,
        connection.cursor() as cursor,
        cursor.copy("copy (select * from metrics) to stdout") as copy,
    ):
        assert sum(bytes(block).count(b"\n") for block in copy) == there


def test_nothing_deletes_metrics_restatements_or_runs_by_age(postgres):
    """Asked of the server: it has no such job, and no rule or trigger of ours deletes there."""
    with psycopg.connect(postgres.admin_url) as connection:
        if edition(postgres) != PLAIN:
            jobs = connection.execute(
                "select proc_name, hypertable_name, config from timescaledb_information.jobs"
                " where proc_schema not in ('_timescaledb_functions', '_timescaledb_internal')"
                " or proc_name = 'policy_retention' or hypertable_name is not null"
            ).fetchall()
            assert [name for name, *_ in jobs] == (["tend_metrics"] if edition(postgres) == COMMUNITY else [])
        deleting = connection.execute(
            "select proname from pg_proc p where pronamespace = 'public'::regnamespace"
            " and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
            " and prosrc ~* '(delete\\s+from|truncate|drop_chunks|add_retention).{0,40}'"
            " and prosrc ~* '(delete\\s+from|truncate)\\s+(public\\.)?(visible_)?"
            "(metrics|restatements|sync_runs)\\M|drop_chunks|retention'"
        ).fetchall()
    assert deleting == []


def test_a_database_with_metrics_is_not_moved_by_an_upgrade(moved_late):
    assert edition(moved_late) == PLAIN


def test_a_server_without_timescaledb_is_told_so_in_a_sentence(postgres, monkeypatch):
    need(postgres, PLAIN)
    monkeypatch.setenv("ADLOOM_ADMIN_DATABASE_URL", postgres.admin_url)
    result = CliRunner().invoke(commands, ["timescale"])
    assert isinstance(result.exception, ConfigurationError)
    assert "has no TimescaleDB" in str(result.exception)
    assert "postgresql-17-timescaledb" in str(result.exception)


def test_moving_keeps_every_row_and_is_done_once(moved_late, postgres, monkeypatch):
    need(postgres, APACHE, COMMUNITY)
    monkeypatch.setenv("ADLOOM_ADMIN_DATABASE_URL", moved_late.admin_url)
    with psycopg.connect(moved_late.admin_url, autocommit=True) as connection:
        before = value(connection, ROWS)
        first = CliRunner().invoke(commands, ["timescale"], catch_exceptions=False)
        assert value(connection, ROWS) == before
        assert 10 <= value(connection, CHUNKS) <= 14
        second = CliRunner().invoke(commands, ["timescale"], catch_exceptions=False)
        assert value(connection, ROWS) == before
    assert "Created the extension TimescaleDB" in first.output
    assert "6762 rows moved" in first.output
    assert "Found TimescaleDB" in second.output
    assert "moved" not in second.output
    assert re.search(r"The metrics are a hypertable of 1[0-4] chunks", second.output)
    said = "Weekly and monthly sums are stored" if edition(moved_late) == COMMUNITY else "This is the Apache edition"
    assert said in first.output
    assert said in second.output


def test_a_moved_database_goes_down_and_up_again_and_keeps_its_rows(moved_late, postgres):
    need(postgres, APACHE, COMMUNITY)
    migrate.move_to_timescale(moved_late.admin_url)
    with psycopg.connect(moved_late.admin_url, autocommit=True) as connection:
        before = value(connection, ROWS)
        migrate.downgrade(moved_late.admin_url, "0009")
        assert value(connection, ROWS) == before
        migrate.upgrade(moved_late.admin_url)
        assert value(connection, ROWS) == before
        migrate.move_to_timescale(moved_late.admin_url)
        assert value(connection, "select sums_are_stored()") is (edition(moved_late) == COMMUNITY)
        assert value(connection, "select sum(row_count) from metrics_monthly") == 6762


def test_moving_waits_for_nobody_for_long(moved_late, postgres):
    need(postgres, APACHE, COMMUNITY)
    with psycopg.connect(moved_late.admin_url) as writer:
        writer.execute("update metrics set spend = spend where day = '2026-01-31'")
        with pytest.raises(Unavailable, match="stop the syncs or try again"):
            migrate.move_to_timescale(moved_late.admin_url)
    migrate.move_to_timescale(moved_late.admin_url)
    assert edition(moved_late) != PLAIN


def test_a_schema_that_is_too_old_is_told_to_upgrade(empty_database):
    migrate.upgrade(empty_database.admin_url, "0009")
    with pytest.raises(ConfigurationError, match="adloom db upgrade"):
        migrate.move_to_timescale(empty_database.admin_url)


def test_a_short_period_reads_few_chunks(moved_late, postgres):
    need(postgres, APACHE, COMMUNITY)
    migrate.move_to_timescale(moved_late.admin_url)
    with psycopg.connect(moved_late.url("dashboard")) as connection:
        plan = connection.execute(
            "explain select sum(spend) from visible_metrics"
            " where level = 'ad' and account_id = 1 and day between '2025-06-02' and '2025-06-08'"
        ).fetchall()
    assert 1 <= sum(" on _hyper_" in line or " on compress_hyper_" in line for (line,) in plan) <= 2


def test_one_row_of_each_organisation_comes_through_the_move(empty_database, postgres):
    need(postgres, APACHE, COMMUNITY)
    migrate.upgrade(empty_database.admin_url)
    with psycopg.connect(empty_database.admin_url) as connection:
        orgs = fill(connection)
    for org in orgs:
        with psycopg.connect(empty_database.url("dashboard")) as connection:
            connection.execute("select set_config('app.org_id', %s, false)", (str(org),))
            connection.execute("select set_config('app.account_scope', '*', false)")
            for relation in ("visible_metrics", "visible_weekly", "visible_monthly"):
                assert connection.execute(f"select org_id from {relation}").fetchall() == [(org,)], relation


def test_an_older_schema_is_seen_as_such(empty_database):
    with connected(empty_database.admin_url):
        assert not offered(empty_database).is_ready
