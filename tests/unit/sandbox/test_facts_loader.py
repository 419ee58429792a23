"""A facts folder is validated whole, and every fault says where it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from infra.sandbox.facts import columns
from infra.sandbox.facts.errors import MAX_FAULTS, FactsError
from infra.sandbox.facts.loader import load
from tests.unit.sandbox.support import META_90_DAYS, entity, fact, facts, write


def reasons(folder: Path) -> list[str]:
    with pytest.raises(FactsError) as refused:
        load(folder)
    return [str(fault) for fault in refused.value.faults]


def test_the_shipped_folder_loads_whole() -> None:
    folder = load(META_90_DAYS)
    account = folder.of("meta")["1000000000000404"]
    assert (account.currency, account.zone.key) == ("INR", "Asia/Kolkata")
    assert (len(account.campaigns), len(account.adgroups), len(account.ads)) == (10, 300, 4361)


def test_a_folder_without_facts_is_refused(tmp_path: Path) -> None:
    assert "facts.csv: is not there" in reasons(tmp_path)[0]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    lines = (tmp_path / "facts.csv").read_text().splitlines()
    (tmp_path / "facts.csv").write_text("\n".join(",".join(reversed(line.split(","))) for line in lines))
    day = next(iter(load(tmp_path).of("meta")["11"].days.values()))
    assert day.slots["41"].final is not None
    assert day.slots["41"].final.spend == Decimal("12.50")


def test_an_unknown_column_is_refused_by_name(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    text = (tmp_path / "facts.csv").read_text()
    (tmp_path / "facts.csv").write_text(text.replace("reach", "reech"))
    assert reasons(tmp_path) == ["facts.csv:1: unknown column 'reech'", "facts.csv:1: column 'reach' is missing"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"platform": "bing"}, "platform 'bing' is not one of google, meta, tiktok"),
        ({"account_id": ""}, "account_id is empty"),
        ({"currency": "EURO"}, "currency 'EURO' is not an ISO 4217 currency"),
        ({"timezone": "Europe/Atlantis"}, "timezone 'Europe/Atlantis' is not an IANA time zone"),
        ({"timezone": "../etc/passwd"}, "timezone '../etc/passwd' is not an IANA time zone"),
        ({"campaign_id": ""}, "campaign_id is empty"),
        ({"adgroup_id": ""}, "ad 41 has no adgroup_id"),
        ({"ad_id": "4 1"}, "ad_id '4 1' is not an id"),
        ({"date": "01.03.2026"}, "date '01.03.2026' is not a date (YYYY-MM-DD)"),
        ({"date": "2026-02-30"}, "date '2026-02-30' is not a day of the calendar"),
        ({"impressions": "1.5"}, "impressions '1.5' is not a whole number"),
        ({"impressions": "1_000"}, "impressions '1_000' is not a whole number"),
        ({"clicks": "-1"}, "clicks '-1' is negative"),
        ({"spend": "NaN"}, "spend 'NaN' is not a finite number"),
        ({"spend": "Infinity"}, "spend 'Infinity' is not a finite number"),
        ({"spend": "12,50"}, "spend '12,50' is not a decimal number"),
        ({"conversions": "two"}, "conversions 'two' is not a decimal number"),
        ({"conversion_value": "-0.01"}, "conversion_value '-0.01' is negative"),
        ({"video_views": "x"}, "video_views 'x' is not a whole number"),
        ({"reach": " 5"}, "reach ' 5' is not a whole number"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line_and_reason(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    facts(tmp_path, fact(date="2026-02-01"), fact(**cells))
    assert reasons(tmp_path) == [f"facts.csv:3: {reason}"]


def test_empty_numbers_are_allowed_and_say_nothing(tmp_path: Path) -> None:
    facts(tmp_path, fact(conversions="", conversion_value="", clicks=""))
    numbers = next(iter(load(tmp_path).of("meta")["11"].days.values())).slots["41"].final
    assert numbers is not None
    assert (numbers.clicks, numbers.conversions, numbers.conversion_value) == (None, None, None)


def test_the_same_ad_and_day_twice_is_refused(tmp_path: Path) -> None:
    facts(tmp_path, fact(), fact())
    assert reasons(tmp_path) == ["facts.csv:3: ad 41 on 2026-03-01 is there twice"]


def test_delivery_without_an_ad_may_stand_beside_ads_but_not_twice(tmp_path: Path) -> None:
    facts(tmp_path, fact(), fact(ad_id=""), fact(ad_id="", adgroup_id=""))
    assert len(next(iter(load(tmp_path).of("meta")["11"].days.values())).slots) == 3
    facts(tmp_path, fact(ad_id=""), fact(ad_id=""))
    assert reasons(tmp_path) == ["facts.csv:3: delivery without an ad of campaign 21 on 2026-03-01 is there twice"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"adgroup_id": "32"}, "ad 41 is in ad group 32 here, in 31 before"),
        ({"campaign_id": "22"}, "ad group 31 is in campaign 22 here, in 21 before"),
        ({"account_id": "12"}, "campaign 21 is in account 12 here, in 11 before"),
        ({"currency": "USD"}, "account 11 has USD and Europe/Berlin here, EUR and Europe/Berlin before"),
    ],
)
def test_an_object_has_one_parent(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    facts(tmp_path, fact(date="2026-02-01"), fact(**cells))
    assert reasons(tmp_path) == [f"facts.csv:3: {reason}"]


def test_lines_are_counted_over_quoted_line_breaks(tmp_path: Path) -> None:
    facts(tmp_path, fact(ad_name="two\nlines"), fact(date="2026-03-02", spend="x"))
    assert reasons(tmp_path) == ["facts.csv:4: spend 'x' is not a decimal number"]


def test_a_row_that_is_too_short_is_refused(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    with (tmp_path / "facts.csv").open("a") as file:
        file.write("meta,11\n")
    assert reasons(tmp_path) == ["facts.csv:3: has 2 cells, the header has 18"]


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    with (tmp_path / "facts.csv").open("ab") as file:
        file.write(b"\xff\n")
    assert reasons(tmp_path) == ["facts.csv:3: is not UTF-8"]


def test_faults_of_all_files_are_collected_but_not_without_end(tmp_path: Path) -> None:
    facts(tmp_path, *[fact(ad_id=str(n), spend="x") for n in range(30)])
    write(tmp_path, columns.RATES_FILE, [{"date": "2026-01-01", "currency": "USD", "per_eur": "0"}])
    assert len(reasons(tmp_path)) == 31
    facts(tmp_path, *[fact(ad_id=str(n), spend="x") for n in range(300)])
    assert len(reasons(tmp_path)) == MAX_FAULTS


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (entity("ad", "41", "32"), "ad 41 has parent 32, in facts.csv 31"),
        (entity("ad", "42", "39"), "ad 42 has parent 39, no ad group of account 11"),
        (entity("campaign", "22", "12"), "campaign 22 has parent 12, its account is 11"),
        (entity("account", "12", ""), "account 12 stands under account 11"),
        (entity("ad", "41", "31", status="gone"), "status 'gone' is not one of active, archived, deleted, paused"),
        (entity("banner", "41", "31"), "level 'banner' is not one of account, ad, ad_group, campaign"),
        (entity("ad", "41", "31", daily_budget="-5"), "daily_budget '-5' is negative"),
        (entity("ad", "41", "31", created_at="2026-01-01"), "created_at '2026-01-01' has no offset"),
        (entity("ad", "41", "31", deleted_at="soon"), "deleted_at 'soon' is not an ISO 8601 instant"),
        (entity("ad", "41", "31", labels='{"a":1}'), "labels is not a JSON list of strings"),
        (entity("ad", "41", "31", texts='[{"field":"headline"}]'), 'texts is not a JSON list of {"field", "text"}'),
    ],
)
def test_a_wrong_entity_is_refused(tmp_path: Path, row: dict[str, str], reason: str) -> None:
    facts(tmp_path, fact())
    write(tmp_path, columns.ENTITIES_FILE, [row])
    assert reasons(tmp_path)[0].startswith(f"entities.csv:2: {reason}")


def test_a_parent_may_stand_below_its_children(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    rows = [entity("ad", "49", "39"), entity("ad_group", "39", "29"), entity("campaign", "29", "11")]
    write(tmp_path, columns.ENTITIES_FILE, rows)
    assert load(tmp_path).of("meta")["11"].ads["49"].campaign_id == "29"


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        (columns.HOURLY_FILE, {"campaign_id": "29", "hour": "1"}, "campaign_id '29' is no campaign of account 11"),
        (columns.HOURLY_FILE, {"campaign_id": "21", "hour": "24"}, "hour '24' is not 0 to 23"),
        (columns.HOURLY_FILE, {"campaign_id": "21", "hour": ""}, "hour '' is not 0 to 23"),
        (columns.TOTALS_FILE, {"account_id": "12"}, "account '12' of platform 'meta' has no row in facts.csv"),
        (columns.TOTALS_FILE, {"spend": "1.2.3"}, "spend '1.2.3' is not a decimal number"),
    ],
)
def test_wrong_sums_are_refused(tmp_path: Path, name: str, row: dict[str, str], reason: str) -> None:
    facts(tmp_path, fact())
    write(tmp_path, name, [{"platform": "meta", "account_id": "11", "date": "2026-03-01", **row}])
    assert reasons(tmp_path) == [f"{name}:2: {reason}"]


@pytest.mark.parametrize("name", [columns.HOURLY_FILE, columns.TOTALS_FILE, columns.RESTATED_FILE, columns.RATES_FILE])
def test_the_same_row_twice_is_refused_in_every_file(tmp_path: Path, name: str) -> None:
    facts(tmp_path, fact())
    row = {**fact(), "hour": "3", "visible_until": "2026-03-02T00:00:00+01:00", "per_eur": "1.1"}
    row = {column: cell for column, cell in row.items() if column in columns_of(tmp_path, name)}
    write(tmp_path, name, [row, row])
    assert len(reasons(tmp_path)) == 1
    assert "is there twice" in reasons(tmp_path)[0]


def columns_of(folder: Path, name: str) -> list[str]:
    write(folder, name, [])
    return (folder / name).read_text().strip().split(",")


def test_a_version_needs_its_end(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    write(tmp_path, columns.RESTATED_FILE, [fact()])
    assert reasons(tmp_path) == ["restated.csv:2: visible_until is empty"]


def test_rates_are_loaded_exactly(tmp_path: Path) -> None:
    facts(tmp_path, fact())
    write(tmp_path, columns.RATES_FILE, [{"date": "2026-01-02", "currency": "JPY", "per_eur": "161.43"}])
    assert [str(rate) for rate in load(tmp_path).rates["JPY"].values()] == ["161.43"]
