"""Four TikTok accounts in as many zones and currencies, with everything that readers stumble over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from adloom.platforms.model import Days
from infra.sandbox.facts import columns
from tests.unit.sandbox.support import facts, owners_of, write
from tests.unit.sandbox.tiktok import row, thing

NOW = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
SINCE, UNTIL = date(2026, 1, 1), date(2026, 3, 9)
WHOLE = Days(SINCE, UNTIL)
BERLIN, TOKYO, KUWAIT, ANGELES = (
    "7000000000000000011",
    "7000000000000000012",
    "7000000000000000013",
    "7000000000000000014",
)
ADS, DAYS = 90, 25


def delivery() -> list[dict[str, str]]:
    """Four accounts; Berlin's has more rows than a page, deleted objects, and delivery that no ad has."""
    rows = [
        row(
            account_id=BERLIN, campaign_id=str(1800000000000000000 + n % 3),
            adgroup_id=str(1810000000000000000 + n % 9), ad_id=str(1820000000000000000 + n),
            ad_name=f"Ad {n}", date=(UNTIL - timedelta(day)).isoformat(),
            spend=f"{n}.{day:02}7", impressions=str(n * 10 + day), clicks=str(n), conversions="" if n % 7 else f"{n}.5",
            conversion_value=f"{n * 3}.10", video_views=str(n * 2), reach=str(n * 9),
        )
        for day in range(DAYS)
        for n in range(ADS)
    ]  # fmt: skip
    usual = {"account_id": BERLIN, "campaign_id": "1800000000000000000", "adgroup_id": "1810000000000000000"}
    rows += [
        row(**usual, ad_id="", ad_name="", date="2026-03-08", spend="0.01"),
        row(**{**usual, "adgroup_id": ""}, ad_id="", ad_name="", adgroup_name="", date="2026-03-08", spend="4"),
    ]
    for number, (account_id, currency, zone) in enumerate(
        ((TOKYO, "JPY", "Asia/Tokyo"), (KUWAIT, "KWD", "Asia/Kuwait"), (ANGELES, "USD", "America/Los_Angeles"))
    ):
        own = {"account_id": account_id, "currency": currency, "timezone": zone}
        ids = {"campaign_id": f"190{number}", "adgroup_id": f"191{number}", "ad_id": f"192{number}"}
        for day in ("2026-01-01", "2026-01-31", "2026-02-01", "2026-03-08", "2026-03-09", "2026-03-10"):
            rows.append(row(**own, **ids, date=day, spend="1200" if currency == "JPY" else "3.456"))
    return rows


def objects() -> list[dict[str, str]]:
    of = {"account_id": BERLIN}
    top_view = [{**thing("campaign", "1800000000000000001", BERLIN, kind="top_view", lifetime_budget="900"), **of}]
    return [
        {**thing("account", BERLIN, "", name="Shop", created_at="2025-12-24T10:00:00+01:00"), **of},
        {**thing("account", TOKYO, "", status="archived"), "account_id": TOKYO},
        {**thing("campaign", "1800000000000000000", BERLIN, status="deleted", daily_budget="52.50",
                 objective="WEB_CONVERSIONS", deleted_at="2026-03-01T00:00:00+01:00"), **of},
        {**thing("campaign", "1800000000000000002", BERLIN, kind="smart_plus", status="paused"), **of},
        {**thing("ad_group", "1810000000000000003", "1800000000000000000", lifetime_budget="100.05"), **of},
        {**thing("ad", "1820000000000000005", "1810000000000000005", created_at="2026-01-02T00:30:00+01:00"), **of},
        {**thing("ad", "1820000000000000007", "1810000000000000007", status="deleted",
                 updated_at="2026-03-01T08:00:00+00:00"), **of},
        *top_view,
    ]  # fmt: skip


def by_hour() -> list[dict[str, str]]:
    """Hours of two accounts' campaigns, one of them not begun by NOW, and one without delivery."""
    of = {"platform": "tiktok", "account_id": BERLIN}
    usual = {"impressions": "40", "clicks": "2", "spend": "1.07", "conversions": "1", "conversion_value": "9.90"}
    rows = [
        {
            **of,
            "campaign_id": f"180000000000000000{n}",
            "date": day,
            "hour": str(hour),
            **usual,
            "spend": f"{n}.{hour:02}",
        }
        for n in range(3)
        for day, hour in (("2026-03-08", 0), ("2026-03-08", 23), ("2026-03-09", 13), ("2026-03-09", 14))
    ]
    rows.append({**rows[0], "hour": "5", **dict.fromkeys(usual, "0")})
    return [*rows, {**rows[0], "account_id": ANGELES, "campaign_id": "1902", "date": "2026-03-09", "hour": "3"}]


def hours_by(now: datetime) -> dict[tuple[str, str, str, int], dict[str, Decimal]]:
    """What the folder says of hours that have begun by an instant, by level, id, day and hour."""
    found: dict[tuple[str, str, str, int], dict[str, Decimal]] = {}
    zones = {BERLIN: "Europe/Berlin", ANGELES: "America/Los_Angeles"}
    for one in by_hour():
        numbers = {name: Decimal(one[name]) for name in columns.SUMS}
        local = now.astimezone(ZoneInfo(zones[one["account_id"]]))
        if (one["date"], int(one["hour"])) > (local.date().isoformat(), local.hour) or not any(numbers.values()):
            continue
        for level, entity_id in (("account", one["account_id"]), ("campaign", one["campaign_id"])):
            sums = found.setdefault(
                (level, entity_id, one["date"], int(one["hour"])), dict.fromkeys(numbers, Decimal(0))
            )
            sums.update({name: sums[name] + number for name, number in numbers.items()})
    return found


def folder_in(path: Path, *, with_smart: bool = True) -> Path:
    """The facts folder: with restated rows and an account's day that is not the sum of its rows."""
    made = facts(path, *delivery())
    write(made, columns.ENTITIES_FILE, [one for one in objects() if with_smart or one.get("kind") != "smart_plus"])
    earlier = {**delivery()[0], "spend": "999.99", "visible_until": "2026-03-09T09:00:00+00:00"}
    later = {**delivery()[1], "spend": "77.001", "visible_until": "2026-03-10T00:00:00+00:00"}
    write(made, columns.RESTATED_FILE, [earlier, later])
    total = {"platform": "tiktok", "account_id": BERLIN, "date": "2026-03-05", "impressions": "7", "spend": "1.25"}
    write(made, columns.TOTALS_FILE, [total])
    write(made, columns.HOURLY_FILE, by_hour())
    return made


def owners() -> dict[str, set[str]]:
    return owners_of(delivery())
