"""Exchange rates: loaded from a bank that is away at times, and amounts in a reporting currency."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from werkzeug.serving import make_server
from werkzeug.utils import redirect

from adloom import clock
from adloom.db import Database
from adloom.metrics import rates
from adloom.metrics.ecb import RatesError
from adloom.metrics.query import Filters, Period, Query, Row, run
from infra.sandbox.facts import columns
from infra.sandbox.google import tls
from tests.conftest import Postgres
from tests.integration.cast import Connect, MakeOrganisation
from tests.integration.sync_rig import sandbox_on
from tests.unit.sandbox.support import Sandbox, fact, facts, write

# Wednesday evening in Frankfurt.
NOW = "2026-03-04T18:00:00+00:00"
# Friday, Monday (corrected by the bank), Wednesday; Kuwait's dinar has no rate, as in life.
RATES = [
    {"date": "2026-02-27", "currency": "USD", "per_eur": "1.10"},
    {"date": "2026-02-27", "currency": "JPY", "per_eur": "160"},
    {"date": "2026-03-02", "currency": "USD", "per_eur": "1.25"},
    {"date": "2026-03-02", "currency": "JPY", "per_eur": "150"},
    {"date": "2026-03-04", "currency": "USD", "per_eur": "1.20"},
]


@dataclass
class Bank:
    """The sandbox's bank, this process's business clock, and the database that rates are loaded into."""

    sandbox: Sandbox
    folder: Path
    clock_file: Path
    sync: Database
    admin: psycopg.Connection
    before: int = 0

    @property
    def url(self) -> str:
        return f"{self.sandbox.url}/stats/eurofxref"

    def tick(self) -> bool:
        return rates.tick(self.sync, self.url)

    def at(self, now: str) -> None:
        clock.move(self.clock_file, datetime.fromisoformat(now), 0)

    def publishes(self, *rows: dict[str, str]) -> None:
        write(self.folder, columns.RATES_FILE, list(rows))
        self.sandbox.control("POST", "reload")

    def known(self) -> rates.Known:
        with self.sync.system() as connection:
            return rates.known(connection)

    def present(self) -> set[tuple[str, str, str]]:
        rows = self.admin.execute("select day::text, currency, per_eur::text from rates where valid_to = 'infinity'")
        return {(row[0], row[1], row[2]) for row in rows}

    def asked(self) -> list[str]:
        """The files that were asked for."""
        log = self.sandbox.control("GET", "requests")["requests"]
        return [entry["path"].rsplit("/", 1)[-1] for entry in log if "eurofxref" in entry["path"]][self.before :]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path, Path]]:
    home = tmp_path_factory.mktemp("bank")
    folder = facts(home / "facts", fact())
    with sandbox_on(folder, home, NOW) as (started, clock_file):
        yield started, folder, clock_file


@pytest.fixture
def bank(postgres: Postgres, connect: Connect, sandbox: tuple[Sandbox, Path, Path]) -> Iterator[Bank]:
    """A bank that nothing was asked of yet."""
    started, folder, clock_file = sandbox
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute("delete from rates")
        admin.execute("update rate_loads set next_due_at = null, tried_at = null, loaded_at = null, error = null")
        made = Bank(started, folder, clock_file, connect("sync-meta"), admin)
        made.at(NOW)
        started.faults()
        made.publishes(*RATES)
        made.before = len(made.asked())
        yield made


def said(rows: list[dict[str, str]]) -> set[tuple[str, str, str]]:
    return {(row["date"], row["currency"], row["per_eur"]) for row in rows}


# Loading


def test_one_tick_of_several_loads_what_the_bank_has_published(bank: Bank) -> None:
    assert [bank.tick(), bank.tick()] == [True, False]
    assert bank.present() == said(RATES)
    known = bank.known()
    assert (known.first, known.last, known.currencies) == (date(2026, 2, 27), date(2026, 3, 4), ("JPY", "USD"))
    assert (known.sources, known.error) == (("sandbox: facts",), None)


def test_rates_of_the_day_come_when_they_are_out(bank: Bank) -> None:
    bank.at("2026-03-04T09:00:00+00:00")
    bank.tick()
    assert ("2026-03-04", "USD", "1.20") not in bank.present()
    bank.at("2026-03-04T15:10:00+00:00")
    assert bank.tick()
    assert ("2026-03-04", "USD", "1.20") in bank.present()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html_502"},
        {"kind": "error", "status": 200, "body": "<html>Maintenance</html>"},
        {"kind": "error", "status": 404, "body": ""},
        {"kind": "truncate"},
    ],
    ids=["502", "page", "404", "half"],
)
def test_a_bank_that_fails_leaves_what_is_there_and_is_asked_again_soon(bank: Bank, fault: dict[str, object]) -> None:
    bank.tick()
    bank.publishes(*RATES[:-1], RATES[-1] | {"per_eur": "1.30"})
    bank.at("2026-03-05T09:00:00+00:00")
    bank.sandbox.faults({"match": {"path": "eurofxref"}, "fault": fault})
    assert bank.tick()
    assert bank.present() == said(RATES)
    assert bank.known().error
    assert not bank.tick()
    bank.at("2026-03-05T09:16:00+00:00")
    assert bank.tick()
    assert ("2026-03-04", "USD", "1.30") in bank.present()
    assert bank.known().error is None


def test_nobody_there_is_noted_and_raises_nothing(bank: Bank) -> None:
    assert rates.tick(bank.sync, "http://127.0.0.1:9")
    assert "ConnectError" in (bank.known().error or "")
    assert not rates.tick(bank.sync, None)


def test_a_password_in_the_address_is_told_to_nobody(bank: Bank) -> None:
    rates.tick(bank.sync, "http://reader:hidden@127.0.0.1:9/rates/all.zip?key=hidden-too")
    error = bank.known().error or ""
    assert "http://127.0.0.1:9/rates/all.zip could not be read" in error
    assert "hidden" not in error


def test_a_bank_with_a_certificate_may_not_send_us_to_an_address_without_one(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tls.authority(tmp_path)
    identity = tls.identity(tmp_path, "https://127.0.0.1")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes(identity.key)
    certificate.write_bytes(identity.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(known))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    there = redirect(f"{bank.url}/eurofxref-hist.zip")
    server = make_server("127.0.0.1", 0, there, ssl_context=(str(certificate), str(key)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(RatesError, match="without https"):
            rates.fetch(f"https://127.0.0.1:{server.server_port}/eurofxref-hist.zip")
    finally:
        server.shutdown()
        server.server_close()


def test_a_revised_rate_is_corrected_and_what_was_said_before_is_kept(bank: Bank) -> None:
    bank.tick()
    bank.publishes(*RATES[:2], RATES[2] | {"per_eur": "1.26"}, *RATES[3:])
    bank.at("2026-03-05T09:00:00+00:00")
    bank.tick()
    rows = bank.admin.execute(
        "select per_eur::text, valid_to = 'infinity' from rates where day = '2026-03-02' and currency = 'USD'"
        " order by valid_to"
    ).fetchall()
    assert rows == [("1.25", False), ("1.26", True)]


def test_a_file_that_lacks_a_day_takes_no_rate_away(bank: Bank) -> None:
    bank.tick()
    bank.publishes(RATES[0])
    bank.at("2026-03-05T09:00:00+00:00")
    bank.tick()
    assert bank.present() == said(RATES)


def test_a_clock_that_was_set_back_waits_for_no_time_that_never_comes(bank: Bank) -> None:
    bank.tick()
    bank.at("2026-03-01T12:00:00+00:00")
    assert bank.tick()


def test_only_the_recent_days_are_asked_for_once_all_are_there(bank: Bank) -> None:
    bank.admin.execute("insert into rates values ('2023-01-30', 'USD', 1.1, 'ecb', '2026-01-01')")
    bank.tick()
    assert bank.asked() == ["eurofxref-hist.zip"]
    bank.at("2026-03-05T09:00:00+00:00")
    bank.tick()
    assert bank.asked() == ["eurofxref-hist.zip", "eurofxref-hist-90d.xml"]


@pytest.mark.parametrize("file", ["eurofxref.zip", "eurofxref-daily.xml", "eurofxref-hist.xml", "eurofxref-hist.zip"])
def test_any_file_may_be_the_source(bank: Bank, file: str) -> None:
    found, source = rates.fetch(f"{bank.url}/{file}")
    assert {rate.per_eur for rate in found if rate.day == date(2026, 3, 4)} == {Decimal("1.20")}
    assert source == "sandbox: facts"


def test_without_rates_in_the_folder_they_are_invented_and_say_so(bank: Bank) -> None:
    (bank.folder / columns.RATES_FILE).unlink()
    bank.sandbox.control("POST", "reload")
    bank.tick()
    known = bank.known()
    assert known.sources == ("sandbox: invented",)
    assert known.first is not None
    assert known.first <= date(2023, 1, 5)
    assert {"USD", "JPY", "GBP"} <= set(known.currencies)
    assert "KWD" not in known.currencies


# Reporting


@pytest.fixture
def reporting(
    bank: Bank, connect: Connect, make_organisation: MakeOrganisation, make_account: Callable[..., int]
) -> Callable[[Query], list[Row]]:
    """Four accounts of four currencies that spent 100 and earned 250 on each of five days, and rates."""
    bank.tick()
    org = make_organisation()
    for currency in ("EUR", "USD", "JPY", "KWD"):
        account = make_account(org, f"{uuid.uuid4().hex[:8]}", currency)
        for day in range(5):
            bank.admin.execute(
                "insert into metrics (account_id, org_id, level, entity_id, day, impressions, clicks, spend,"
                " conversions, conversion_value, valid_from, run_id)"
                " values (%s, %s, 'account', 'x', %s, 1000, 10, 100, 4, 250, '2026-03-03', 1)",
                (account, org, date(2026, 2, 28) + timedelta(days=day)),
            )
    database = connect("dashboard")

    def read(query: Query) -> list[Row]:
        with database.tenant(org) as connection:
            return run(connection, query).rows

    return read


DAYS = Period(date(2026, 2, 28), date(2026, 3, 4))


def test_each_day_is_converted_at_its_own_rate_and_a_currency_without_rates_is_a_line_of_its_own(
    reporting: Callable[[Query], list[Row]],
) -> None:
    rows = reporting(Query("account", DAYS, currency="EUR"))
    # Saturday and Sunday take Friday's rate, Tuesday Monday's.
    dollars = [Decimal(100) / Decimal(rate) for rate in ("1.10", "1.10", "1.25", "1.25", "1.20")]
    yen = [Decimal(100) / Decimal(rate) for rate in ("160", "160", "150", "150", "150")]
    should = sum([*dollars, *yen, Decimal(500)])
    assert {row.currency: row.current.spend for row in rows} == {"EUR": round(should, 6), "KWD": Decimal(500)}
    assert {row.current.roas for row in rows} == {Decimal("2.5")}


def test_both_sides_go_through_the_euro(reporting: Callable[[Query], list[Row]]) -> None:
    rows = reporting(Query("account", DAYS, ("day", "account"), currency="USD"))
    monday = {row.account_name: row for row in rows if row.day == date(2026, 3, 2)}
    spends = sorted((row.currency, row.current.spend) for row in monday.values())
    assert spends == [
        ("KWD", Decimal(100)), ("USD", round(Decimal(100) * Decimal("1.25") / 150, 6)), ("USD", Decimal(100)),
        ("USD", Decimal(125)),
    ]  # fmt: skip


def test_a_period_and_the_one_before_are_each_converted_at_their_days(reporting: Callable[[Query], list[Row]]) -> None:
    query = Query(
        "account",
        Period(date(2026, 3, 2), date(2026, 3, 2)),
        filters=Filters(),
        comparison=Period(date(2026, 3, 1), date(2026, 3, 1)),
        currency="EUR",
    )
    (euro, _) = reporting(query)
    assert euro.previous is not None
    assert euro.current.spend == round(100 + Decimal(80) + Decimal(100) / 150, 6)
    assert euro.previous.spend == round(100 + Decimal(100) / Decimal("1.1") + Decimal(100) / 160, 6)


def test_before_the_first_rate_amounts_stay_as_they_are(reporting: Callable[[Query], list[Row]], bank: Bank) -> None:
    bank.admin.execute("delete from rates where day < '2026-03-02'")
    rows = reporting(Query("account", DAYS, currency="EUR"))
    assert {row.currency: row.current.spend for row in rows if row.currency in ("USD", "JPY")} == {
        "USD": Decimal(200), "JPY": Decimal(200),
    }  # fmt: skip
    bank.admin.execute("delete from rates")
    assert {row.currency for row in reporting(Query("account", DAYS, currency="EUR"))} == {"EUR", "USD", "JPY", "KWD"}
    assert {row.currency for row in reporting(Query("account", DAYS, currency="XXX"))} == {"EUR", "USD", "JPY", "KWD"}


def test_an_earlier_day_is_shown_at_the_rates_of_then(reporting: Callable[[Query], list[Row]], bank: Bank) -> None:
    monday = Period(date(2026, 3, 2), date(2026, 3, 2))
    query = Query("account", monday, filters=Filters(), currency="EUR", as_of=date(2026, 3, 4))
    before = {row.currency: row.current for row in reporting(query)}
    bank.publishes(RATES[2] | {"per_eur": "2.50"})
    bank.at("2026-03-06T09:00:00+00:00")
    bank.tick()
    assert {row.currency: row.current for row in reporting(query)} == before
    now = {row.currency: row.current for row in reporting(Query("account", monday, currency="EUR"))}
    assert before["EUR"].spend - now["EUR"].spend == Decimal(40)
    # On the day before nobody knew any rate.
    unknown = reporting(Query("account", monday, currency="EUR", as_of=date(2026, 3, 3)))
    assert {row.currency for row in unknown} == {"EUR", "USD", "JPY", "KWD"}


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "€"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="no currency"):
        Query("account", DAYS, currency=currency)
