"""What is backed up comes back whole, into an empty server."""

from __future__ import annotations

import tarfile
import threading
import zlib
from io import BytesIO
from typing import Self

import psycopg
import pyrage
import pytest

from adloom.backup import read
from adloom.db import migrate
from adloom.errors import ConfigurationError, Conflict
from infra.local.stack import Stack
from tests.conftest import Postgres
from tests.integration.backup_rig import Rig, contents, execute, fetch, new_database, objects
from tests.rows import fill

# What a copy in text could trip over.
NASTY = [
    "\\N",
    "",
    "a\tb\nc\r\nd\\e",
    "\\.",
    "ünïcödé \U0001f600",
    "'; drop table users; --",
    "\x01\x7f",
    "x" * 100_000,
]


SECURED = [
    "create table hidden (n int)",
    "alter table hidden enable row level security",
    "grant select on hidden to adloom_backup",
]


@pytest.fixture(scope="module")
def rig(postgres, s3, tmp_path_factory):
    """A database with a row in every table, and objects, for tests that only read them."""
    return filled(postgres, s3, tmp_path_factory.mktemp("backups"))


@pytest.fixture
def own(empty_database, s3, tmp_path):
    """The same for one test."""
    migrate.upgrade(empty_database.admin_url)
    return filled(empty_database, s3, tmp_path)


def filled(database, s3, folder):
    with psycopg.connect(database.admin_url) as connection:
        first, _ = fill(connection)
        for number, text in enumerate(NASTY):
            budget = "0.10" if number % 2 else "123456789012345678901234567890.0000001"
            connection.execute(
                "insert into entities (account_id, org_id, level, external_id, name, status, daily_budget,"
                " first_seen_at, run_id)"
                " values (1, %s, 'ad', %s, %s, 'active', %s, '2026-03-29 01:59:59.123456+00', 1)",
                (first, f"nasty-{number}", text, budget),
            )
        connection.execute("select setval(pg_get_serial_sequence('outbox', 'position'), 4711)")
    rig = Rig(database, s3, folder)
    rig.storage.put("reports/a b/ü.pdf", bytes(range(256)) * 5000)
    rig.storage.put("reports/empty", b"")
    return rig


@pytest.fixture
def target(postgres_stack):
    with new_database(postgres_stack) as database:
        yield database


def test_a_restore_gives_back_every_row_and_every_object(rig, target):
    before = contents(rig.postgres)
    assert {name for name, rows in before.items() if not rows} == set(), "tests/rows.py has a row for every table"
    made, storage = rig.make(), rig.new_storage()
    rig.restore(made.path, target, storage)
    assert contents(target) == before
    assert objects(storage) == objects(rig.storage)
    assert made.objects == len(objects(storage)) == 2
    assert made.rows["public.entities"] == len(before["entities"])


def test_a_restored_database_is_as_guarded_as_before(rig, target):
    rig.restore(rig.make().path, target, rig.new_storage())
    guarded = (
        "select relname, relrowsecurity, relforcerowsecurity, relowner::regrole::text, relacl::text"
        " from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S') order by 1"
    )
    triggers = "select tgname, tgenabled, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 3"
    for question in (guarded, triggers):
        assert fetch(target.admin_url, question) == fetch(rig.postgres.admin_url, question) != []


def test_an_administrator_who_is_no_superuser_restores_as_well(rig, tmp_path):
    """As hosted databases have them: such a one obeys forced row security, on tables of its own too."""
    with Stack(tmp_path / "other", parts=["postgres"]) as other:
        server, there = Postgres(other, "postgres"), Postgres(other, "restored")
        execute(server.admin_url, "create role ops login createrole createdb password 'secret'")
        url = f"postgresql://ops:secret@127.0.0.1:{other.port('postgres')}/restored"
        made = rig.make()
        rig.restore(made.path, there, rig.new_storage(), url=url)
        assert contents(there) == contents(rig.postgres)
        with pytest.raises(Conflict, match="not empty"):
            rig.restore(made.path, there, rig.new_storage(), url=url)


