"""The query layer: sums, periods, currencies, time travel, and an export that is exact."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import text

from adloom.metrics import export
from adloom.metrics.query import Filters, Period, Query, run

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))


@pytest.fixture
def dashboard(connect):
    return connect("dashboard")


@pytest.fixture
def store(postgres, make_organisation, make_account):
    """Two accounts of two currencies with a campaign, an ad group and two ads each; returns org and account ids."""
    org = make_organisation()
    accounts = [make_account(org, "euro", "EUR"), make_account(org, "yen", "JPY", "Asia/Tokyo")]
    with psycopg.connect(postgres.admin_url) as connection:
        for account in accounts:
            for level, identity, parent in (
                ("campaign", "c1", None),
                ("campaign", "c2", None),
                ("ad_group", "g1", "c1"),
                ("ad", "a1", "g1"),
                ("ad", "a2", "g1"),
            ):
                connection.execute(
                    "insert into entities (account_id, org_id, level, external_id, parent_id, name, status,"
                    " first_seen_at, run_id) values (%s, %s, %s, %s, %s, %s, 'active', '2026-01-01', 1)",
                    (account, org, level, identity, parent, f"The {identity}"),
                )
            for level, identity, spend in (
                ("account", "x", "100.10"),
                ("campaign", "c1", "60.05"),
                ("ad", "a1", "20.01"),
                ("ad", "a2", "0.30"),
            ):
                for day in ("2026-03-01", "2026-03-02", "2026-02-01"):
                    fact(connection, org, account, level, identity, day, spend)
    return org, accounts


def fact(connection, org, account, level, identity, day, spend, since="2026-03-05"):
    connection.execute(
        "insert into metrics (account_id, org_id, level, entity_id, day, impressions, clicks, spend, conversions,"
        " conversion_value, reach, valid_from, run_id) values (%s, %s, %s, %s, %s, 1000, 10, %s, 2, 250.5, 700, %s, 1)",
        (account, org, level, identity, day, spend, since),
    )


def test_an_accounts_spend_is_its_own_row_and_never_the_sum_of_ads(dashboard, store):
    org, (euro, _) = store
    with dashboard.tenant(org) as connection:
        (row,) = run(connection, Query("account", MARCH, filters=Filters(account_ids=(euro,)))).rows
    assert row.current.spend == Decimal("200.20")


def test_two_currencies_are_two_rows(dashboard, store):
    org, _ = store
    with dashboard.tenant(org) as connection:
        rows = run(connection, Query("account", MARCH)).rows
    assert [(row.currency, row.current.spend) for row in rows] == [
        ("EUR", Decimal("200.20")),
        ("JPY", Decimal("200.20")),
    ]


def test_ratios_come_from_sums(dashboard, store):
    org, (euro, _) = store
    with dashboard.tenant(org) as connection:
        (row,) = run(connection, Query("account", MARCH, filters=Filters(account_ids=(euro,)))).rows
    assert row.current.roas == Decimal("2.502498")
    assert row.current.cpa == Decimal("50.05")
    assert row.current.ctr == Decimal("0.01")
    assert row.current.reach is None, "two days' reach has no sum"


def test_ratios_of_nothing_are_nothing(dashboard, store):
    org, _ = store
    nowhere = Period(date(2020, 1, 1), date(2020, 1, 2))
    with dashboard.tenant(org) as connection:
        assert run(connection, Query("account", nowhere)).rows == []
        (row, *_) = run(connection, Query("account", MARCH, comparison=nowhere)).rows
    assert row.previous is not None
    assert (row.previous.spend, row.previous.roas, row.previous.cpc) == (0, None, None)


def test_a_comparison_stands_beside_the_period(dashboard, store):
    org, (euro, _) = store
    query = Query("account", MARCH, ("account",), Filters(account_ids=(euro,)), comparison=FEBRUARY)
    with dashboard.tenant(org) as connection:
        (row,) = run(connection, query).rows
    assert (row.current.spend, row.previous.spend) == (Decimal("200.20"), Decimal("100.10"))
    assert row.account_name == "Account euro"


def test_the_period_before_has_the_same_length():
    assert Period(date(2026, 3, 8), date(2026, 3, 14)).before() == Period(date(2026, 3, 1), date(2026, 3, 7))
    with pytest.raises(ValueError, match="on or after"):
        Period(date(2026, 3, 2), date(2026, 3, 1))


def test_entities_are_sorted_and_paged_in_the_database(dashboard, store):
    org, (euro, _) = store
    query = Query("ad", MARCH, ("entity",), Filters(account_ids=(euro,)), sort="spend", limit=1)
    with dashboard.tenant(org) as connection:
        first = run(connection, query)
        second = run(connection, Query(**{**vars(query), "offset": 1}))
        behind = run(connection, Query(**{**vars(query), "offset": 9}))
    assert [(row.entity_name, row.parent_name, row.grandparent_name) for row in first.rows + second.rows] == [
        ("The a1", "The g1", "The c1"),
        ("The a2", "The g1", "The c1"),
    ]
    assert (first.total, second.total, behind.total, behind.rows) == (2, 2, 2, [])


def test_idle_entities_are_listed_where_they_are_asked_for(dashboard, store):
    org, (euro, _) = store
    query = Query(
        "campaign", MARCH, ("entity",), Filters(account_ids=(euro,)), include_idle=True, sort="name", descending=False
    )
    with dashboard.tenant(org) as connection:
        rows = run(connection, query).rows
    assert [(row.entity_id, row.current.spend) for row in rows] == [("c1", Decimal("120.10")), ("c2", 0)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(search="THE A1"), ["a1"]),
        (Filters(search="%"), []),
        (Filters(parent_id="g1"), ["a1", "a2"]),
        (Filters(parent_id="g2"), []),
        (Filters(entity_ids=("a2",)), ["a2"]),
        (Filters(statuses=("paused",)), []),
        (Filters(platforms=("google",)), []),
    ],
)
def test_filters_narrow_entities(dashboard, store, filters, found):
    org, (euro, _) = store
    filters = Filters(**{**vars(filters), "account_ids": (euro,)})
    with dashboard.tenant(org) as connection:
        rows = run(connection, Query("ad", MARCH, ("entity",), filters)).rows
    assert [row.entity_id for row in rows] == found


@pytest.mark.parametrize(
    "query",
    [
        Query("ad", MARCH, sort="spend; drop table metrics"),
        Query("ad", MARCH, sort="name"),
        Query("ad", MARCH, sort="change"),
        Query("ad", MARCH, sort="day"),
        Query("ad", MARCH, ("day",), comparison=FEBRUARY),
        Query("ad", MARCH, ("day", "entity"), include_idle=True),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(dashboard, store, query):
    org, _ = store
    with dashboard.tenant(org) as connection, pytest.raises(ValueError, match=r"sort|days|change|idle"):
        run(connection, query)


def test_as_of_shows_what_stood_at_the_end_of_a_day_names_included(dashboard, store, postgres):
    org, (euro, _) = store
    with psycopg.connect(postgres.admin_url) as connection:
        connection.execute(
            "update metrics set spend = 21, valid_from = '2026-03-09 10:00+00'"
            " where account_id = %s and entity_id = 'a1'",
            (euro,),
        )
        for day in ("2026-03-01", "2026-03-02"):
            connection.execute(
                "insert into restatements (account_id, org_id, level, entity_id, day, spend, valid_from, valid_to,"
                " run_id, replaced_by_run_id) values (%s, %s, 'ad', 'a1', %s, 20.01,"
                " '2026-03-05', '2026-03-09 10:00+00', 1, 2)",
                (euro, org, day),
            )
        connection.execute(
            "insert into entity_changes (account_id, org_id, level, external_id, field, old_value, new_value, seen_at,"
            " run_id) values (%s, %s, 'ad', 'a1', 'name', 'Old name', 'The a1', '2026-03-08 12:00+00', 2)",
            (euro, org),
        )
    found = {}
    for as_of in (date(2026, 3, 4), date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9), None):
        query = Query("ad", MARCH, ("entity",), Filters(account_ids=(euro,), entity_ids=("a1",)), as_of=as_of)
        with dashboard.tenant(org) as connection:
            found[as_of] = [(row.entity_name, row.current.spend) for row in run(connection, query).rows]
    assert found == {
        date(2026, 3, 4): [],
        date(2026, 3, 7): [("Old name", Decimal("40.02"))],
        date(2026, 3, 8): [("The a1", Decimal("40.02"))],
        date(2026, 3, 9): [("The a1", Decimal(42))],
        None: [("The a1", Decimal(42))],
    }


def test_an_export_has_the_columns_of_the_facts_format_and_exact_decimals(connect, store):
    org, (euro, _) = store
    target = io.StringIO()
    with connect("cli").tenant(org) as connection:
        rows = export.rows(connection, "ad", Period(date(2026, 3, 1), date(2026, 3, 1)), accounts=(euro,))
        assert export.write_csv(rows, target) == 2
    header = (
        "platform,account_id,currency,timezone,campaign_id,campaign_name,adgroup_id,adgroup_name,ad_id,ad_name,date,"
        "impressions,clicks,spend,conversions,conversion_value,video_views,reach"
    )
    assert target.getvalue().splitlines() == [
        header,
        "meta,euro,EUR,Europe/Berlin,c1,The c1,g1,The g1,a1,The a1,2026-03-01,1000,10,20.01,2,250.5,,700",
        "meta,euro,EUR,Europe/Berlin,c1,The c1,g1,The g1,a2,The a2,2026-03-01,1000,10,0.30,2,250.5,,700",
    ]


@pytest.mark.parametrize("level", ["account", "campaign", "ad_group", "ad"])
def test_a_json_export_says_the_same_as_the_csv(connect, store, level):
    org, _ = store
    as_csv, as_json = io.StringIO(), io.StringIO()
    with connect("cli").tenant(org) as connection:
        export.write_csv(export.rows(connection, level, MARCH), as_csv)
        export.write_json(export.rows(connection, level, MARCH), as_json)
    header, *lines = as_csv.getvalue().splitlines()
    assert [",".join(row[name] for name in header.split(",")) for row in json.loads(as_json.getvalue())] == lines


def test_an_empty_export_is_a_header_or_an_empty_list(connect, store):
    org, _ = store
    target = io.StringIO()
    with connect("cli").tenant(org) as connection:
        count = export.write_json(export.rows(connection, "ad", Period(date(2020, 1, 1), date(2020, 1, 1))), target)
    assert (count, json.loads(target.getvalue())) == (0, [])


def test_an_account_outside_of_the_scope_is_not_summed(dashboard, store):
    org, (_, yen) = store
    with dashboard.tenant(org, str(yen)) as connection:
        rows = run(connection, Query("account", MARCH)).rows
        assert connection.execute(text("select count(*) from ad_accounts")).scalar_one() == 1
    assert [row.currency for row in rows] == ["JPY"]


def test_now_is_after_the_end_of_yesterday():
    from adloom.metrics.query import end_of

    assert end_of(date(2026, 3, 1)) == datetime(2026, 3, 2, tzinfo=UTC)
    assert end_of(date.max).date() == date.max
