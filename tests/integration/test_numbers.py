"""From the platform's protocol to the export: every cell, once, proved, and without a trace of the token."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from adloom.cli.__main__ import adloom
from infra.local.postgres import binary
from infra.local.stack import Stack
from infra.local.verify import Comparison, Span, compare, judge, reconcile, sync_and_export
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from tests.facts import write_folder

# One stored row of a level, the same one each time.
FIRST = (
    "(level, entity_id, day) ="
    " (select level, entity_id, day from metrics where level = %s order by entity_id, day limit 1)"
)
FACTS = Path(__file__).resolve().parents[1] / "data" / "meta_90_days"
# A hypertable's rows lie in its chunks.
COUNTERS = """
select case when relname like '\\_hyper\\_%' then 'metrics' else relname end as name,
       sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint
  from pg_stat_user_tables
 where relname in ('metrics', 'entities', 'entity_changes', 'restatements', 'ad_accounts')
    or relname like '\\_hyper\\_%'
 group by 1 order by 1
"""


@pytest.fixture(scope="module")
def span() -> Span:
    return Span.of(FACTS)


@pytest.fixture(scope="module")
def stack(tmp_path_factory, span) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("numbers") / "home", facts=FACTS, clock=span.clock, rate=0) as running:
        yield running


@pytest.fixture(scope="module")
def exports(stack, span, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("exports")
    sync_and_export(stack, span, target)
    return target


@pytest.fixture
def command(stack, exports, monkeypatch):
    """`command("sync", "status")` runs the command line in this process."""
    for name in [name for name in os.environ if name.startswith("ADLOOM_")]:
        monkeypatch.delenv(name)
    for name, value in stack.env("cli").items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(adloom, arguments)

    return run


@pytest.fixture
def admin(stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.secret("admin", "admin-database-url"), autocommit=True) as connection:
        yield connection


def test_every_cell_of_a_known_folder_is_stored_once(exports, span):
    comparison = compare(exports, FACTS, span.clock)
    assert comparison.compared > 50_000
    assert comparison.differing == 0


def test_the_total_is_the_one_the_folder_is_known_for(exports):
    truth = json.loads((FACTS / "truth.json").read_text(encoding="utf-8"))["by_platform"]["meta"]
    with (exports / "account.csv").open(encoding="utf-8") as file:
        spend = sum(round(float(row["spend"]) * 100) for row in csv.DictReader(file))
    assert spend == int(truth["spend"].replace(".", ""))


def test_the_comparison_sees_a_cell_that_differs(exports, span, tmp_path):
    for path in exports.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        if path.name == "ad.csv":
            text = text.replace("254.23", "254.24", 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    assert compare(tmp_path, FACTS, span.clock).differing == 1


def test_a_second_sync_writes_no_row_of_facts_or_entities(stack, command, admin, span):
    before = counters(admin)
    done = command("--json", "sync", "run", "--since", str(span.first), "--until", str(span.last), "--wait")
    assert done.exit_code == 0, done.output
    after = counters(admin)
    assert before["metrics"] > 0
    assert after | {"ad_accounts": 0} == before | {"ad_accounts": 0}
    runs = admin.execute("select sum(rows_read), count(*) from sync_runs where outcome = 'succeeded'").fetchone()
    assert runs is not None
    assert runs[0] > 2 * 4500, "the second sync did read"


def counters(admin: psycopg.Connection) -> dict[str, int]:
    """Rows ever written, by Postgres's own count, which lags until the writers have told it."""
    admin.execute("select pg_stat_force_next_flush()")
    admin.execute("select pg_sleep(1.5)")
    return dict(admin.execute(COUNTERS).fetchall())


def test_a_sync_of_one_day_shows_in_the_status(command, span):
    planned = command("--json", "sync", "run", "--since", str(span.last), "--until", str(span.last))
    assert [item["windows"] for item in json.loads(planned.stdout)["planned"]] == [1]
    (status,) = json.loads(command("--json", "sync", "status").stdout)
    assert (status["currency"], status["timezone"], status["error_code"]) == ("INR", "Asia/Kolkata", None)
    assert status["last_run"]["outcome"] == "succeeded"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--account", "999"), "999"),
        (("--since", "1999-01-01", "--until", "1999-01-02"), "no days between 1999-01-01 and 1999-01-02"),
    ],
)
def test_a_sync_that_makes_no_sense_says_why(command, arguments, words):
    done = command("sync", "run", *arguments)
    assert done.exit_code != 0
    assert re.search(words, str(done.exception)), done.exception


def test_an_altered_cell_fails_the_reconciliation(command, admin):
    assert command("reconcile").exit_code == 0
    for level in ("account", "campaign", "ad_group", "ad"):
        change = "update metrics set spend = spend {} 0.01 where " + FIRST
        admin.execute(change.format("+"), (level,))
        refused = command("--json", "reconcile")
        admin.execute(change.format("-"), (level,))
        assert refused.exit_code == 1
        differences = json.loads(refused.stdout)["differences"]
        assert [(one["level"], one["measure"]) for one in differences] == [(level, "spend")]
    assert command("reconcile").exit_code == 0


def test_a_vanished_row_fails_the_reconciliation(command, admin):
    admin.execute("create table kept as select * from metrics where " + FIRST, ("ad",))
    admin.execute("delete from metrics where " + FIRST, ("ad",))
    assert command("reconcile").exit_code == 1
    admin.execute("insert into metrics select * from kept")
    admin.execute("drop table kept")
    assert command("reconcile").exit_code == 0