def test_triggers_of_the_new_server_do_not_add_to_the_rows_and_are_there_afterwards(rig, target):
    """As TimescaleDB's Community edition has them, where sums are stored: what is restored is in no sum yet."""
    target.create()
    migrate.upgrade(target.admin_url)
    execute(
        target.admin_url,
        "create or replace function sums_are_stored() returns boolean language sql stable as 'select true'",
        """create function multiply() returns trigger language plpgsql as $$ begin
           insert into inbox (function, event_id, org_id) values ('trigger', gen_random_uuid(), new.org_id);
           return new; end $$""",
        "create trigger multiply before insert on metrics for each row execute function multiply()",
    )
    rig.restore(rig.make().path, target, rig.new_storage())
    assert contents(target)["inbox"] == contents(rig.postgres)["inbox"]
    assert fetch(target.admin_url, "select tgrelid::regclass::text from pg_trigger where tgname = 'multiply'") != []
    marked = "select distinct account_id, grain from metrics_marks where marked_at = 'epoch' order by 1, 2"
    assert fetch(target.admin_url, marked) == [(1, "month"), (1, "week"), (2, "month"), (2, "week")]


def test_login_roles_get_their_passwords(rig, target, postgres_stack):
    changed = {"adloom_cli": "another"}
    try:
        rig.restore(rig.make().path, target, rig.new_storage(), passwords=changed)
        with psycopg.connect(target.url("cli").replace(postgres_password(target.url("cli")), "another")) as connection:
            assert connection.execute("select count(*) from users").fetchone() == (0,)
    finally:
        migrate.set_passwords(target.admin_url, {"adloom_cli": postgres_password(target.url("cli"))})


def postgres_password(url: str) -> str:
    return url.partition("://")[2].partition("@")[0].partition(":")[2]


def test_a_second_backup_of_a_restored_database_has_the_same_sums(rig, target):
    first, storage = rig.make(), rig.new_storage()
    whole = rig.restore(first.path, target, storage)
    again = rig.make(storage, url=target.url("backup"))
    found = read.walk(again.path, [rig.identity], read.Looking())
    assert (found.manifest.objects, found.manifest.sequences) == (whole.manifest.objects, whole.manifest.sequences)
    compared = {table for table in whole.manifest.tables if table.removeprefix("public.") in contents(target)}
    assert len(compared) >= len(whole.manifest.tables) - 1
    assert {table: found.manifest.tables[table] for table in compared} == {
        table: whole.manifest.tables[table] for table in compared
    }


def test_a_new_table_is_in_the_next_backup_by_itself(own):
    """Its computed columns are not: they are computed again."""
    execute(
        own.postgres.admin_url,
        "set role adloom_owner",
        "create table novelties (org_id uuid primary key, twice int generated always as (n * 2) stored, n int)",
        "call isolate('novelties', false)",
        "reset role",
        "insert into novelties (org_id, n) select gen_random_uuid(), 21",
    )
    assert own.make().rows["public.novelties"] == 1


@pytest.mark.parametrize(
    "statements",
    [
        ["create table hidden (n int)"],
        SECURED,
        [
            "create table hidden (org_id uuid)",
            "call isolate('hidden', false)",
            "create policy narrow on hidden as restrictive using (org_id is not null)",
        ],
        [
            *SECURED,
            "create policy narrow on hidden for select to adloom_backup using (n > 0)",
        ],
    ],
    ids=["no grant", "no policy", "a narrowing policy", "a policy for some rows"],
)
def test_a_table_that_cannot_be_read_whole_stops_the_backup(own, statements):
    execute(own.postgres.admin_url, "set role adloom_owner", *statements)
    with pytest.raises(ConfigurationError, match=r"cannot read all of public\.hidden"):
        own.make()
    assert [*own.folder.rglob("*adloom-*")] == []


def test_tables_that_refer_to_each_other_stop_the_backup(own):
    execute(
        own.postgres.admin_url,
        "set role adloom_owner",
        "create table hens (org_id uuid, id int primary key)",
        "create table eggs (org_id uuid, id int primary key references hens)",
        "alter table hens add foreign key (id) references eggs",
        "call isolate('hens', false)",
        "call isolate('eggs', false)",
    )
    with pytest.raises(ConfigurationError, match=r"public\.(hens|eggs).*refer to each other"):
        own.make()


