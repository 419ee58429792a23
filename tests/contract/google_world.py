"""Six Google accounts in as many zones and currencies, with everything that readers stumble over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from adloom.platforms.model import Days
from infra.sandbox.facts import columns
from tests.unit.sandbox.google import row, thing
from tests.unit.sandbox.support import facts, owners_of, write

NOW = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
SINCE, UNTIL = date(2026, 1, 1), date(2026, 3, 9)
WHOLE = Days(SINCE, UNTIL)
BERLIN, TOKYO, KUWAIT, ANGELES, CLOSED = "1000000011", "1000000012", "1000000013", "1000000014", "1000000015"
ADS, DAYS = 60, 20
# Performance Max: a campaign, and its asset group.
MAX, GROUP = "21999999999", "6500000001"
SHOWN = "700000000001"


def delivery() -> list[dict[str, str]]:
    """Berlin's account has removed objects, Performance Max, and delivery that no ad has."""
    rows = [
        row(
            account_id=BERLIN, campaign_id=str(21000000000 + n % 3), adgroup_id=str(160000000000 + n % 9),
            ad_id=str(700000000000 + n), ad_name=f"Ad {n}", date=(UNTIL - timedelta(day)).isoformat(),
            spend=f"{n}.{day:02}0007", impressions=str(n * 10 + day), clicks=str(n),
            conversions="" if n % 7 else f"{n}.333333", conversion_value=f"{n * 3}.10", video_views=str(n * 2),
        )
        for day in range(DAYS)
        for n in range(ADS)
    ]  # fmt: skip
    of = {"account_id": BERLIN}
    rows += [
        row(**of, campaign_id=MAX, campaign_name="Max", adgroup_id="", adgroup_name="", ad_id="", ad_name="",
            date=day, spend="400.000001", conversions="0.1")
        for day in ("2026-03-08", "2026-03-09")
    ]  # fmt: skip
    rows += [
        row(**of, campaign_id=MAX, campaign_name="Max", adgroup_id=GROUP, adgroup_name="All of it", ad_id="",
            ad_name="", date=day, spend="80.5", conversions="1.75")
        for day in ("2026-03-07", "2026-03-08", "2026-03-09")
    ]  # fmt: skip
    rows.append(row(**of, campaign_id="21000000000", adgroup_id="160000000000", ad_id="", ad_name="",
                    date="2026-03-08", spend="0.01"))  # fmt: skip
    for number, (account_id, currency, zone) in enumerate(
        (
            (TOKYO, "JPY", "Asia/Tokyo"),
            (KUWAIT, "KWD", "Asia/Kuwait"),
            (ANGELES, "USD", "America/Los_Angeles"),
            (CLOSED, "USD", "America/Los_Angeles"),
        )
    ):
        own = {"account_id": account_id, "currency": currency, "timezone": zone}
        ids = {"campaign_id": f"2200{number}", "adgroup_id": f"2300{number}", "ad_id": f"2400{number}"}
        for day in ("2026-01-01", "2026-01-31", "2026-02-01", "2026-03-08", "2026-03-09", "2026-03-10"):
            rows.append(row(**own, **ids, date=day, spend="1200" if currency == "JPY" else "3.456"))
    return rows


def objects() -> list[dict[str, str]]:
    of = {"account_id": BERLIN}
    return [
        {**thing("account", BERLIN, "", name="Shop"), **of},
        {**thing("account", KUWAIT, "", kind="direct", conversion_window_days="7"), "account_id": KUWAIT},
        {**thing("account", ANGELES, "", kind="sub_manager", status="paused"), "account_id": ANGELES},
        {**thing("account", CLOSED, "", status="deleted"), "account_id": CLOSED},
        {**thing("campaign", "21000000000", BERLIN, status="deleted", daily_budget="52.50",
                 deleted_at="2026-03-01T00:00:00+01:00", labels='["winter"]', conversion_window_days="60"), **of},
        {**thing("campaign", "21000000002", BERLIN, kind="video", status="paused"), **of},
        {**thing("campaign", MAX, BERLIN, kind="performance_max", lifetime_budget="900.05"), **of},
        {**thing("ad_group", GROUP, MAX, name="All of it", final_url="https://shop.example/",
                 image_url="https://shop.example/all.png", review_status="disapproved",
                 texts='[{"field":"headline","text":"Everything"},{"field":"description","text":"At once"}]'), **of},
        {**thing("ad_group", "160000000001", "21000000001", kind="search_standard", labels='["winter","shop"]'), **of},
        {**thing("ad", SHOWN, "160000000001", final_url="https://shop.example/coat", labels='["shop"]',
                 image_url="https://shop.example/coat.png", review_status="limited", review_reason="TRADEMARKS",
                 texts='[{"field":"headline","text":"Coats"},{"field":"long_headline","text":"Coats for all"},'
                       '{"field":"description","text":"Warm"}]'), **of},
        {**thing("ad", "700000000002", "160000000002", review_status="approved",
                 texts='[{"field":"headline","text":"Parkas"}]'), **of},
        {**thing("ad", "700000000007", "160000000007", status="deleted"), **of},
    ]  # fmt: skip


def hours() -> list[dict[str, str]]:
    """By the hour, on the day before the last and the last itself, of which some hours have not begun."""
    of = {"platform": "google", "account_id": BERLIN}
    return [
        {**of, "campaign_id": campaign_id, "date": day, "hour": str(hour), "impressions": str(hour + 1),
         "clicks": "" if hour % 2 else "1", "spend": f"{hour}.000007", "conversions": f"0.{hour:02}5"}
        for campaign_id in ("21000000001", MAX)
        for day in ("2026-03-08", "2026-03-09")
        for hour in (0, 9, 13, 14, 23)
    ]  # fmt: skip


def folder_in(path: Path) -> Path:
    """The facts folder: with restated rows and an account's day that is not the sum of its rows."""
    made = facts(path, *delivery())
    write(made, columns.ENTITIES_FILE, objects())
    write(made, columns.HOURLY_FILE, hours())
    earlier = {**delivery()[0], "spend": "999.99", "visible_until": "2026-03-09T09:00:00+00:00"}
    later = {**delivery()[1], "spend": "77.001", "visible_until": "2026-03-10T00:00:00+00:00"}
    write(made, columns.RESTATED_FILE, [earlier, later])
    total = {"platform": "google", "account_id": BERLIN, "date": "2026-03-05", "impressions": "7", "spend": "1.25"}
    write(made, columns.TOTALS_FILE, [total])
    return made


def owners() -> dict[str, set[str]]:
    return owners_of(delivery())
