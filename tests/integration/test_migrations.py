"""Migrations go up, down and up again, on an empty and on a filled database, and never wait for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from adloom.db import migrate
from tests.rows import fill

CATALOGUE = """
select 'column', table_name::text, column_name::text, data_type::text, coalesce(column_default, ''), is_nullable::text
  from information_schema.columns where table_schema = 'public'
union all
select 'index', tablename, indexname, indexdef, '', '' from pg_indexes where schemaname = 'public'
union all
select 'policy', tablename, policyname, coalesce(qual, ''), coalesce(with_check, ''), roles::text from pg_policies
union all
select 'grant', table_name, grantee, privilege_type, '', '' from information_schema.role_table_grants
 where table_schema = 'public'
union all
select 'function', proname, pg_get_functiondef(p.oid), proowner::regrole::text, coalesce(proacl::text, ''), ''
  from pg_proc p where pronamespace = 'public'::regnamespace and prokind in ('f', 'p')
   -- What an extension brought stays with the database.
   and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
order by 1, 2, 3, 4, 5
"""


def catalogue(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return [row for row in connection.execute(CATALOGUE) if row[1] != "alembic_version"]


@pytest.mark.parametrize("filled", [False, True])
def test_migrations_go_up_down_and_up_again(empty_database, filled):
    url = empty_database.admin_url
    migrate.upgrade(url)
    first = catalogue(url)
    if filled:
        with psycopg.connect(url) as connection:
            fill(connection)
    migrate.downgrade(url)
    assert catalogue(url) == []
    migrate.upgrade(url)
    assert catalogue(url) == first


def test_each_single_step_can_be_taken_down_and_up_again(empty_database):
    url = empty_database.admin_url
    migrate.upgrade(url)
    whole = catalogue(url)
    for _ in revisions(url):
        migrate.downgrade(url, "-1")
        migrate.upgrade(url, "+1")
        migrate.downgrade(url, "-1")
    assert catalogue(url) == []
    migrate.upgrade(url)
    assert catalogue(url) == whole


def revisions(url: str) -> list[str]:
    return sorted(path.stem for path in (migrate.MIGRATIONS / "versions").glob("0*.py"))


def test_three_migrators_at_once_leave_one_good_schema(empty_database):
    url = empty_database.admin_url
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(migrate.upgrade, url) for _ in range(3)]:
            done.result()
    assert catalogue(url)


def test_a_migration_that_cannot_get_its_lock_fails_instead_of_blocking_everybody(empty_database):
    url = empty_database.admin_url
    migrate.upgrade(url)
    with psycopg.connect(url) as holder:
        holder.execute("lock table outbox in access share mode")
        outcome: list[BaseException] = []

        def attempt() -> None:
            try:
                migrate.downgrade(url)
            except Exception as error:  # noqa: BLE001 - which one is asserted below
                outcome.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
    assert "LockNotAvailable" in repr(outcome[0])
    assert catalogue(url), "the failed step was rolled back"


def test_only_who_needs_platform_tokens_reads_their_ciphertext(postgres):
    with psycopg.connect(postgres.admin_url) as connection:
        readers = [
            role
            for role in migrate.LOGIN_ROLES
            if connection.execute(
                "select has_any_column_privilege(%s, 'connection_tokens', 'select')", (role,)
            ).fetchone()
            == (True,)
        ]
        hashes = [
            role
            for role in migrate.LOGIN_ROLES
            if connection.execute(
                "select has_any_column_privilege(%s, 'user_credentials', 'select')", (role,)
            ).fetchone()
            == (True,)
        ]
    syncs = ["adloom_sync_google", "adloom_sync_meta", "adloom_sync_tiktok"]
    assert readers == ["adloom_oauth_callback", *syncs, "adloom_backup"]
    assert hashes == ["adloom_auth", "adloom_backup"]