def test_the_role_of_backups_writes_nothing(rig):
    with psycopg.connect(rig.postgres.url("backup")) as connection:
        for statement in ("insert into organisations values (gen_random_uuid(), 'x')", "delete from metrics"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()


def test_amid_a_storm_of_writes_the_backup_is_one_moment(own, target):
    """Money moves between two rows, and pairs of rows that refer to each other come into being, all the while."""
    execute(
        own.postgres.admin_url,
        "insert into metrics (account_id, org_id, level, entity_id, day, spend, valid_from, run_id)"
        " select 1, org_id, 'ad', 'bulk-' || n, '2026-01-01', 1, now(), 1"
        " from generate_series(1, 60000) n, (select org_id from ad_accounts where account_id = 1) a",
        "update metrics set spend = 1000 where entity_id = 'x'",
    )
    storm = Storm(own.postgres.admin_url)
    with storm:
        before = storm.wait_for_more()
        made = own.make()
        after = storm.commits
    assert after - before > 10, "it was written while the backup was made"
    own.restore(made.path, target, own.new_storage())
    total = "select sum(spend), count(*) from metrics where entity_id = 'x'"
    assert fetch(target.admin_url, total) == [(2000, 2)]
    apart = """
    select count(*) from organisations o full join users u on u.user_id = o.org_id
     where o.org_id is null or u.user_id is null
    """
    assert fetch(target.admin_url, apart) == [(0,)]
    assert fetch(target.admin_url, "select count(*) from users") != fetch(
        own.postgres.admin_url, "select count(*) from users"
    )


class Storm:
    """Transactions that each leave the sums as they were."""

    STEP = (
        "update metrics set spend = spend - 1 where entity_id = 'x' and account_id = 1",
        """with o as (insert into organisations values (gen_random_uuid(), 'storm') returning org_id)
           insert into users (user_id, org_id, email, name) select org_id, org_id, org_id || '@x.org', 'x' from o""",
        "update metrics set spend = spend + 1 where entity_id = 'x' and account_id = 2",
    )

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._blow)
        self.commits = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for_more(self) -> int:
        with self._more:
            assert self._more.wait_for(lambda: self.commits > 0, timeout=20)
            return self.commits

    def _blow(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("set synchronous_commit = off")
            while not self._stop.is_set():
                with connection.transaction():
                    for statement in self.STEP:
                        connection.execute(statement)
                with self._more:
                    self.commits += 1
                    self._more.notify_all()


def test_a_backup_of_an_older_migration_is_brought_up_to_date(own, target):
    older = migrate.revisions()[-2]
    execute(own.postgres.admin_url, "truncate organisations cascade")
    migrate.downgrade(own.postgres.admin_url, older)
    execute(own.postgres.admin_url, "insert into organisations values (gen_random_uuid(), 'Old')")
    made = own.make()
    target.create()
    migrate.upgrade(target.admin_url)
    whole = own.restore(made.path, target, own.new_storage())
    assert whole.header.revision == older
    assert fetch(target.admin_url, "select version_num from alembic_version") == [(migrate.revisions()[-1],)]
    assert fetch(target.admin_url, "select name from organisations") == [("Old",)]


def test_a_backup_opens_without_adloom(rig):
    """age, gzip and tar are all it takes."""
    plain = pyrage.decrypt(rig.make().path.read_bytes(), [rig.identity])
    with tarfile.open(fileobj=BytesIO(zlib.decompress(plain, 31))) as tar:
        names = tar.getnames()
        assert (names[0], names[-1]) == ("header.json", "manifest.json")
        organisations = tar.extractfile("tables/public.organisations/000001")
        assert organisations is not None
        assert organisations.read().count(b"\n") == 2


def test_no_key_is_in_a_backup(rig):
    plain = zlib.decompress(pyrage.decrypt(rig.make().path.read_bytes(), [rig.identity]), 31)
    assert b"token-ring" in plain
    assert rig.ring.encode() not in plain
    assert rig.ring.encode()[:16] not in plain


def test_what_is_removed_from_the_bucket_meanwhile_is_left_out(own):
    storage = own.storage

    class Removing(type(storage)):
        def __init__(self) -> None:
            self.__dict__ = storage.__dict__

        def objects(self):
            for one in list(super().objects()):
                if one.key == "reports/empty":
                    self._client.delete_object(Bucket=self._bucket, Key=one.key)
                yield one

    made = own.make(Removing())
    assert made.objects == 1
    read.walk(made.path, [own.identity], read.Looking())
