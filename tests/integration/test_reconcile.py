"""Every account and day is compared with the platform's total: what was planted is named, and nothing else.

By default 120 account-days; `ADLOOM_ACCOUNT_DAYS` asks for more, as `make soak` does for ten thousand.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adloom.metrics import reconcile
from adloom.metrics.reconcile import DELIVERY_WITHOUT_ROWS, TRUNCATED
from infra.sandbox.facts import columns
from infra.sandbox.facts.expected import Cells, expected
from tests.conftest import Postgres
from tests.facts import write_folder
from tests.integration.sync_rig import Rig, rig_in, rig_on, sandbox_on
from tests.integration.tiktok_rig import SETTINGS, TikTokRig
from tests.unit.sandbox.support import fact, facts

NOW = "2026-04-01T12:00:00+00:00"
LAST = date(2026, 3, 31)
ACCOUNT_DAYS = int(os.environ.get("ADLOOM_ACCOUNT_DAYS", "120"))
ACCOUNTS = 20 if ACCOUNT_DAYS > 1000 else 3
MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value")
Named = dict[tuple[str, date], dict[str, tuple[Decimal, Decimal]]]


@pytest.fixture(scope="module")
def rig(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Accounts with rows that have no ads, restated days, and totals of accounts that are not the sum of their rows."""
    home = tmp_path_factory.mktemp("reconcile")
    days = ACCOUNT_DAYS // ACCOUNTS
    folder = write_folder(home / "facts", 3, accounts=ACCOUNTS, days=days, ads=ACCOUNTS * 4, last=LAST)
    with rig_on(postgres, folder, home, NOW) as made:
        made.settle(5000)
        yield made


def planted(rig: Rig) -> Named:
    """The cells of account_totals.csv that the folder's rows do not add up to, by plain reading and adding."""
    folder = Path(rig.sandbox.environment["ADLOOM_SANDBOX_FACTS"])
    bare = folder.parent / "bare"
    shutil.copytree(folder, bare, ignore=shutil.ignore_patterns(columns.TOTALS_FILE), dirs_exist_ok=True)
    rows = expected(bare, datetime.fromisoformat(NOW)).accounts
    found: Named = {}
    with (folder / columns.TOTALS_FILE).open(encoding="utf-8") as file:
        for total in csv.DictReader(file):
            day = date.fromisoformat(total["date"])
            sums = rows.get((total["platform"], total["account_id"], day), Cells())
            cells = {name: (Decimal(total[name] or 0), getattr(sums, name)) for name in MEASURES}
            if differing := {name: cell for name, cell in cells.items() if cell[0] != cell[1]}:
                found[total["account_id"], day] = differing
    return found


def named(rig: Rig) -> Named:
    """The differences that reconciliation names."""
    external = {
        row["account_id"]: row["external_id"] for row in rig.rows("select * from ad_accounts where org_id = %s")
    }
    found: Named = {}
    with rig.database.tenant(rig.org_id) as connection:
        for one in reconcile.check(connection):
            assert one.kind == "unexplained"
            found.setdefault((external[one.account_id], one.day), {})[one.measure] = (one.expected, one.found)
    return found


def test_exactly_the_planted_differences_are_named_to_the_cell(rig: Rig) -> None:
    should = planted(rig)
    assert len(should) >= ACCOUNT_DAYS // 30
    assert named(rig) == should


def test_every_account_and_day_with_delivery_was_compared(rig: Rig) -> None:
    folder = Path(rig.sandbox.environment["ADLOOM_SANDBOX_FACTS"])
    should = {key[1:] for key in expected(folder, datetime.fromisoformat(NOW)).accounts}
    rows = rig.rows(
        "select distinct a.external_id, r.day from reconciliations r join ad_accounts a using (account_id)"
        " where r.org_id = %s and r.level = 'account'"
    )
    assert {(row["external_id"], row["day"]) for row in rows} >= should
    assert len(should) > ACCOUNT_DAYS * 0.9


def test_delivery_without_ads_is_counted_with_what_explains_it(rig: Rig) -> None:
    with rig.database.tenant(rig.org_id) as connection:
        explained = reconcile.explanations(connection)
    assert set(explained) == set(DELIVERY_WITHOUT_ROWS.values())
    assert explained[DELIVERY_WITHOUT_ROWS["ad"]] >= explained[DELIVERY_WITHOUT_ROWS["ad_group"]] > 0
    (account,) = rig.rows(
        "select account_id, count(distinct day) as days from reconciliations where org_id = %s and state = 'explained'"
        " group by account_id order by days desc, account_id limit 1"
    )
    with rig.database.tenant(rig.org_id) as connection:
        of_one = reconcile.explanations(connection, [account["account_id"]])
    assert of_one[DELIVERY_WITHOUT_ROWS["ad"]] <= account["days"]


def test_ads_that_tiktok_never_gives_stop_nothing_and_are_told(postgres: Postgres, tmp_path: Path) -> None:
    of_tiktok = {"platform": "tiktok", "account_id": "7011111111111111111"}
    rows = [fact(**of_tiktok, ad_id=str(number), date=f"2026-03-3{day}") for number in range(41, 44) for day in (0, 1)]
    folder = facts(tmp_path / "facts", *rows)
    with (
        sandbox_on(folder, tmp_path, NOW, **SETTINGS) as started,
        rig_in(postgres, *started, TikTokRig) as cut,
    ):
        few = {"match": {"path": "report", "level": "ad", "times": None}, "fault": {"kind": "few_ads", "rows": 1}}
        cut.sandbox.faults(few)
        cut.settle()
        stored = cut.rows("select level, sum(spend) as spend from metrics where org_id = %s group by level")
        assert {row["level"]: row["spend"] for row in stored}.items() >= {
            "account": Decimal(75), "campaign": Decimal(75), "ad_group": Decimal(75),
        }.items()  # fmt: skip
        said = cut.rows("select day, state, explanation from reconciliations where org_id = %s and level = 'ad'")
        assert {(row["day"].day, row["state"], row["explanation"]) for row in said} == {
            (30, "explained", TRUNCATED), (31, "explained", TRUNCATED),
        }  # fmt: skip
        with cut.database.tenant(cut.org_id) as connection:
            assert reconcile.check(connection) == []