def test_the_token_occurs_in_no_log_and_no_dump(stack, exports, admin):
    ciphertext = admin.execute("select ciphertext from connection_tokens").fetchone()
    assert ciphertext is not None
    token = Fernet(stack.secret("sync-meta", "token-ring")).decrypt(bytes(ciphertext[0])).decode()
    assert len(token) > 20
    url = stack.secret("admin", "admin-database-url")
    dump = subprocess.run([binary("pg_dump"), url], capture_output=True, check=True).stdout
    assert b"connection_tokens" in dump
    assert token.encode() not in dump
    logs = {path.name: path.read_bytes() for path in stack.home.logs.iterdir()}
    assert {"sync-meta.log", "oauth-callback.log", "sandbox.log", "caddy.log", "connector.log"} <= logs.keys()
    assert [name for name, text in logs.items() if token.encode() in text] == []
    assert token.encode() not in (stack.home.path / "run.json").read_bytes()


def test_the_export_of_one_account_and_day_is_exact(command):
    done = command("export", "metrics", "--level", "account", "--since", "2025-01-01", "--until", "2025-01-01")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["date"], row["currency"]) == ("2025-01-01", "INR")
    assert (row["spend"], row["impressions"]) == ("21427.75", "11411336")


def test_people_are_made_from_the_command_line(command, stack):
    ana = ("user", "create", "ana@example.com", "--name", "Ana", "--password", "a long pass phrase")
    done = command(*ana, "--role", "editor")
    assert done.exit_code == 0, done.exception
    again = command(*ana)
    assert "already" in str(again.exception)


def test_there_are_no_dead_letters_and_none_to_replay(command):
    assert command("events", "dead").exit_code == 0
    assert command("events", "replay", "7").exit_code != 0
    assert command("events", "replay").exit_code == 2


def test_the_sandbox_clock_is_shown(command, span):
    assert command("sandbox", "clock").stdout.strip() == span.clock.isoformat(timespec="seconds")


def test_a_sync_that_ends_before_it_begins_is_wrong_usage(command):
    assert command("sync", "run", "--since", "2025-02-02", "--until", "2025-02-01").exit_code == 2


@contextmanager
def synced(folder: Path, home: Path) -> Iterator[tuple[Stack, Comparison]]:
    """A throwaway stack that has synced and exported a folder, and what was exported against it."""
    span = Span.of(folder)
    with Stack(home, facts=folder, clock=span.clock, rate=0) as running:
        sync_and_export(running, span, home)
        yield running, compare(home, folder, span.clock)


def test_an_awkward_folder_is_stored_to_the_last_cell(tmp_path):
    folder = write_folder(tmp_path / "facts", 1, days=25, ads=45, last=date(2026, 4, 5))
    with synced(folder, tmp_path / "home") as (_running, comparison):
        assert comparison.compared > 5_000
        assert comparison.differing == 0


def test_three_platforms_are_stored_to_the_last_cell_and_each_is_asked_for_its_own(tmp_path, monkeypatch, capsys):
    acceptance.write(tmp_path / "facts", 2, Size(accounts=6, ads=45, days=25, until=date(2026, 4, 5)))
    with synced(tmp_path / "facts", tmp_path / "home") as (running, comparison):
        assert comparison.compared > 5_000
        assert comparison.differing == 0
        for name, value in running.env("cli").items():
            monkeypatch.setenv(name, value)
        assert_exactly_the_planted_are_named(running, tmp_path / "home", tmp_path / "facts", capsys)
        accounts = json.loads(_run("--json", "sync", "status").stdout)
        assert Counter(one["platform"] for one in accounts) == {"google": 2, "meta": 2, "tiktok": 2}
        named = [one["account"] for one in accounts[::3]]
        some = _run("--json", "sync", "run", *(word for name in named for word in ("--account", name)))
        assert sorted(one["external_id"] for one in json.loads(some.stdout)["planned"]) == sorted(named)
        unknown = _run("sync", "run", "--account", named[1], "--account", "999")
        assert (unknown.exit_code, "999" in str(unknown.exception)) == (1, True)


def assert_exactly_the_planted_are_named(
    running: Stack, exports: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `make verify` says it: not when one that was planted is not named, nor when another is."""
    clock = Span.of(folder).clock
    cells = json.loads((folder / acceptance.PLANTED_FILE).read_text(encoding="utf-8"))
    assert {one["platform"] for one in cells} == {"google", "meta", "tiktok"}
    count = sum(len(one["metrics"]) for one in cells)
    reconcile(running, exports)
    assert judge(exports, folder, clock)
    assert f"150 account-days reconciled, {count} differences planted, all named, no other" in capsys.readouterr().out
    one_more = f"update metrics set clicks = clicks + 1 where {FIRST}"
    with psycopg.connect(running.secret("admin", "admin-database-url"), autocommit=True) as admin:
        admin.execute(one_more, ("ad",))
        reconcile(running, exports)
        admin.execute(one_more.replace("+", "-"), ("ad",))
    assert not judge(exports, folder, clock)
    assert f"{count} differences planted, all named, 1 other" in capsys.readouterr().out
    reconcile(running, exports)
    (folder / acceptance.PLANTED_FILE).write_text(json.dumps([*cells, cells[0] | {"date": "2026-04-01"}]))
    assert not judge(exports, folder, clock)
    more = len(cells[0]["metrics"])
    assert f"{count + more} differences planted, {more} not named, no other" in capsys.readouterr().out
    (folder / acceptance.PLANTED_FILE).write_text(json.dumps(cells))
    assert judge(exports, folder, clock)


def _run(*words: str) -> Result:
    return CliRunner().invoke(adloom, words)
