"""An export as of a day is, byte for byte, the export that was taken at the end of that day."""

from __future__ import annotations

import csv
import io
import os
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from adloom import clock
from adloom.db import Database
from adloom.metrics import account_history, accounts, entities, export, planning, rates, staging, store
from adloom.metrics.ecb import Rate
from adloom.metrics.entities import Listing
from adloom.metrics.export import Wanted
from adloom.metrics.intake import Intake
from adloom.metrics.query import Period
from adloom.platforms.model import LEVELS, Account, Days, Entity, Fact, Level
from infra.sandbox.facts import columns
from tests.conftest import Postgres
from tests.facts import write_folder
from tests.integration.cast import Connect, MakeOrganisation
from tests.integration.sync_rig import Rig, business_clock, rig_on
from tests.unit.sandbox.support import fact, facts

SEEDS = range(int(os.environ.get("ADLOOM_AS_OF_SEEDS", "2")))
BEGIN = datetime(2026, 3, 25, 6, tzinfo=UTC)
UTC_DAYS = 9
FIRST = date(2026, 3, 20)
PERIOD = Period(FIRST, date(2026, 4, 10))
ZONES = ("Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin")
CURRENCIES = ("JPY", "USD", "EUR", "KWD")
Key = tuple[Level, str, date]


@dataclass
class Shop:
    """One ad account as its platform would tell of it, moving."""

    account_id: int
    account: Account
    chance: random.Random
    known: list[Entity] = field(default_factory=list)
    facts: dict[Key, Fact] = field(default_factory=dict)
    made: int = 0

    def move(self, today: date) -> None:
        """Some of what can happen between two looks."""
        for _ in range(self.chance.randrange(1, 5)):
            self.chance.choice([self._make, self._rename, self._remove, self._adopt, self._become])()
        for _ in range(self.chance.randrange(3, 12)):
            self._deliver(today)
        for key in self.chance.sample(sorted(self.facts), len(self.facts) // 9):
            del self.facts[key]

    def _make(self) -> None:
        self.made += 1
        level = self.chance.choice(LEVELS[1:])
        self.known.append(
            Entity(level, f"{level}{self.made}", self._parent(level), f"The {level} {self.made}", "active")
        )

    def _parent(self, level: Level) -> str:
        """A known object above, or one that nobody has listed yet."""
        above = LEVELS[LEVELS.index(level) - 1]
        ids = [each.external_id for each in self.known if each.level == above]
        return self.chance.choice([*ids, f"{above}{self.made + 1}"])

    def _change(self, **fields: object) -> None:
        if self.known:
            place = self.chance.randrange(len(self.known))
            self.known[place] = Entity(**{**vars(self.known[place]), **fields})  # type: ignore[arg-type]

    def _rename(self) -> None:
        self._change(name=f'"{self.chance.randrange(99)}", née')

    def _adopt(self) -> None:
        if self.known:
            self._change(parent_id=self._parent(self.chance.choice(self.known).level))

    def _remove(self) -> None:
        if len(self.known) > 4:
            self.known.pop(self.chance.randrange(len(self.known)))

    def _become(self) -> None:
        if self.chance.random() < 0.5:
            values = {"currency": self.chance.choice(CURRENCIES), "timezone": self.chance.choice(ZONES)}
            self.account = Account(**{**vars(self.account), **values})  # type: ignore[arg-type]

    def _deliver(self, today: date) -> None:
        level = self.chance.choice(LEVELS)
        known = [each.external_id for each in self.known if each.level == level] or [f"{level}{self.made}"]
        entity_id = "x" if level == "account" else self.chance.choice(known)
        day = today - timedelta(days=self.chance.randrange((today - FIRST).days + 1))
        numbers = [self.chance.choice([None, "0", str(self.chance.randrange(9000))]) for _ in range(2)]
        money = [self.chance.choice([None, f"{Decimal(self.chance.randrange(10**6)) / 1000}"]) for _ in range(3)]
        parent = "" if level == "account" else self._parent(level)
        fact = Fact(entity_id, parent, "", f"named {entity_id}", day.isoformat(), *numbers, *money, None, None, None)
        self.facts[level, entity_id, day] = fact

    def sync(self, connection: Connection, org_id: uuid.UUID, run_id: int, today: date) -> None:
        """What one look stores, as the sync does it."""
        listing = Listing(org_id, self.account_id, run_id, clock.now())
        if self.chance.random() < 0.7:
            entities.stage(connection, self.account, self.known)
            entities.replace(connection, listing, is_whole=self.chance.random() < 0.7)
            account_history.note(connection, listing, self.account)
            accounts.refresh(connection, self.account_id, self.account)
        days = Days(FIRST + timedelta(days=self.chance.randrange((today - FIRST).days + 1)), today)
        intake = Intake(days, entities.known_ids(connection, self.account_id))
        staging.prepare(connection)
        for level in LEVELS:
            intake.begin(level)
            of_level = [fact for key, fact in self.facts.items() if key[0] == level and key[2] in days]
            staging.copy(connection, intake.lines(level, of_level))
        target = store.Target(org_id, self.account_id, days, run_id, clock.now())
        store.replace(connection, target)
        store.prove(connection, target, intake.sums())
        entities.add_strangers(connection, listing, intake.strangers, today)


@dataclass
class History:
    """Looks at several shops over some UTC days, and what exports said at the end of each."""

    sync: Database
    reading: Database
    org_id: uuid.UUID
    shops: list[Shop]
    clock_file: Path
    chance: random.Random
    taken: dict[date, dict[str, bytes]] = field(default_factory=dict)

    def live(self) -> None:
        now, run_id = BEGIN, 0
        while now < BEGIN + timedelta(days=UTC_DAYS):
            clock.move(self.clock_file, now, 0)
            run_id += 1
            shop = self.chance.choice(self.shops)
            today = clock.today(shop.account.timezone)
            shop.move(today)
            with self.sync.tenant(self.org_id) as connection:
                shop.sync(connection, self.org_id, run_id, today)
                rates.store(connection, self._rates(), "ecb")
            now = self._later(now)

    def _later(self, now: datetime) -> datetime:
        """Minutes or more than a day on, now and then a little back; what ends meanwhile is exported at its end."""
        to_midnight = _midnight(now.date() + timedelta(days=1)) - now
        step = self.chance.choice([timedelta(minutes=7), timedelta(hours=5), timedelta(hours=31), to_midnight])
        then = now + step if self.chance.random() < 0.9 else max(now - step, _midnight(now.date()))
        day = now.date()
        while day < then.date():
            clock.move(self.clock_file, _midnight(day + timedelta(days=1)) - timedelta(seconds=1), 0)
            self.taken[day] = self.exports(None)
            day += timedelta(days=1)
        return then

    def _rates(self) -> list[Rate]:
        """A bank that corrects itself, and knows no dinars."""
        days = [FIRST + timedelta(days=self.chance.randrange(9)) for _ in range(self.chance.randrange(4))]
        rate = Decimal(self.chance.randrange(90, 130)) / 100
        return [Rate(day, currency, rate) for day in set(days) for currency in ("JPY", "USD")]

    def exports(self, as_of: date | None) -> dict[str, bytes]:
        found = {}
        with self.reading.tenant(self.org_id) as connection:
            for level in LEVELS:
                found[level] = _csv(connection, Wanted(level, PERIOD, as_of=as_of))
                euros = Wanted(level, PERIOD, as_of=as_of, currency="EUR", provisional=True)
                found[f"{level} in euros"] = _csv(connection, euros)
        return found


def _csv(connection: Connection, wanted: Wanted) -> bytes:
    target = io.StringIO()
    export.write_csv(export.read(connection, wanted), target, wanted.columns)
    return target.getvalue().encode()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@pytest.fixture
def begin(
    postgres: Postgres,
    connect: Connect,
    make_organisation: MakeOrganisation,
    make_account: Callable[..., int],
    tmp_path: Path,
) -> Iterator[Callable[[int], History]]:
    with (
        business_clock(tmp_path / "clock", BEGIN.isoformat()) as clock_file,
        psycopg.connect(postgres.admin_url, autocommit=True) as admin,
    ):
        # Rates are of no organisation, and each history begins at the same time.
        admin.execute("delete from rates")

        def make(seed: int) -> History:
            chance = random.Random(seed)
            org_id = make_organisation()
            shops = []
            for number in range(2):
                external_id, zone, currency = f"{seed}{number}", ZONES[number], CURRENCIES[number]
                account_id = make_account(org_id, external_id, currency, zone)
                account = Account(external_id, f"Account {external_id}", currency, zone, "active", None)
                shops.append(Shop(account_id, account, chance))
            return History(connect("sync-meta"), connect("cli"), org_id, shops, clock_file, chance)

        yield make


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happened_since_an_export_as_of_a_day_is_that_day_s_own(
    begin: Callable[[int], History], seed: int
) -> None:
    history = begin(seed)
    history.live()
    clock.move(history.clock_file, BEGIN + timedelta(days=UTC_DAYS + 20), 0)
    assert len(history.taken) >= UTC_DAYS - 1
    for day, taken in history.taken.items():
        assert history.exports(day) == taken, day
    for kind in ("ad", "account in euros"):
        distinct = {content[kind] for content in history.taken.values()}
        assert len(distinct) > 3, "the days would have to differ for this to prove anything"


def test_through_the_platform_too_whatever_is_restated_renamed_or_removed(
    postgres: Postgres, connect: Connect, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "facts", 5, accounts=2, days=6, ads=12, last=date(2026, 3, 31))
    taken = {}
    with rig_on(postgres, folder, tmp_path, "2026-03-29T20:00:00+00:00") as rig:
        rig.settle()
        for day in range(29, 32):
            _rename(folder / columns.ENTITIES_FILE, day)
            rig.sandbox.control("POST", "reload")
            rig.at(f"2026-03-{day}T23:00:00+00:00")
            planning.request(rig.sync, org_id=rig.org_id, account_scope="*")
            rig.settle()
            rig.at(f"2026-03-{day}T23:59:59+00:00")
            taken[day] = _exports(connect, rig, None)
        rig.at("2026-04-03T12:00:00+00:00")
        planning.request(rig.sync, org_id=rig.org_id, account_scope="*")
        rig.settle()
        for day, said in taken.items():
            assert _exports(connect, rig, date(2026, 3, day)) == said, day
        assert _exports(connect, rig, None) not in taken.values()


def _rename(path: Path, day: int) -> None:
    """Every third object has another name each day, and a few are on no list any more."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        if number % 3 == day % 3 and row["level"] != "account":
            row["name"] = f"{row['name']} of the {day}th"
    kept = [row for number, row in enumerate(rows) if row["level"] != "ad" or number % 17 != day % 17]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)


def _exports(connect: Connect, rig: Rig, as_of: date | None) -> list[bytes]:
    with connect("cli").tenant(rig.org_id) as connection:
        return [_csv(connection, Wanted(level, PERIOD, as_of=as_of)) for level in LEVELS]


def test_an_account_that_changed_its_currency_and_zone_is_shown_with_those_of_then(
    postgres: Postgres, connect: Connect, tmp_path: Path
) -> None:
    folder = facts(tmp_path / "facts", fact(date="2026-03-27"))
    with rig_on(postgres, folder, tmp_path, "2026-03-28T20:00:00+00:00") as rig:
        rig.settle()
        before = _exports(connect, rig, None)
        facts(folder, fact(date="2026-03-27", currency="USD", timezone="America/New_York"))
        rig.sandbox.control("POST", "reload")
        rig.at("2026-03-29T20:00:00+00:00")
        planning.request(rig.sync, org_id=rig.org_id, account_scope="*")
        rig.settle()
        after = _exports(connect, rig, None)
        assert b",USD,America/New_York," in after[0]
        assert _exports(connect, rig, date(2026, 3, 28)) == before
        assert _exports(connect, rig, date(2026, 3, 29)) == after
