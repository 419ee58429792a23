"""What the page about the health of the data shows besides: cadences, days set aside, numbers that moved afterwards."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg

from tests.ui.seed import NOW, TODAY

_PACE = """
insert into paces (platform, every, reason, tier, calls_allowed, calls_needed, since, noted_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (platform) do update set every = excluded.every, reason = excluded.reason, tier = excluded.tier,
    calls_allowed = excluded.calls_allowed, calls_needed = excluded.calls_needed
"""
# Each of the last days said a little less before, until some days after it.
_MOVED = """
insert into restatements (account_id, org_id, level, entity_id, day, impressions, clicks, spend, conversions,
                          conversion_value, valid_from, valid_to, run_id, replaced_by_run_id)
select m.account_id, m.org_id, m.level, m.entity_id, m.day, m.impressions, m.clicks, m.spend - 3.25, m.conversions - 2,
       m.conversion_value - 120, (m.day + 1)::timestamptz, (m.day + %(late)s)::timestamptz + interval '3 hours',
       m.run_id, m.run_id
  from metrics m where m.account_id = %(account)s and m.level = 'account' and m.day between %(since)s and %(until)s
"""


def stretched(admin_url: str) -> None:
    """Google at its lowest level, Meta busy, TikTok as usual."""
    hour = timedelta(hours=1)
    rows = (
        ("google", hour * 6, "quota", "explorer", 1872, 1760),
        ("meta", timedelta(minutes=30), "load", "full", None, 9600),
        ("tiktok", timedelta(minutes=15), "usual", "basic", 561_600, 19_200),
    )
    with psycopg.connect(admin_url) as connection:
        for row in rows:
            connection.execute(_PACE, (*row, NOW - hour, NOW))


_ASIDE = """
insert into sync_windows (org_id, account_id, since, until, aside_at, error_code, error_detail)
select org_id, account_id, %s, %s, %s, %s, %s from ad_accounts where account_id = %s
"""


def aside(admin_url: str, account_id: int, *, number: int = 2) -> None:
    """So many days of the account are set aside: the first passes, the others need somebody."""
    protocol = ("platform_protocol", "Meta's answer for these days has 3 rows where it names 4")
    with psycopg.connect(admin_url) as connection:
        for each in range(number):
            code, said = ("platform_transient", "Meta does not answer (code 2)") if not each else protocol
            day = TODAY - timedelta(days=20 + 2 * each)
            connection.execute(_ASIDE, (day, day + timedelta(days=each % 2), NOW, code, said, account_id))


_READ_BEFORE = """
insert into sync_runs (org_id, account_id, kind, since, until, api_version, query, timezone, currency, started_at,
                       fetched_at, business_at, finished_at, requests, rows_read, rows_inserted, rows_updated,
                       rows_deleted, outcome)
select org_id, account_id, 'metrics', %s, %s, 'v26.0', '{}', timezone, currency, now(), now(), %s, now(), 4, 0, 0, 0,
       0, 'succeeded' from ad_accounts where account_id = %s
"""


def history(admin_url: str, account_id: int) -> None:
    """Days before and after the turn of a year were read just now: the longest name of a span of days."""
    with psycopg.connect(admin_url) as connection:
        connection.execute(_READ_BEFORE, (date(2023, 10, 23), date(2024, 1, 11), NOW, account_id))


def usual(admin_url: str) -> None:
    with psycopg.connect(admin_url) as connection:
        connection.execute("delete from paces")


def moved(admin_url: str, account_id: int, *, late: int = 3) -> None:
    """The account's days of two weeks changed so many days after."""
    values = {
        "account": account_id,
        "late": late,
        "since": TODAY - timedelta(days=20),
        "until": TODAY - timedelta(days=6),
    }
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "update metrics set valid_from = (day + %(late)s)::timestamptz + interval '3 hours'"
            " where account_id = %(account)s and level = 'account' and day between %(since)s and %(until)s",
            values,
        )
        connection.execute(_MOVED, values)
