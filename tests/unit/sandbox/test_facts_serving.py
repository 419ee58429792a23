"""What is served at an instant equals what the judge expects, level by level."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.sandbox.facts import columns
from infra.sandbox.facts.expected import METRICS, Cells, expected
from infra.sandbox.facts.loader import load
from infra.sandbox.facts.model import Folder, Level, Numbers
from infra.sandbox.facts.names import name_of
from infra.sandbox.facts.serving import days_between, grouped
from tests.unit.sandbox.support import META_90_DAYS, fact, facts, write

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Cell = tuple[Decimal, ...]


def stored(folder: Folder, level: Level, now: datetime) -> dict[tuple[str, str, date], Cell]:
    found = {}
    for (platform, account_id), account in folder.accounts.items():
        for day in days_between(account, date.min, account.today(now)):
            for entity_id, numbers in grouped(day, level, now).items():
                found[platform, entity_id or account_id, day.date] = cell(numbers)
    return found


def cell(row: Numbers | Cells) -> Cell:
    return tuple(Decimal(getattr(row, metric) or 0) for metric in METRICS)


def assert_served_as_expected(path: Path, now: datetime) -> None:
    folder, judged = load(path), expected(path, now)
    for level, rows in (
        ("account", judged.accounts),
        ("campaign", judged.campaigns),
        ("ad_group", judged.adgroups),
        ("ad", judged.ads),
    ):
        assert stored(folder, level, now) == {key: cell(row) for key, row in rows.items()}, level  # type: ignore[arg-type]
    for (platform, level, object_id), name in judged.names.items():
        catalogue = folder.catalogues[platform]
        entity = {"campaign": catalogue.campaigns, "ad_group": catalogue.adgroups, "ad": catalogue.ads}[level][
            object_id
        ]
        account = folder.accounts[platform, entity.account_id]
        assert name_of(entity, account.today(now)) == name


def test_the_shipped_folder_is_served_to_the_cent() -> None:
    now = datetime(2025, 4, 2, tzinfo=UTC)
    truth = json.loads((META_90_DAYS / "truth.json").read_text())["by_platform"]["meta"]
    for level in ("account", "campaign", "ad_group", "ad"):
        rows = stored(load(META_90_DAYS), level, now).values()  # type: ignore[arg-type]
        assert [sum(column) for column in zip(*rows, strict=True)][:5] == [Decimal(truth[m]) for m in METRICS[:5]]


def test_the_judge_agrees_with_the_truth_of_the_shipped_folder() -> None:
    truth = json.loads((META_90_DAYS / "truth.json").read_text())
    judged = expected(META_90_DAYS, datetime(2025, 4, 2, tzinfo=UTC))
    for key, campaign in truth["by_campaign"].items():
        own = [row for (_, campaign_id, _), row in judged.campaigns.items() if f"meta/{campaign_id}" == key]
        assert sum(row.spend for row in own) == Decimal(campaign["spend"])
        assert judged.names["meta", "campaign", key.split("/")[1]]


def test_a_day_that_has_not_begun_is_not_there(tmp_path: Path) -> None:
    rows = [fact(), fact(date="2026-03-02"), fact(account_id="12", campaign_id="22", adgroup_id="32", ad_id="42",
            timezone="Asia/Tokyo", date="2026-03-02")]  # fmt: skip
    facts(tmp_path, *rows)
    evening = datetime(2026, 3, 1, 20, tzinfo=UTC)
    days = {(key[1], key[2].day) for key in stored(load(tmp_path), "ad", evening)}
    assert days == {("41", 1), ("42", 2)}
    assert_served_as_expected(tmp_path, evening)


def test_delivery_without_an_ad_counts_above_only(tmp_path: Path) -> None:
    facts(tmp_path, fact(), fact(ad_id="", spend="1.00"), fact(ad_id="", adgroup_id="", spend="0.25"))
    folder = load(tmp_path)
    spend = {level: [row[2] for row in stored(folder, level, NOON).values()] for level in
             ("account", "campaign", "ad_group", "ad")}  # type: ignore[arg-type]  # fmt: skip
    assert spend == {
        "account": [Decimal("13.75")],
        "campaign": [Decimal("13.75")],
        "ad_group": [Decimal("13.50")],
        "ad": [Decimal("12.50")],
    }
    assert_served_as_expected(tmp_path, NOON)


def test_the_version_that_ends_next_is_the_one_served(tmp_path: Path) -> None:
    facts(tmp_path, fact(spend="9.00"))
    write(
        tmp_path,
        columns.RESTATED_FILE,
        [
            {**fact(spend="5.00"), "visible_until": "2026-03-01T14:00:00+01:00"},
            {**fact(spend="2.00"), "visible_until": "2026-03-01T10:00:00+01:00"},
            {**fact(spend="0", impressions="0", clicks="0", conversions="0", conversion_value="0"),
             "visible_until": "2026-03-01T02:00:00+01:00"},
        ],
    )  # fmt: skip
    folder = load(tmp_path)

    def spend(hour: int) -> list[Decimal]:
        now = datetime(2026, 3, 1, hour, tzinfo=UTC)
        assert_served_as_expected(tmp_path, now)
        return [row[2] for row in stored(folder, "account", now).values()]

    # Also backwards: a clock may be set back.
    assert [spend(hour) for hour in (0, 1, 9, 13, 8, 0)] == [
        [],
        [Decimal("2.00")],
        [Decimal("5.00")],
        [Decimal("9.00")],
        [Decimal("2.00")],
        [],
    ]


def test_a_row_that_the_platform_took_back_ends_with_its_last_version(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    write(tmp_path, columns.RESTATED_FILE, [{**fact(ad_id="42"), "visible_until": "2026-03-01T14:00:00+01:00"}])
    assert len(stored(load(tmp_path), "ad", NOON)) == 2
    assert len(stored(load(tmp_path), "ad", NOON.replace(hour=13))) == 1
    assert_served_as_expected(tmp_path, NOON)


def test_the_platforms_own_total_replaces_the_sum_of_the_account_only(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    total = {"platform": "meta", "account_id": "11", "impressions": "1003", "spend": "12.61"}
    write(tmp_path, columns.TOTALS_FILE, [{**total, "date": "2026-03-01"}, {**total, "date": "2026-02-27"}])
    folder = load(tmp_path)
    assert [row[2] for row in stored(folder, "account", NOON).values()] == [Decimal("12.61")] * 2
    assert [row[2] for row in stored(folder, "campaign", NOON).values()] == [Decimal("12.50")]
    assert_served_as_expected(tmp_path, NOON)


def test_a_name_is_that_of_the_last_row_of_the_latest_day_so_far(tmp_path: Path) -> None:
    facts(
        tmp_path,
        fact(date="2026-03-01", campaign_name="New"),
        fact(date="2026-02-01", campaign_name="Old"),
        fact(date="2026-03-01", ad_id="42", campaign_name="Newest"),
        fact(date="2026-03-05", campaign_name="Future"),
    )
    campaign = load(tmp_path).of("meta")["11"].campaigns["21"]
    assert [name_of(campaign, date(2026, m, d)) for m, d in ((2, 1), (3, 1), (3, 4), (3, 5))] == [
        "Old",
        "Newest",
        "Newest",
        "Future",
    ]
    assert_served_as_expected(tmp_path, NOON)


def test_reach_is_never_summed(tmp_path: Path) -> None:
    facts(tmp_path, fact(reach="500"), fact(ad_id="42", reach="400"))
    day = load(tmp_path).of("meta")["11"].days[date(2026, 3, 1)]
    assert {row.reach for row in grouped(day, "ad", NOON).values()} == {500, 400}
    assert grouped(day, "campaign", NOON)["21"].reach is None


AMOUNTS = st.one_of(st.just(""), st.decimals(0, 10**6, places=4, allow_nan=False).map(str))
COUNTS = st.one_of(st.just(""), st.integers(0, 10**9).map(str))


@st.composite
def folders(draw: st.DrawFn) -> list[dict[str, str]]:
    rows = {}
    for _ in range(draw(st.integers(1, 12))):
        campaign, adgroup, ad = draw(st.sampled_from([("1", "11", "111"), ("1", "11", "112"), ("1", "11", ""),
                                                      ("1", "", ""), ("2", "21", "211"), ("2", "", "")]))  # fmt: skip
        day = draw(st.sampled_from(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]))
        rows[campaign, adgroup, ad, day] = fact(
            campaign_id=campaign, adgroup_id=adgroup, ad_id=ad, date=day, impressions=draw(COUNTS),
            clicks=draw(COUNTS), spend=draw(AMOUNTS), conversions=draw(AMOUNTS), conversion_value=draw(AMOUNTS),
            video_views=draw(COUNTS), campaign_name=draw(st.sampled_from(["A", "B", "B "])),
        )  # fmt: skip
    return list(rows.values())


@settings(max_examples=40, deadline=None)
@given(rows=folders(), versions=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 23), AMOUNTS), max_size=8))
def test_whatever_is_in_a_folder_is_served_as_the_judge_expects(
    tmp_path_factory: object, rows: list[dict[str, str]], versions: list[tuple[int, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("folder")  # type: ignore[attr-defined]
    facts(path, *rows)
    restated = {
        (index % len(rows), hour): {
            **rows[index % len(rows)],
            "spend": spend,
            "visible_until": f"2026-03-01T{hour:02}:30:00+00:00",
        }
        for index, hour, spend in versions
    }
    write(path, columns.RESTATED_FILE, list(restated.values()))
    for hour in (0, 7, 23):
        assert_served_as_expected(path, datetime(2026, 3, 1, hour, tzinfo=UTC))
