"""Every number has a source: the run that wrote it, how the platform was asked, and what stood before."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adloom.errors import NotFound
from adloom.metrics import export, planning, provenance
from adloom.metrics.export import COLUMNS, Wanted
from adloom.metrics.query import Period, Query, run
from adloom.platforms.model import LEVELS
from infra.sandbox.facts import columns
from tests.conftest import Postgres
from tests.integration.cast import Connect
from tests.integration.sync_rig import Rig, rig_on
from tests.unit.sandbox.support import fact, facts, write

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
DAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def rig(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """An ad that said 10.00 of the 1st, then 12.50; and one that said 1.00 ever since."""
    home = tmp_path_factory.mktemp("provenance")
    folder = facts(home / "facts", fact(), fact(ad_id="42", ad_name="Hat", spend="1.00"))
    earlier = fact(spend="10.00") | {"visible_until": "2026-03-04T12:00:00+00:00"}
    write(folder, columns.RESTATED_FILE, [earlier])
    with rig_on(postgres, folder, home, "2026-03-03T12:00:00+00:00") as made:
        made.settle()
        made.at("2026-03-05T08:00:00+00:00")
        planning.request(made.sync, org_id=made.org_id, account_scope="*")
        made.settle()
        yield made


def csv_of(rig: Rig, connect: Connect, wanted: Wanted) -> list[dict[str, str]]:
    target = io.StringIO()
    with connect("cli").tenant(rig.org_id) as connection:
        export.write_csv(export.read(connection, wanted), target, wanted.columns)
    target.seek(0)
    return list(csv.DictReader(target))


def test_a_number_names_its_run_its_question_and_what_stood_before(rig: Rig, connect: Connect) -> None:
    with connect("cli").tenant(rig.org_id) as connection:
        found = provenance.explain(connection, rig.account_id("11"), "ad", "41", DAY)
    assert (found.platform, found.account, found.name, found.day) == ("meta", "11", "Parka", DAY)
    now, before = found.versions
    assert (now.numbers["spend"], before.numbers["spend"]) == (Decimal("12.50"), Decimal("10.00"))
    assert before.valid_to == now.valid_from == datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert now.valid_to is None
    assert before.source.run_id < now.source.run_id
    assert now.source.api_version == "v26.0"
    assert now.source.query["level"] == "ad"
    assert (now.source.timezone, now.source.currency) == ("Europe/Berlin", "EUR")
    assert now.source.attribution
    assert now.source.fetched_at is not None
    assert found.checked is not None
    assert found.checked.state == "match"
    assert found.is_provisional


def test_of_what_was_never_stored_nothing_is_told(rig: Rig, connect: Connect) -> None:
    with connect("cli").tenant(rig.org_id) as connection, pytest.raises(NotFound, match="ad 99"):
        provenance.explain(connection, rig.account_id("11"), "ad", "99", DAY)


@pytest.mark.parametrize("level", LEVELS)
def test_an_export_names_the_run_of_every_row_and_says_the_same_otherwise(
    rig: Rig, connect: Connect, level: str
) -> None:
    plain = csv_of(rig, connect, Wanted(level, MARCH))  # type: ignore[arg-type]
    told = csv_of(rig, connect, Wanted(level, MARCH, provenance=True, provisional=True))  # type: ignore[arg-type]
    assert [{name: row[name] for name in COLUMNS} for row in told] == plain
    runs = {str(row["run_id"]): row for row in rig.rows("select * from sync_runs where org_id = %s")}
    assert plain
    for row in told:
        of_row = runs[row["run_id"]]
        assert row["api_version"] == of_row["api_version"] == "v26.0"
        assert row["attribution"] == of_row["attribution"]
        assert datetime.fromisoformat(row["fetched_at"]) == of_row["fetched_at"]
        assert json.loads(row["query"]) == of_row["query"][level]
        assert (row["read_timezone"], row["read_currency"], row["provisional"]) == ("Europe/Berlin", "EUR", "true")


def test_an_export_of_an_earlier_day_names_the_runs_of_then(rig: Rig, connect: Connect) -> None:
    by_day = {}
    for as_of in (date(2026, 3, 3), date(2026, 3, 5)):
        rows = csv_of(rig, connect, Wanted("ad", MARCH, as_of=as_of, provenance=True))
        by_day[as_of.day] = {row["ad_id"]: (row["spend"], int(row["run_id"])) for row in rows}
    assert by_day[3]["41"][0] == "10.00"
    assert by_day[5]["41"][0] == "12.50"
    assert by_day[3]["41"][1] < by_day[5]["41"][1]
    assert by_day[3]["42"] == by_day[5]["42"]


def test_a_run_is_of_rows_and_not_of_sums(rig: Rig, connect: Connect) -> None:
    with connect("cli").tenant(rig.org_id) as connection, pytest.raises(ValueError, match="days of entities"):
        run(connection, Query("ad", MARCH, ("entity",), provenance=True))


# Provisional


@pytest.mark.parametrize(
    ("platform", "lookback", "settled_on"),
    [
        ("meta", None, "2026-03-30"),
        ("meta", 8, "2026-03-30"),
        ("google", None, "2026-04-01"),
        ("google", 7, "2026-04-01"),
        ("google", 91, "2026-06-01"),
        ("tiktok", None, "2026-04-01"),
        ("tiktok", 9, "2026-03-11"),
    ],
)
def test_a_day_is_provisional_until_its_platform_s_windows_have_passed(
    rig: Rig, connect: Connect, platform: str, lookback: int | None, settled_on: str
) -> None:
    """At midnight of the account: three in the afternoon of UTC the day before."""
    rig.admin.execute(
        "update ad_accounts set platform = %s, lookback_days = %s, timezone = 'Asia/Tokyo' where org_id = %s",
        (platform, lookback, rig.org_id),
    )
    try:
        query = Query("ad", Period(DAY, DAY), ("day", "entity"))
        found = []
        for moment in (f"{settled_on}T14:59:00+00:00", f"{settled_on}T15:01:00+00:00"):
            before = datetime.fromisoformat(moment).timestamp() - 86400
            rig.at(datetime.fromtimestamp(before, UTC))
            with connect("dashboard").tenant(rig.org_id) as connection:
                rows = run(connection, query).rows
                sums = run(connection, Query("account", Period(DAY, DAY))).rows
            found.append({row.is_provisional for row in (*rows, *sums)})
        assert found == [{True}, {False}]
    finally:
        rig.at("2026-03-05T08:00:00+00:00")
        rig.admin.execute(
            "update ad_accounts set platform = 'meta', lookback_days = null, timezone = 'Europe/Berlin'"
            " where org_id = %s",
            (rig.org_id,),
        )
