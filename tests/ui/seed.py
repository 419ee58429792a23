"""Puts made-up accounts, campaigns and days straight into the tables, as the superuser: pages only ever read them."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 8, 46, tzinfo=UTC)
SYNCED = datetime(2026, 11, 20, 8, 45, tzinfo=UTC)
LEVELS = ("campaign", "ad_group", "ad")


@dataclass(frozen=True)
class Campaign:
    """`share` of the account's spend; `roas` is its value per spend; `parts` makes ad sets and ads below it."""

    name: str
    share: float
    roas: float = 3.0
    status: str = "active"
    budget: float | None = None
    parts: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class AdAccount:
    """`daily` is what a day costs on average, in the account's currency."""

    platform: str
    external_id: str
    name: str
    daily: float
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    campaigns: Sequence[Campaign] = ()
    synced: datetime | None = SYNCED
    connection: str = "active"
    unexplained: Sequence[date] = ()
    days: int = 190
    error: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def seed(admin_url: str, org_id: uuid.UUID, accounts: Sequence[AdAccount]) -> list[int]:
    """Insert the accounts with their history; returns our ids of them."""
    with psycopg.connect(admin_url) as connection:
        made = [_account(connection, org_id, account) for account in accounts]
        connection.execute("analyze")
    return made


def clear(admin_url: str) -> None:
    """Take all accounts and their numbers away; people and sessions stay."""
    tables = (
        "reconciliations, restatements, metrics, sync_windows, sync_runs, entity_changes, entities, ad_accounts,"
        " connections"
    )
    with psycopg.connect(admin_url) as connection:
        connection.execute(f"truncate {tables} cascade")


def organisation(admin_url: str) -> uuid.UUID:
    with psycopg.connect(admin_url) as connection:
        row = connection.execute("select org_id from organisations order by created_at limit 1").fetchone()
    assert row is not None
    return uuid.UUID(str(row[0]))


def _account(connection: psycopg.Connection, org_id: uuid.UUID, account: AdAccount) -> int:
    connection_id = uuid.uuid4()
    broken = account.connection == "broken"
    connection.execute(
        "insert into connections (connection_id, org_id, platform, external_user_id, name, status, broken_code,"
        " broken_at) values (%s, %s, %s, %s, 'Mira Keller', %s, %s, %s)",
        (
            connection_id,
            org_id,
            account.platform,
            f"person-{account.external_id}",
            account.connection,
            "190/463" if broken else None,
            SYNCED if broken else None,
        ),
    )
    found = connection.execute(
        "insert into ad_accounts (org_id, connection_id, platform, external_id, name, currency, timezone,"
        " last_synced_at, error_code, error_detail) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " returning account_id",
        (
            org_id,
            connection_id,
            account.platform,
            account.external_id,
            account.name,
            account.currency,
            account.timezone,
            account.synced,
            account.error,
            account.error and "Meta refuses this account: it has been disabled",
        ),
    ).fetchone()
    assert found is not None
    account_id = int(found[0])
    if account.synced is None:
        return account_id
    run_id = _run(connection, org_id, account_id, account)
    _entities(connection, org_id, account_id, account, run_id)
    _metrics(connection, org_id, account_id, account, run_id)
    _reconciliations(connection, account_id, account)
    return account_id


def _run(connection: psycopg.Connection, org_id: uuid.UUID, account_id: int, account: AdAccount) -> int:
    windows = [
        (None, None),
        (TODAY - timedelta(days=2), TODAY),
        (TODAY - timedelta(days=30), TODAY - timedelta(days=3)),
    ]
    run_id = 0
    for number, (since, until) in enumerate(reversed(windows)):
        row = connection.execute(
            "insert into sync_runs (org_id, account_id, kind, since, until, api_version, query, timezone, currency,"
            " started_at, fetched_at, business_at, finished_at, requests, rows_read, rows_inserted, rows_updated,"
            " rows_deleted, outcome) values (%s, %s, %s, %s, %s, 'v23.0', '{}', %s, %s, now(), now(), %s, now(),"
            " %s, %s, %s, %s, 0, 'succeeded')"
            " returning run_id",
            (
                org_id,
                account_id,
                "metrics" if since else "entities",
                since,
                until,
                account.timezone,
                account.currency,
                SYNCED - timedelta(minutes=15 * (2 - number)),
                4 + number,
                1200 * (3 - number),
                900,
                14,
            ),
        ).fetchone()
        assert row is not None
        run_id = int(row[0])
    return run_id


