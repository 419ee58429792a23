"""`adloom explain`, `adloom rates` and what an export may be asked for."""

from __future__ import annotations

import csv
import io
import json
import os
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from adloom.cli.__main__ import adloom
from adloom.metrics.export import COLUMNS
from tests.conftest import Postgres
from tests.integration.cast import MakeOrganisation
from tests.integration.sync_rig import business_clock

Command = Callable[..., Result]
EXPORT = ("export", "metrics", "--level", "campaign", "--since", "2026-03-01", "--until", "2026-03-01")


@pytest.fixture
def command(
    postgres: Postgres,
    make_organisation: MakeOrganisation,
    make_account: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Command]:
    """Runs the command line for an organisation with a row of dollars that was 10.00 once, and of dinars."""
    for name in [name for name in os.environ if name.startswith("ADLOOM_")]:
        monkeypatch.delenv(name)
    told = {
        "DATABASE_URL": postgres.url("cli"),
        "PUBLIC_URL": "http://127.0.0.1:1",
        "GATEWAY_URL": "http://127.0.0.1:1",
    }
    for name, value in {**told, "OPERATOR_KEY": "none", "SECRETS_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"ADLOOM_{name}", value)
    org = make_organisation(uuid.uuid4().hex)
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        for external_id, currency in (("usd", "USD"), ("kwd", "KWD")):
            fill(admin, org, make_account(org, external_id, currency, "America/New_York"), currency)
    with business_clock(tmp_path / "clock", "2026-03-20T12:00:00+00:00"):
        yield lambda *arguments: CliRunner().invoke(adloom, ("--org", str(org), *arguments))


def fill(admin: psycopg.Connection, org: uuid.UUID, account: int, currency: str) -> None:
    runs = [
        admin.execute(
            "insert into sync_runs (org_id, account_id, kind, since, until, api_version, query, attribution, timezone,"
            " currency, started_at, fetched_at, business_at, outcome) values (%s, %s, 'metrics', '2026-03-01',"
            " '2026-03-07', %s, '{\"campaign\": {\"fields\": \"spend\"}}', '7d_click', 'America/New_York', %s, %s, %s,"
            " %s, 'succeeded') returning run_id",
            (org, account, version, currency, *[at] * 3),
        ).fetchone()[0]  # type: ignore[index]
        for version, at in (("v25.0", "2026-03-02T00:00Z"), ("v26.0", "2026-03-09T00:00Z"))
    ]
    row = (account, org, "campaign", "c1", "2026-03-01")
    admin.execute(
        "insert into restatements (account_id, org_id, level, entity_id, day, spend, valid_from, valid_to, run_id,"
        " replaced_by_run_id) values (%s, %s, %s, %s, %s, 10.00, '2026-03-02T00:00Z', '2026-03-09T00:00Z', %s, %s)",
        (*row, *runs),
    )
    admin.execute(
        "insert into metrics (account_id, org_id, level, entity_id, day, spend, conversions, valid_from, run_id)"
        " values (%s, %s, %s, %s, %s, 12.50, 3, '2026-03-09T00:00Z', %s)",
        (*row, runs[1]),
    )


@pytest.fixture
def dollars(postgres: Postgres) -> Iterator[None]:
    """A rate of the dollar."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute("insert into rates values ('2026-02-27', 'USD', 1.25, 'ecb', '2026-02-28')")
        yield
        admin.execute("delete from rates")


def test_a_number_is_explained_in_words(command: Command) -> None:
    done = command("explain", "usd", "campaign", "c1", "2026-03-01")
    assert done.exit_code == 0, done.exception
    for words in ("The day may still move.", "v26.0", "v25.0", "America/New_York", "USD", "7d_click", "spend 10.00"):
        assert words in done.stdout, words


def test_a_number_is_explained_as_json(command: Command) -> None:
    found = json.loads(command("--json", "explain", "usd", "campaign", "c1", "2026-03-01").stdout)
    assert [version["source"]["api_version"] for version in found["versions"]] == ["v26.0", "v25.0"]
    assert found["versions"][0]["numbers"]["spend"] == "12.50"
    assert found["versions"][0]["source"]["query"] == {"fields": "spend"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("usd", "campaign", "c9", "2026-03-01"), "campaign c9"),
        (("eur", "campaign", "c1", "2026-03-01"), "no ad account eur"),
        (("usd", "campaign", "c\udcff", "2026-03-01"), "campaign c?"),  # as a shell hands over a byte that is no text
    ],
)
def test_what_is_not_there_is_not_explained(command: Command, arguments: tuple[str, ...], words: str) -> None:
    done = command("explain", *arguments)
    assert done.exit_code != 0
    assert words in str(done.exception)


def test_an_export_has_the_columns_that_were_asked_for_and_no_others(command: Command) -> None:
    plain = command(*EXPORT)
    assert plain.stdout.splitlines()[0] == ",".join(COLUMNS)
    told = list(csv.DictReader(io.StringIO(command(*EXPORT, "--provisional", "--provenance").stdout)))
    assert {row["provisional"] for row in told} == {"true"}
    assert {row["api_version"] for row in told} == {"v26.0"}
    as_json = json.loads(command(*EXPORT, "--provisional", "--provenance", "--format", "json").stdout)
    assert as_json == told


def test_the_status_says_from_which_day_on_numbers_may_still_move(command: Command) -> None:
    status = json.loads(command("--json", "sync", "status").stdout)
    assert {account["provisional_since"] for account in status} == {"2026-02-20"}


@pytest.mark.usefixtures("dollars")
def test_an_export_in_a_currency_keeps_lines_that_have_no_rate(command: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(command(*EXPORT, "--currency", "EUR").stdout)))
    assert {row["account_id"]: (row["currency"], Decimal(row["spend"])) for row in rows} == {
        "usd": ("EUR", Decimal(10)), "kwd": ("KWD", Decimal("12.5")),
    }  # fmt: skip
    before = list(csv.DictReader(io.StringIO(command(*EXPORT, "--currency", "EUR", "--as-of", "2026-03-05").stdout)))
    assert {row["currency"]: Decimal(row["spend"]) for row in before} == {"EUR": Decimal(8), "KWD": Decimal(10)}


@pytest.mark.usefixtures("dollars")
def test_a_currency_without_any_rate_is_refused_with_those_that_have(command: Command) -> None:
    done = command(*EXPORT, "--currency", "KWD")
    assert done.exit_code != 0
    assert "EUR, USD" in str(done.exception)


@pytest.mark.usefixtures("dollars")
def test_the_rates_that_there_are_can_be_asked_for(command: Command) -> None:
    found = json.loads(command("--json", "rates").stdout)
    assert (found["currencies"], found["first"], found["sources"]) == (["USD"], "2026-02-27", ["ecb"])
    assert "2026-02-27" in command("rates").stdout


def test_without_rates_that_is_said(command: Command) -> None:
    assert "none" in command("rates").stdout
    assert "no rates were loaded yet" in str(command(*EXPORT, "--currency", "USD").exception)
