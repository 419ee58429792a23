"""The demo folder is a function of seed, object and date, and grows without touching what it has said."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.sandbox.facts.columns import PLATFORMS
from infra.sandbox.facts.loader import load
from infra.sandbox.generator.growth import HISTORY_DAYS, GeneratedFolder
from infra.sandbox.generator.rows import FILES
from infra.sandbox.google import ids

START = datetime(2026, 3, 27, 10, tzinfo=UTC)
SEED = 7


def made(path: Path, now: datetime, seed: int = SEED) -> GeneratedFolder:
    path.mkdir(exist_ok=True)
    return GeneratedFolder(path / "facts", path / "state.json", seed, now)


def copy(demo: Path, path: Path) -> None:
    shutil.copytree(demo, path, dirs_exist_ok=True)


def contents(path: Path) -> dict[str, bytes]:
    return {name: (path / "facts" / name).read_bytes() for name in FILES}


def rows(path: Path, name: str) -> list[dict[str, str]]:
    with (path / "facts" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    made(path, START)
    return path


def test_a_generated_folder_loads_without_a_fault(tmp_path: Path) -> None:
    folder = load(made(tmp_path, START).folder)
    assert {account.currency for account in folder.accounts.values()} == {"EUR", "USD", "JPY", "GBP", "KWD"}
    for account in folder.accounts.values():
        assert account.dates[-1] == account.today(START)
        assert account.dates[0] == account.today(START) - timedelta(HISTORY_DAYS)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(demo: Path, tmp_path: Path) -> None:
    made(tmp_path / "same", START)
    made(tmp_path / "other", START, seed=8)
    assert contents(tmp_path / "same") == contents(demo)
    assert contents(tmp_path / "other") != contents(demo)


def test_growing_in_steps_or_leaps_or_after_a_restart_gives_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    end = START + timedelta(days=5)
    for name in ("steps", "leap", "restart"):
        copy(demo, tmp_path / name)
    stepwise = made(tmp_path / "steps", START)
    before = contents(tmp_path / "steps")
    for hours in range(1, 5 * 24 + 1):
        if stepwise.grow(START + timedelta(hours=hours)):
            after = contents(tmp_path / "steps")
            assert all(after[name].startswith(before[name]) for name in FILES)
            before = after
    made(tmp_path / "leap", START).grow(end)
    made(tmp_path / "restart", end)
    assert contents(tmp_path / "steps") == contents(tmp_path / "leap") == contents(tmp_path / "restart")


def test_a_folder_made_later_says_the_same_of_the_days_it_shares(demo: Path, tmp_path: Path) -> None:
    made(tmp_path / "later", START + timedelta(days=5))
    copy(demo, tmp_path / "grown")
    grown = made(tmp_path / "grown", START)
    grown.grow(START + timedelta(days=5))
    for name in ("facts.csv", "hourly.csv", "restated.csv"):
        later = lines(tmp_path / "later", name)
        assert later
        assert later == lines(tmp_path / "grown", name)
    later_ads, grown_ads = ({row["id"]: without_birth(row) for row in rows(tmp_path / name, "entities.csv")
                             if row["level"] == "ad"} for name in ("later", "grown"))  # fmt: skip
    assert later_ads
    assert later_ads.items() <= grown_ads.items()


def lines(path: Path, name: str) -> list[tuple[str, str]]:
    """Each line with its date, those only that belong to days which every account of both folders has."""
    text = (path / "facts" / name).read_text().splitlines()
    column = text[0].split(",").index("date")
    since = {"facts.csv": HISTORY_DAYS - 6, "hourly.csv": 53, "restated.csv": 28}[name]
    first = (START + timedelta(days=5)).date() - timedelta(since)
    found = [(line, next(csv.reader([line]))[column]) for line in text[1:]]
    return [(line, on) for line, on in found if date.fromisoformat(on) >= first]


def without_birth(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(cell for column, cell in sorted(row.items()) if column not in ("created_at", "updated_at"))


def test_nothing_is_due_before_the_next_midnight_of_an_account(demo: Path, tmp_path: Path) -> None:
    copy(demo, tmp_path)
    generated = made(tmp_path, START)
    assert not generated.grow(generated.next_due - timedelta(microseconds=1))
    assert generated.grow(generated.next_due)
    days = {row["account_id"]: row["date"] for row in rows(tmp_path, "facts.csv")}
    assert sorted(days.values()) == ["2026-03-27"] * 7 + ["2026-03-28"]


def test_a_clock_set_back_changes_nothing(demo: Path, tmp_path: Path) -> None:
    copy(demo, tmp_path)
    generated = made(tmp_path, START)
    assert not generated.grow(START - timedelta(days=30))
    assert contents(tmp_path) == contents(demo)


def test_lines_cut_off_by_a_crash_are_written_again(demo: Path, tmp_path: Path) -> None:
    copy(demo, tmp_path)
    with (tmp_path / "facts" / "facts.csv").open("ab") as file:
        file.write(b"meta,1382532672722363,EUR,Europe/Ber")
    made(tmp_path, START)
    assert contents(tmp_path) == contents(demo)


def test_a_folder_that_lost_a_file_begins_anew(demo: Path, tmp_path: Path) -> None:
    copy(demo, tmp_path)
    (tmp_path / "facts" / "hourly.csv").unlink()
    made(tmp_path, START)
    assert contents(tmp_path) == contents(demo)


def test_the_demo_has_what_a_newcomer_should_see(demo: Path) -> None:
    facts, entities = rows(demo, "facts.csv"), rows(demo, "entities.csv")
    today = [row for row in facts if row["date"] == "2026-03-27" and row["ad_id"]]
    assert 35 <= len(today) <= 60
    assert any(not row["ad_id"] and row["adgroup_id"] for row in facts)
    assert any(not row["ad_id"] and not row["adgroup_id"] for row in facts)
    gone = [row for row in entities if row["status"] == "deleted" and row["deleted_at"] < "2026-03-01"]
    delivered = {row["ad_id"] for row in facts}
    assert any(row["id"] in delivered for row in gone)
    names = [row["name"] for row in entities]
    assert "Winter coats · Prospecting" in names


def test_a_budget_overruns(demo: Path) -> None:
    budgets = {row["id"]: Decimal(row["daily_budget"]) for row in rows(demo, "entities.csv") if row["daily_budget"]}
    spend: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows(demo, "facts.csv"):
        if row["date"].startswith("2025-12"):
            spend[row["campaign_id"]] += Decimal(row["spend"])
    assert any(total > budgets[campaign] * 31 for campaign, total in spend.items() if campaign in budgets)


def test_an_anomaly_stands_out(demo: Path) -> None:
    days: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows(demo, "facts.csv"):
        if row["campaign_name"] == "US launch · Prospecting" and row["date"] >= "2026-02-20":
            days[row["campaign_id"], row["date"]] += Decimal(row["spend"])
    ordered = sorted(days.values())
    assert ordered[-1] > 2 * ordered[len(ordered) // 2]


def test_hours_add_up_to_the_campaigns_day(demo: Path) -> None:
    metrics = ("impressions", "clicks", "spend", "conversions", "conversion_value")
    hourly = sums(rows(demo, "hourly.csv"), metrics)
    daily = sums(rows(demo, "facts.csv"), metrics)
    assert hourly
    assert {key: daily[key] for key in hourly} == hourly


def sums(found: Iterable[dict[str, str]], metrics: tuple[str, ...]) -> dict[tuple[str, str, str], Decimal]:
    total: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in found:
        for metric in metrics:
            total[row["campaign_id"], row["date"], metric] += Decimal(row[metric])
    return dict(total)


def test_versions_rise_from_nothing_and_late_conversions_come_days_after(demo: Path) -> None:
    final = {(row["ad_id"], row["date"]): row for row in rows(demo, "facts.csv") if row["ad_id"]}
    by_row: defaultdict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows(demo, "restated.csv"):
        if row["ad_id"]:
            by_row[row["ad_id"], row["date"]].append(row)
    assert any(len(versions) > 8 for versions in by_row.values())
    for key, versions in by_row.items():
        said = [Decimal(row["spend"]) for row in sorted(versions, key=lambda row: row["visible_until"])]
        assert said[0] == 0
        assert said == sorted(said)
        assert said[-1] <= Decimal(final[key]["spend"])


def test_amounts_have_the_decimals_of_their_currency(demo: Path) -> None:
    for row in rows(demo, "facts.csv"):
        _, _, decimals = row["spend"].partition(".")
        assert len(decimals) == {"JPY": 0, "KWD": 3}.get(row["currency"], 2)


def test_each_platform_has_accounts_and_hours_and_ids_as_it_gives_them(demo: Path) -> None:
    folder = load(demo / "facts")
    assert {platform: len(folder.of(platform)) for platform in PLATFORMS} == {"google": 3, "meta": 3, "tiktok": 2}
    ids.check(folder)
    assert {row["platform"] for row in rows(demo, "hourly.csv")} == PLATFORMS
    assert {row["kind"] for row in rows(demo, "entities.csv") if row["level"] == "account"} == {
        "", "direct", "sub_manager"
    }  # fmt: skip


def test_performance_max_delivers_without_ads_and_may_have_an_asset_group(demo: Path) -> None:
    entities = rows(demo, "entities.csv")
    campaigns = {row["id"] for row in entities if row["kind"] == "performance_max"}
    delivered = [row for row in rows(demo, "facts.csv") if row["campaign_id"] in campaigns]
    assert len(campaigns) == 2
    assert {row["campaign_id"] for row in delivered} == campaigns
    assert not any(row["ad_id"] for row in delivered)
    (group,) = (row for row in entities if row["parent_id"] in campaigns)
    assert group["level"] == "ad_group"
    assert group["texts"]
    assert group["image_url"]
    assert {row["adgroup_id"] for row in delivered} == {"", group["id"]}


def test_every_platform_held_an_ad_back_and_says_why(demo: Path) -> None:
    delivered = {row["ad_id"] for row in rows(demo, "facts.csv")}
    held = [row for row in rows(demo, "entities.csv") if row["review_status"] == "disapproved"]
    assert {row["platform"] for row in held} == PLATFORMS
    assert all(row["review_reason"] and row["texts"] and row["id"] not in delivered for row in held)


def test_conversions_come_in_fractions_on_google_only(demo: Path) -> None:
    fractions = {row["platform"] for row in rows(demo, "facts.csv") if Decimal(row["conversions"]) % 1}
    assert fractions == {"google"}


def test_the_windows_of_conversions_are_said_where_the_platform_keeps_them(demo: Path) -> None:
    windows = {
        (row["platform"], row["level"], row["conversion_window_days"])
        for row in rows(demo, "entities.csv")
        if row["conversion_window_days"]
    }
    assert windows == {
        ("google", "account", "30"),
        ("meta", "ad_group", "7"),
        *(("tiktok", "ad_group", days) for days in ("7", "14", "28")),
    }
