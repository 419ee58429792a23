"""The large folder for an acceptance run has what it promises, and its planted differences are all there are."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from infra.sandbox.facts.columns import PLATFORMS, SUMS
from infra.sandbox.facts.expected import expected
from infra.sandbox.facts.loader import load
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from infra.sandbox.google import ids

SIZE = Size(accounts=24, ads=240, days=60)
AFTER = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("acceptance")
    acceptance.write(path, 3, SIZE)
    return path


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_is_accepted_and_every_account_has_every_day(folder: Path) -> None:
    loaded = load(folder)
    ids.check(loaded)
    accounts = loaded.accounts.values()
    assert sum(len(account.ads) for account in accounts) == SIZE.ads
    assert sum(len(account.days) for account in accounts) == SIZE.accounts * SIZE.days
    assert {account.platform for account in accounts} == PLATFORMS
    for platform in PLATFORMS:
        own = loaded.of(platform).values()
        assert {account.currency for account in own} == {"EUR", "USD", "JPY", "KWD"}
        assert {"Asia/Tokyo", "America/Los_Angeles"} <= {account.zone.key for account in own}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(folder: Path, tmp_path: Path) -> None:
    for name, seed in (("same", 3), ("other", 4)):
        acceptance.write(tmp_path / name, seed, SIZE)
    for file in folder.iterdir():
        assert (tmp_path / "same" / file.name).read_bytes() == file.read_bytes()
        assert (tmp_path / "other" / file.name).read_bytes() != file.read_bytes()


def test_the_planted_days_are_exactly_those_whose_total_is_not_the_sum_of_the_rows(folder: Path) -> None:
    by_rows: defaultdict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(
        lambda: dict.fromkeys(SUMS, Decimal(0))
    )
    for row in rows(folder, "facts.csv"):
        for name in SUMS:
            by_rows[row["platform"], row["account_id"], row["date"]][name] += Decimal(row[name] or 0)
    differing, equal = set(), 0
    for row in rows(folder, "account_totals.csv"):
        key = (row["platform"], row["account_id"], row["date"])
        if all(Decimal(row[name]) == by_rows[key][name] for name in SUMS):
            equal += 1
        else:
            differing.add(key)
    planted = json.loads((folder / acceptance.PLANTED_FILE).read_text())
    assert {(one["platform"], one["account_id"], one["date"]) for one in planted} == differing
    assert {platform for platform, _, _ in differing} == PLATFORMS
    assert equal > 0
    restated = {(row["platform"], row["account_id"], row["date"]) for row in rows(folder, "restated.csv")}
    assert not differing & restated


def test_rows_are_restated_come_late_and_are_taken_back(folder: Path) -> None:
    final = {key(row) for row in rows(folder, "facts.csv")}
    versions = rows(folder, "restated.csv")
    assert {row["platform"] for row in versions} == PLATFORMS
    assert {key(row) for row in versions} - final, "no row was taken back"
    assert any(row["spend"] == row["impressions"] == "0" for row in versions), "no row came late"
    assert expected(folder, datetime(2026, 3, 20, tzinfo=UTC)).ads != expected(folder, AFTER).ads


def key(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("platform", "account_id", "campaign_id", "adgroup_id", "ad_id", "date"))


def test_some_rows_have_no_ad_and_some_no_ad_group_on_every_platform_that_has_such(folder: Path) -> None:
    facts = rows(folder, "facts.csv")
    assert {row["platform"] for row in facts if row["adgroup_id"] and not row["ad_id"]} == PLATFORMS
    assert {row["platform"] for row in facts if not row["adgroup_id"]} == {"google", "meta"}
    largest = {row["id"] for row in rows(folder, "entities.csv") if row["kind"] == "performance_max"}
    assert largest
    of_largest = [row for row in facts if row["campaign_id"] in largest]
    assert not any(row["ad_id"] for row in of_largest)
    assert {bool(row["adgroup_id"]) for row in of_largest} == {True, False}  # asset groups, and campaigns without


def test_hours_add_up_to_the_campaigns_day_and_none_is_skipped_by_summer_time(folder: Path) -> None:
    days: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    zones = {}
    for row in rows(folder, "facts.csv"):
        zones[row["account_id"]] = row["timezone"]
        for name in SUMS:
            days[row["campaign_id"], row["date"], name] += Decimal(row[name] or 0)
    hours: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    hourly = rows(folder, "hourly.csv")
    for row in hourly:
        for name in SUMS:
            hours[row["campaign_id"], row["date"], name] += Decimal(row[name])
    assert hours
    assert dict(hours) == {key: days[key] for key in hours}
    spring = [row for row in hourly if row["date"] == "2026-03-29" and zones[row["account_id"]] == "Europe/Berlin"]
    assert spring
    assert "2" not in {row["hour"] for row in spring}
    assert {"1", "3"} <= {row["hour"] for row in spring}


def test_ads_say_what_their_platform_knows_of_them(folder: Path) -> None:
    ads = [row for row in rows(folder, "entities.csv") if row["level"] == "ad"]
    for platform in PLATFORMS:
        own = [row for row in ads if row["platform"] == platform]
        assert all(row["texts"] and row["final_url"] for row in own)
        assert {bool(row["review_reason"]) for row in own if row["review_status"] == "disapproved"} == {True}
        assert any(row["labels"] for row in own) == (platform != "tiktok")
        assert any(row["deleted_at"] for row in own)


def test_the_command_writes_the_folder(tmp_path: Path) -> None:
    arguments = (
        "--acceptance",
        "--seed",
        "5",
        "--accounts",
        "3",
        "--ads",
        "9",
        "--days",
        "10",
        "--until",
        "2026-01-31",
    )
    command = [sys.executable, "-m", "infra.sandbox.generator", *arguments, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "3 accounts on 10 days" in done.stdout
    loaded = load(tmp_path)
    assert {account.dates[-1] for account in loaded.accounts.values()} == {date(2026, 1, 31)}