def _entities(
    connection: psycopg.Connection, org_id: uuid.UUID, account_id: int, account: AdAccount, run_id: int
) -> None:
    columns = "account_id, org_id, level, external_id, parent_id, name, status, daily_budget, first_seen_at, run_id"
    with connection.cursor() as cursor, cursor.copy(f"copy entities ({columns}) from stdin") as copy:
        for level, entity_id, parent, name, status, budget in _tree(account):
            copy.write_row((account_id, org_id, level, entity_id, parent, name, status, budget, SYNCED, run_id))


def _tree(account: AdAccount) -> Iterator[tuple[str, str, str, str, str, Decimal | None]]:
    for number, campaign in enumerate(account.campaigns):
        own = f"{account.external_id}{number:05d}"
        budget = None if campaign.budget is None else Decimal(str(campaign.budget))
        yield "campaign", own, account.external_id, campaign.name, campaign.status, budget
        for group in range(campaign.parts[0]):
            group_id = f"{own}{group:02d}"
            yield "ad_group", group_id, own, f"Audience {group + 1} · {campaign.name}", campaign.status, None
            for ad in range(campaign.parts[1]):
                yield "ad", f"{group_id}{ad:02d}", group_id, f"Creative {ad + 1}", campaign.status, None


def _metrics(
    connection: psycopg.Connection, org_id: uuid.UUID, account_id: int, account: AdAccount, run_id: int
) -> None:
    columns = (
        "account_id, org_id, level, entity_id, day, impressions, clicks, spend, conversions, conversion_value, "
        "valid_from, run_id"
    )
    with connection.cursor() as cursor, cursor.copy(f"copy metrics ({columns}) from stdin") as copy:
        for level, entity_id, day, sums in _facts(account):
            copy.write_row((account_id, org_id, level, entity_id, day, *sums, SYNCED, run_id))


def _facts(account: AdAccount) -> Iterator[tuple[str, str, date, tuple[Any, ...]]]:
    dice = random.Random(account.external_id)
    for offset in range(account.days):
        day = TODAY - timedelta(days=offset)
        total: list[Any] = [0, 0, Decimal(0), Decimal(0), Decimal(0)]
        for number, campaign in enumerate(account.campaigns):
            sums = _day(account, campaign, offset, dice)
            own = f"{account.external_id}{number:05d}"
            yield "campaign", own, day, sums
            yield from _below(own, campaign, day, sums)
            total = [one + other for one, other in zip(total, sums, strict=True)]
        yield "account", account.external_id, day, tuple(total)


def _day(account: AdAccount, campaign: Campaign, offset: int, dice: random.Random) -> tuple[Any, ...]:
    wave = 1 + 0.16 * math.sin(2 * math.pi * (offset - 2) / 7) + 0.07 * math.sin(offset / 9) - 0.0019 * offset
    spend = Decimal(str(round(account.daily * campaign.share * wave * dice.uniform(0.93, 1.07), 2)))
    clicks = int(float(spend) * dice.uniform(2.3, 2.7))
    value = (spend * Decimal(str(round(campaign.roas * dice.uniform(0.9, 1.1), 3)))).quantize(Decimal("0.01"))
    return int(clicks * dice.uniform(70, 85)), clicks, spend, Decimal(int(value / 74)), value


