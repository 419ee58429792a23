"""What is stored beside the numbers of days: what people see of ads, hours, and what counts as a conversion."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adloom.errors import NotFound, ValidationFailed
from adloom.metrics import definitions, entity_export, hour_export, planning
from adloom.metrics.query import Period
from infra.sandbox.facts import columns
from tests.conftest import Postgres
from tests.integration.sync_rig import Rig, rig_on
from tests.unit.sandbox.support import entity, fact, facts, write

NOON = "2026-03-03T12:00:00+00:00"
DETAILS = (
    "labels", "texts", "final_url", "image_url", "review_status", "review_reason", "conversion_window_days",
)  # fmt: skip
# Rows ever written, by what only a write changes.
STAMPS = "select xmin::text as x, ctid::text as c, md5(t::text) as m from {} t where org_id = %s order by 3"
Start = Callable[..., Rig]


@pytest.fixture
def start(postgres: Postgres, tmp_path: Path) -> Iterator[Start]:
    """`start(folder, now)` connects a new organisation to a sandbox that serves the folder, and syncs it."""
    with ExitStack() as stack:

        def begin(folder: Path, now: str = NOON) -> Rig:
            rig = stack.enter_context(rig_on(postgres, folder, tmp_path, now))
            rig.settle()
            return rig

        yield begin


def ask(rig: Rig, since: str | None = None) -> None:
    first = date.fromisoformat(since) if since else None
    planning.request(rig.sync, org_id=rig.org_id, account_scope="*", since=first)
    rig.settle()


def stamps(rig: Rig, *tables: str) -> dict[str, Any]:
    return {table: rig.rows(STAMPS.format(table)) for table in tables}


# What people see


def described(folder: Path, **ad: str) -> Path:
    """A folder with one ad that has every detail, and an ad set with a window."""
    facts(folder, fact(), fact(ad_id="42", ad_name="Hat"))
    write(
        folder,
        columns.ENTITIES_FILE,
        [
            entity("campaign", "21", "11", labels='["Winter","Sale"]'),
            entity("ad_group", "31", "21", conversion_window_days="7"),
            entity("ad", "41", "31", **(AD | ad)),
            entity("ad", "42", "31", texts='[{"field":"headline","text":"One"},{"field":"headline","text":"Two"}]'),
        ],
    )
    return folder


AD = {
    "final_url": "https://shop.example/parka",
    "image_url": "https://cdn.example/a.jpg?sig=1",
    "texts": '[{"field":"headline","text":"Warm"},{"field":"primary_text","text":"Wärmer als warm."}]',
    "labels": '["Outdoor"]',
    "review_status": "disapproved",
    "review_reason": "The picture says more than it may.",
}


def details(rig: Rig) -> dict[str, dict[str, Any]]:
    rows = rig.rows("select * from entities where org_id = %s and level <> 'account'")
    return {row["external_id"]: {name: row[name] for name in DETAILS} for row in rows}


def changes(rig: Rig) -> set[tuple[str, str, str, str]]:
    rows = rig.rows("select * from entity_changes where org_id = %s")
    return {(row["external_id"], row["field"], row["old_value"], row["new_value"]) for row in rows}


def test_texts_page_image_labels_review_and_window_are_stored(start: Start, tmp_path: Path) -> None:
    stored = details(start(described(tmp_path / "facts")))
    assert stored["41"] == {
        "labels": ["Outdoor"],
        "texts": json.loads(AD["texts"]),
        "final_url": AD["final_url"],
        "image_url": AD["image_url"],
        "review_status": "DISAPPROVED",
        "review_reason": AD["review_reason"],
        "conversion_window_days": None,
    }
    assert [text["text"] for text in stored["42"]["texts"]] == ["One", "Two"]
    assert (stored["42"]["review_status"], stored["42"]["image_url"]) == ("APPROVED", None)
    assert stored["21"]["labels"] == ["Sale", "Winter"]
    assert (stored["31"]["conversion_window_days"], stored["31"]["review_status"]) == (7, None)


def test_objects_are_exported_as_the_folder_has_them(start: Start, tmp_path: Path) -> None:
    rig = start(described(tmp_path / "facts", status="deleted", deleted_at="2026-03-02T10:00:00+00:00"))
    with rig.database.tenant(rig.org_id) as connection:
        exported = {row["id"]: row for row in entity_export.rows(connection)}
    assert set(exported) == {"11", "21", "31", "41", "42"}
    assert tuple(exported["41"]) == columns.ENTITIES + columns.ENTITIES_OPTIONAL
    ad = exported["41"]
    assert (ad["level"], ad["parent_id"], ad["status"], ad["deleted_at"]) == (
        "ad", "31", "deleted", "2026-03-03T12:00:00+00:00",
    )  # fmt: skip
    assert json.loads(ad["texts"]) == json.loads(AD["texts"])
    assert (ad["final_url"], ad["labels"], ad["review_reason"]) == (AD["final_url"], AD["labels"], AD["review_reason"])
    assert exported["31"]["conversion_window_days"] == "7"


def test_what_changed_of_it_is_kept_with_what_stood_before(start: Start, tmp_path: Path) -> None:
    rig = start(described(tmp_path / "facts"))
    changed = {
        "final_url": "https://shop.example/sale",
        "image_url": "https://cdn.example/b.jpg?sig=1",
        "texts": '[{"field":"headline","text":"Warmer"}]',
        "labels": "[]",
        "review_status": "approved",
        "review_reason": "",
    }
    described(tmp_path / "facts", **changed)
    rig.sandbox.control("POST", "reload")
    rig.at("2026-03-03T13:00:00+00:00")
    ask(rig)
    known = {(field, old, new) for ad, field, old, new in changes(rig) if ad == "41"}
    assert known == {
        ("final_url", AD["final_url"], changed["final_url"]),
        ("image_url", AD["image_url"], changed["image_url"]),
        ("labels", '["Outdoor"]', "[]"),
        ("review_status", "DISAPPROVED", "APPROVED"),
        ("review_reason", AD["review_reason"], None),
        (
            "texts",
            '[{"text": "Warm", "field": "headline"}, {"text": "Wärmer als warm.", "field": "primary_text"}]',
            '[{"text": "Warmer", "field": "headline"}]',
        ),
    }
    assert details(rig)["41"]["image_url"] == changed["image_url"]


def test_an_image_whose_address_is_signed_anew_is_the_same_image(start: Start, tmp_path: Path) -> None:
    rig = start(described(tmp_path / "facts"))
    before = stamps(rig, "entities", "entity_changes")
    described(tmp_path / "facts", image_url="https://cdn2.example/a.jpg?sig=2")
    rig.sandbox.control("POST", "reload")
    rig.at("2026-03-04T12:00:00+00:00")
    ask(rig)
    assert stamps(rig, "entities", "entity_changes") == before
    # An address is good for some days only, so it is taken over by and by.
    rig.at("2026-03-07T12:00:00+00:00")
    ask(rig)
    assert details(rig)["41"]["image_url"] == "https://cdn2.example/a.jpg?sig=2"
    assert changes(rig) == set()


def test_a_creative_of_a_form_that_nobody_knows_costs_its_details_alone(start: Start, tmp_path: Path) -> None:
    folder = described(tmp_path / "facts")
    rig = start(folder)
    odd = {"data": [{"id": "41", "name": "Parka", "status": "ACTIVE", "adset_id": "31", "creative": ["odd"]}]}
    rig.sandbox.faults({"match": {"path": "/ads$"}, "fault": {"kind": "error", "status": 200, "body": odd}})
    rig.at("2026-03-03T13:00:00+00:00")
    ask(rig)
    assert rig.one("select error_code from ad_accounts where org_id = %s") is None
    assert details(rig)["41"]["texts"] == []
    assert rig.one("select count(*) from metrics where org_id = %s and level = 'ad'") == 2


# By the hour


def hour(day: str, at: int, campaign: str = "21", **cells: str) -> dict[str, str]:
    usual = {
        "platform": "meta", "account_id": "11", "campaign_id": campaign, "impressions": "100", "clicks": "3",
        "spend": "1.25", "conversions": "0.5", "conversion_value": "20.00",
    }  # fmt: skip
    return {**usual, "date": day, "hour": str(at), **cells}


def hourly(rig: Rig, level: str = "campaign") -> dict[tuple[str, str, int], tuple[Any, ...]]:
    rows = rig.rows("select * from metrics_hourly where org_id = %s and level = %s", level)
    return {
        (row["entity_id"], row["day"].isoformat(), row["hour"]): tuple(row[name] for name in columns.SUMS)
        for row in rows
    }


def expected_hours(rows: list[dict[str, str]]) -> dict[tuple[str, str, int], tuple[Any, ...]]:
    def number(row: dict[str, str], name: str) -> Decimal | int | None:
        return (int if name in ("impressions", "clicks") else Decimal)(row[name]) if row[name] else None

    return {
        (row["campaign_id"], row["date"], int(row["hour"])): tuple(number(row, name) for name in columns.SUMS)
        for row in rows
    }


def two_campaigns(folder: Path, days: list[str], rows: list[dict[str, str]]) -> Path:
    second = {"campaign_id": "22", "adgroup_id": "32", "ad_id": "42"}
    facts(folder, *[fact(date=day, **more) for day in days for more in ({}, second)])
    write(folder, columns.HOURLY_FILE, rows)
    return folder


def test_hours_equal_the_folder_and_the_account_s_are_their_sums(start: Start, tmp_path: Path) -> None:
    first = date(2026, 3, 2) - timedelta(60)
    days = [(first + timedelta(n)).isoformat() for n in range(61)]
    rows = [
        hour(day, at, campaign, clicks="" if at == 3 else "3", conversions="" if at == 3 else "0.5",
             conversion_value="" if at == 3 else "20.00", spend=f"{at}.0{n % 10}")
        for n, day in enumerate(days) for at in (0, 3, 23) for campaign in ("21", "22")
    ]  # fmt: skip
    rig = start(two_campaigns(tmp_path / "facts", days, rows))
    kept = [row for row in rows if row["date"] > "2026-01-06"]
    assert len({row["date"] for row in kept}) == 55
    assert hourly(rig) == expected_hours(kept)
    totals = {}
    for (_, day, at), (impressions, clicks, spend, *_) in hourly(rig).items():
        had = totals.get((day, at), (0, 0, Decimal(0)))
        totals[day, at] = (had[0] + impressions, had[1] + (clicks or 0), had[2] + spend)
    stored = {key[1:]: (row[0], row[1] or 0, row[2]) for key, row in hourly(rig, "account").items()}
    assert stored == totals
    with rig.database.tenant(rig.org_id) as connection:
        exported = list(hour_export.rows(connection, "campaign", Period(date(2026, 1, 1), date(2026, 3, 3))))
    assert exported == sorted(kept, key=lambda row: (row["date"], row["campaign_id"], int(row["hour"])))
    (owed,) = rig.rows("select hours_until, hours_owed::text as owed from ad_accounts where org_id = %s")
    assert owed == {"hours_until": date(2026, 3, 3), "owed": "{}"}


def test_today_grows_and_an_unchanged_hour_is_not_written_again(start: Start, tmp_path: Path) -> None:
    rows = [hour("2026-03-02", at) for at in (0, 23)] + [hour("2026-03-03", at) for at in (0, 12, 13, 14)]
    rig = start(two_campaigns(tmp_path / "facts", ["2026-03-02", "2026-03-03"], rows))
    # It is 13 o'clock in Berlin.
    assert hourly(rig) == expected_hours(rows[:-1])
    before = stamps(rig, "metrics_hourly")
    ask(rig)
    assert stamps(rig, "metrics_hourly") == before
    rows[2]["spend"], rows[0]["clicks"] = "9.99", "4"
    write(tmp_path / "facts", columns.HOURLY_FILE, rows[:1] + rows[2:])
    rig.sandbox.control("POST", "reload")
    rig.at("2026-03-03T13:30:00+00:00")
    ask(rig, "2026-03-02")
    assert hourly(rig) == expected_hours(rows[:1] + rows[2:])
    kept = [row for row in stamps(rig, "metrics_hourly")["metrics_hourly"] if row in before["metrics_hourly"]]
    # Of two levels: the hours 12 and 13 of today did not change.
    assert len(kept) == 4


def test_only_the_last_two_days_are_read_again_and_what_nobody_looked_at_once(start: Start, tmp_path: Path) -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 13)]
    rows = [hour(day, 5) for day in days]
    rig = start(two_campaigns(tmp_path / "facts", days, rows))
    rows = [{**row, "spend": "7.00"} for row in rows]
    write(tmp_path / "facts", columns.HOURLY_FILE, rows)
    rig.sandbox.control("POST", "reload")
    rig.at("2026-03-12T12:00:00+00:00")
    ask(rig, "2026-03-01")
    changed = {day for (_, day, _), row in hourly(rig).items() if row[2] == Decimal("7.00")}
    assert changed == set(days[1:])
    rig.sandbox.control("DELETE", "requests")
    ask(rig, "2026-03-01")
    asked = [
        json.loads(one["params"]["time_range"])
        for one in rig.sandbox.control("GET", "requests")["requests"]
        if "breakdowns" in one["params"]
    ]
    assert asked == [{"since": "2026-03-11", "until": "2026-03-12"}] * 2


def test_hours_are_forgotten_after_thirteen_months(start: Start, tmp_path: Path) -> None:
    rows = [hour("2026-03-02", 5), hour("2026-03-03", 5)]
    rig = start(two_campaigns(tmp_path / "facts", ["2026-03-02", "2026-03-03", "2027-04-03"], rows))
    rig.at("2027-04-03T12:00:00+00:00")
    # The old log-in has run out.
    rig.connect(rig.token())
    rig.settle()
    assert {day for _, day, _ in hourly(rig)} == {"2026-03-03"}


def test_an_account_whose_hours_are_refused_has_its_days(start: Start, tmp_path: Path) -> None:
    rig = start(two_campaigns(tmp_path / "facts", ["2026-03-02", "2026-03-03"], [hour("2026-03-02", 5)]))
    rig.admin.execute("delete from metrics_hourly where org_id = %s", (rig.org_id,))
    said = {"error": {"message": "Not here", "type": "OAuthException", "code": 100}}
    fault = {"kind": "error", "status": 400, "body": said}
    rig.sandbox.faults({"match": {"path": "insights", "level": "account", "nth": 2, "times": None}, "fault": fault})
    rig.at("2026-03-03T13:00:00+00:00")
    ask(rig, "2026-03-02")
    assert rig.one("select error_code from ad_accounts where org_id = %s") is None
    assert rig.rows("select * from sync_windows where org_id = %s") == []
    assert hourly(rig) == {}


# What counts


def count(rig: Rig, conversion: str | None) -> definitions.Definition:
    return definitions.change(
        rig.sync, org_id=rig.org_id, account_scope="*", account_id=rig.account_id("11"), conversion=conversion
    )


def conversions(rig: Rig) -> list[tuple[Decimal | None, Decimal | None]]:
    rows = rig.rows("select conversions, conversion_value from metrics where org_id = %s and level = 'ad'")
    return [(row["conversions"], row["conversion_value"]) for row in rows]


def test_another_definition_reads_the_history_again_and_back(start: Start, tmp_path: Path) -> None:
    folder = facts(tmp_path / "facts", fact(date="2025-12-01"), fact(date="2026-03-02", clicks="10"))
    write(folder, columns.HOURLY_FILE, [hour("2026-03-02", 5, clicks="4")])
    rig = start(folder)
    assert conversions(rig) == [(Decimal(2), Decimal(80))] * 2
    changed = count(rig, "link_click")
    assert (changed.conversion, changed.is_chosen) == ("link_click", True)
    rig.settle()
    assert conversions(rig) == [(Decimal(10), None)] * 2
    assert hourly(rig)["21", "2026-03-02", 5][3:] == (Decimal(4), None)
    runs = "select distinct query->>'conversion' as name from sync_runs join metrics using (run_id)"
    assert rig.rows(f"{runs} where sync_runs.org_id = %s") == [{"name": "link_click"}]
    back = count(rig, "omni_purchase")
    assert (back.conversion, back.is_chosen) == ("omni_purchase", False)
    rig.settle()
    assert conversions(rig) == [(Decimal(2), Decimal(80))] * 2


def test_a_window_after_the_click_is_asked_for_and_stands_with_the_numbers(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    count(rig, "omni_purchase@7d_click")
    rig.settle()
    assert conversions(rig) == [(Decimal(2), Decimal(80))]
    count(rig, "omni_purchase@1d_view")
    rig.settle()
    assert conversions(rig) == [(None, None)]
    said = "select distinct attribution from sync_runs join metrics using (run_id) where sync_runs.org_id = %s"
    assert rig.one(said).startswith("1d_view")


def test_the_same_definition_once_more_reads_nothing_again(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    count(rig, "omni_purchase")
    count(rig, None)
    assert rig.undelivered() == []
    assert rig.rows("select * from sync_windows where org_id = %s") == []


def test_a_window_that_was_counted_the_old_way_is_not_stored(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact(), fact(date="2026-03-02")))
    by_purchases = "select count(*) from sync_runs where org_id = %s and query->>'conversion' = 'omni_purchase'"
    before = rig.one(by_purchases)
    # The definition changes while the next sync's rows are on their way.
    reads = rig.sync.open_reader

    def changing(access: Any) -> Any:
        reader = reads(access)
        of_ads = reader.facts

        def facts_of(account: Any, level: Any, days: Any) -> Any:
            if level == "ad" and account.conversion is None:
                count(rig, "link_click")
            return of_ads(account, level, days)

        reader.facts = facts_of  # type: ignore[method-assign]
        return reader

    rig._reader = changing  # type: ignore[method-assign]
    ask(rig, "2026-03-01")
    assert conversions(rig) == [(Decimal(10), None)] * 2
    assert rig.one(by_purchases) == before


def test_a_name_that_the_platform_does_not_have_is_refused_with_those_it_has(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    with pytest.raises(ValidationFailed, match="omni_purchase"):
        count(rig, "Sales!")
    assert rig.rows("select * from sync_windows where org_id = %s") == []


def test_another_organisation_s_account_is_not_there(start: Start, tmp_path: Path) -> None:
    rig = start(facts(tmp_path / "facts", fact()))
    account_id = rig.account_id("11")
    other = rig.org_id.__class__(int=rig.org_id.int ^ 1)
    with pytest.raises(NotFound):
        definitions.change(rig.sync, org_id=other, account_scope="*", account_id=account_id, conversion="lead")