def _below(
    own: str, campaign: Campaign, day: date, sums: tuple[Any, ...]
) -> Iterator[tuple[str, str, date, tuple[Any, ...]]]:
    groups, ads = campaign.parts
    for group in range(groups):
        part = tuple((Decimal(item) / groups).quantize(Decimal("0.01")) for item in sums[2:])
        yield "ad_group", f"{own}{group:02d}", day, (sums[0] // groups, sums[1] // groups, *part)
        for ad in range(ads):
            piece = tuple((item / ads).quantize(Decimal("0.01")) for item in part)
            yield "ad", f"{own}{group:02d}{ad:02d}", day, (sums[0] // groups // ads, sums[1] // groups // ads, *piece)


def _reconciliations(connection: psycopg.Connection, account_id: int, account: AdAccount) -> None:
    """Every day of the last 40 compared; on the days named the levels below the account differ, unexplained."""
    connection.execute(
        _COMPARE,
        {
            "account": account_id,
            "bad": list(account.unexplained),
            "synced": SYNCED,
            "since": TODAY - timedelta(days=40),
        },
    )


_COMPARE = """
with sums as (
    select account_id, org_id, day, level, count(*) as row_count, sum(impressions) as impressions,
           sum(clicks) as clicks,
           sum(spend) - case when level <> 'account' and day = any (%(bad)s) then 12.40 else 0 end as spend,
           sum(conversions) as conversions, sum(conversion_value) as conversion_value, max(run_id) as run_id
      from metrics where account_id = %(account)s and day > %(since)s group by account_id, org_id, day, level
)
insert into reconciliations (account_id, org_id, day, level, row_count, impressions, clicks, spend, conversions,
                             conversion_value, state, explanation, checked_at, run_id)
select s.account_id, s.org_id, s.day, s.level, s.row_count, s.impressions, s.clicks, s.spend, s.conversions,
       s.conversion_value,
       case when s.level <> 'account' and s.day = any (%(bad)s) then 'unexplained'
            when s.spend <> t.spend then 'explained' else 'match' end,
       case when s.spend = t.spend then null
            when s.day = any (%(bad)s) then 'differs_from_account_total'
            else 'delivery_without_' || s.level || '_rows' end,
       %(synced)s, s.run_id
  from sums s join sums t on t.account_id = s.account_id and t.day = s.day and t.level = 'account'
"""


# --- casts -----------------------------------------------------------------------------------------------------------

SHOP = (
    AdAccount(
        "google",
        "8441",
        "Nordlicht Google",
        880,
        campaigns=(
            Campaign("Brand · Search DE", 0.37, 6.84, budget=430),
            Campaign("Performance Max · Coats", 0.31, 4.02, budget=390),
            Campaign("Generic · Winter boots", 0.12, 2.36, "paused"),
            Campaign("Shopping · All products", 0.20, 3.1, budget=260),
        ),
    ),
    AdAccount(
        "meta",
        "1207",
        "Nordlicht Meta",
        600,
        campaigns=(
            Campaign("Black Friday · Prospecting", 0.45, 2.91, budget=195, parts=(4, 3)),
            Campaign("Retargeting 14 days", 0.35, 5.47, budget=330, parts=(2, 5)),
            Campaign("Advantage+ · Evergreen", 0.20, 2.2, budget=180),
        ),
    ),
    AdAccount(
        "tiktok",
        "7301",
        "Nordlicht TikTok",
        240,
        campaigns=(
            Campaign("Spark · Creator set 4", 0.6, 1.88, budget=380),
            Campaign("Video views · Teaser", 0.4, 2.0, budget=120),
        ),
    ),
)

CURRENCIES = (
    *SHOP,
    AdAccount(
        "meta",
        "5520",
        "Asha Home India",
        412_000,
        "INR",
        "Asia/Kolkata",
        campaigns=(
            Campaign(
                "Diwali sale · Lookalike 3 % · Mumbai, Delhi NCR, Bengaluru · Mobile only · Reels + Stories",
                0.7,
                2.4,
                budget=300_000,
            ),
            Campaign("Retargeting", 0.3, 6.1, budget=100_000),
        ),
    ),
    AdAccount(
        "meta",
        "5521",
        "Kumo KK",
        152_000,
        "JPY",
        "Asia/Tokyo",
        campaigns=(Campaign("秋の新作 · リターゲティング", 1, 3.3, budget=180_000),),
    ),
    AdAccount(
        "google",
        "5522",
        "Nordlicht US",
        9_300,
        "USD",
        "America/Los_Angeles",
        campaigns=(Campaign("Brand · US", 1, 4.4, budget=9000),),
    ),
)

TROUBLED = (
    AdAccount(
        "meta",
        "1207",
        "Nordlicht Meta",
        600,
        campaigns=SHOP[1].campaigns,
        connection="broken",
        synced=datetime(2026, 11, 18, 21, 30, tzinfo=UTC),
    ),
    AdAccount(
        "meta",
        "1208",
        "Nordlicht Outlet with a name that somebody made much longer than a name needs to be",
        300,
        campaigns=SHOP[1].campaigns,
        unexplained=(date(2026, 11, 12), date(2026, 11, 3)),
    ),
    AdAccount(
        "meta",
        "1209",
        "Nordlicht B2B",
        80,
        campaigns=SHOP[1].campaigns[:1],
        synced=datetime(2026, 11, 20, 4, 0, tzinfo=UTC),
    ),
    AdAccount("meta", "1210", "Nordlicht Archive", 30, campaigns=SHOP[1].campaigns[:1], error="account_inaccessible"),
)


def many(number: int) -> AdAccount:
    """An account with that many campaigns, two of them with names that try to break the page."""
    campaigns = [
        Campaign(f"Campaign {index:05d} · Prospecting", 1 / number, 1 + index % 7, budget=2) for index in range(number)
    ]
    campaigns[0] = Campaign('<script>alert(1)</script> & "quoted" ' + "Donaudampfschifffahrtsgesellschaft" * 6, 0.2, 3)
    campaigns[1] = Campaign("W" * 400, 0.1, 3)
    return AdAccount("meta", "9000", "Ten thousand", 90_000, campaigns=campaigns, days=2)


TEN_THOUSAND = (many(10_000),)
