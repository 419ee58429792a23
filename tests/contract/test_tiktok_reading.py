"""Our reader over the sandbox: every number to the last digit, whatever TikTok does in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adloom import errors
from adloom.platforms.model import LEVELS, TWICE, Account, Days, Fact, Level
from adloom.platforms.retry import NotReadyError
from adloom.platforms.tiktok.read import TikTokReader
from infra.sandbox.facts.expected import Cells, expected
from tests.contract.tiktok_world import ADS, ANGELES, BERLIN, KUWAIT, NOW, TOKYO, UNTIL, WHOLE, folder_in, owners
from tests.unit.sandbox.support import facts
from tests.unit.sandbox.tiktok import APP_SECRET, TikTok, row, tiktok

REPORT = "report/integrated/get"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_in(tmp_path_factory.mktemp("facts"))


@pytest.fixture(scope="module")
def shared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TikTok]:
    with tiktok(tmp_path_factory.mktemp("home"), folder, NOW.isoformat()) as started:
        yield started


@pytest.fixture
def platform(shared: TikTok) -> TikTok:
    shared.sandbox.faults()
    shared.sandbox.control("DELETE", "requests")
    return shared


@pytest.fixture
def reader(platform: TikTok, token: str) -> Iterator[TikTokReader]:
    with platform.reader(token) as made:
        yield made


@pytest.fixture(scope="module")
def token(shared: TikTok) -> str:
    return shared.login()


def read(reader: TikTokReader, account: Account, level: Level, days: Days = WHOLE) -> dict[tuple[str, str], Fact]:
    """The rows by entity and day; a row that comes twice must be the same."""
    found: dict[tuple[str, str], Fact] = {}
    for page in reader.facts(account, level, days):
        for one in page:
            assert found.setdefault((one.entity_id, one.day), one) == one
    return found


def cells(one: Fact) -> Cells:
    numbers = (one.impressions, one.clicks, one.spend, one.conversions, one.conversion_value, one.video_views)
    return Cells(*(Decimal(number or 0) for number in numbers))


def assert_all(reader: TikTokReader, folder: Path, *account_ids: str, days: Days = WHOLE) -> None:
    """Every row of the accounts, at every level, is what the folder says."""
    judged = expected(folder, NOW)
    of_levels = {
        "account": judged.accounts, "campaign": judged.campaigns, "ad_group": judged.adgroups, "ad": judged.ads,
    }  # fmt: skip
    for account_id in account_ids:
        mine = owners()[account_id]
        account = reader.account(account_id)
        for level in LEVELS:
            wanted = {
                (entity_id, day.isoformat()): numbers
                for (_, entity_id, day), numbers in of_levels[level].items()
                if entity_id in mine and days.since <= day <= days.until
            }
            found = read(reader, account, level, days)
            assert {key: cells(one) for key, one in found.items()} == wanted, (account_id, level)


def on_report(kind: str, *, level: str = "ad", times: int | None = 1, page: int | None = None, **fault: Any) -> Any:
    match = {"path": REPORT, "level": level, "times": times, "page": page}
    return {"match": match, "fault": {"kind": kind, **fault}}


def said(code: int, message: str = "no", **match: Any) -> dict[str, Any]:
    body = {"code": code, "message": message, "request_id": "R1", "data": {}}
    return {"match": match, "fault": {"kind": "error", "status": 200, "body": body}}


def test_every_account_day_and_level_is_exact(reader: TikTokReader, folder: Path) -> None:
    assert_all(reader, folder, BERLIN, TOKYO, KUWAIT, ANGELES)


def test_accounts_have_their_currency_zone_birth_and_state(reader: TikTokReader) -> None:
    found = {account.external_id: account for account in reader.accounts()}
    assert {one: (a.currency, a.timezone, a.status) for one, a in found.items()} == {
        BERLIN: ("EUR", "Europe/Berlin", "active"),
        TOKYO: ("JPY", "Asia/Tokyo", "archived"),
        KUWAIT: ("KWD", "Asia/Kuwait", "active"),
        ANGELES: ("USD", "America/Los_Angeles", "active"),
    }
    assert found[BERLIN].name == "Shop"
    assert found[BERLIN].created_at == datetime(2025, 12, 24, 9, tzinfo=UTC)


def test_a_window_is_asked_for_in_spans_of_thirty_days_newest_first(platform: TikTok, reader: TikTokReader) -> None:
    account = reader.account(TOKYO)
    found = read(reader, account, "account")
    assert sorted(day for _, day in found) == ["2026-01-01", "2026-01-31", "2026-02-01", "2026-03-08", "2026-03-09"]
    spans = [(one["params"]["start_date"], one["params"]["end_date"]) for one in platform.asked(REPORT)]
    assert spans == [("2026-02-08", "2026-03-09"), ("2026-01-09", "2026-02-07"), ("2026-01-01", "2026-01-08")]


def test_objects_of_every_state_and_kind_are_listed_with_exact_budgets(reader: TikTokReader) -> None:
    found = {(one.level, one.external_id): one for one in reader.entities(reader.account(BERLIN))}
    assert len(found) == 3 + 9 + ADS
    deleted = found["campaign", "1800000000000000000"]
    assert (deleted.status, deleted.daily_budget, deleted.lifetime_budget) == ("deleted", Decimal("52.50"), None)
    assert (deleted.objective, deleted.parent_id, deleted.kind) == ("WEB_CONVERSIONS", BERLIN, None)
    assert found["campaign", "1800000000000000001"].kind == "RESERVATION_TOP_VIEW"
    smart = found["campaign", "1800000000000000002"]
    assert (smart.kind, smart.status) == ("SMART_PLUS", "paused")
    group = found["ad_group", "1810000000000000003"]
    assert (group.lifetime_budget, group.parent_id, group.status) == (Decimal("100.05"), deleted.external_id, "active")
    assert found["ad", "1820000000000000007"].status == "deleted"
    assert found["ad", "1820000000000000007"].updated_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    of_smart = found["ad", "1820000000000000005"]  # TikTok does not say when it was changed
    assert of_smart.created_at == of_smart.updated_at == datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert of_smart.parent_id == "1810000000000000005"


def test_lists_are_asked_for_with_every_state_and_top_view_by_itself(platform: TikTok, reader: TikTokReader) -> None:
    list(reader.entities(reader.account(BERLIN)))
    asked = [(one["path"], json.loads(one["params"]["filtering"])) for one in platform.asked("/get")]
    assert asked == [
        ("adgroup/get", {"primary_status": "STATUS_ALL"}),  # the account's windows
        ("campaign/get", {"primary_status": "STATUS_ALL"}),
        ("campaign/get", {"primary_status": "STATUS_ALL", "buying_types": ["RESERVATION_TOP_VIEW"]}),
        ("adgroup/get", {"primary_status": "STATUS_ALL"}),
        ("adgroup/get", {"primary_status": "STATUS_ALL", "buying_types": ["RESERVATION_TOP_VIEW"]}),
        ("ad/get", {"primary_status": "STATUS_ALL"}),
        ("ad/get", {"primary_status": "STATUS_ALL", "buying_types": ["RESERVATION_TOP_VIEW"]}),
    ]
    platform.sandbox.control("DELETE", "requests")
    list(reader.entities(reader.account(TOKYO)))  # has no such campaign, so nothing below one
    paths = [one["path"] for one in platform.asked("/get")]
    assert paths == ["adgroup/get", "campaign/get", "campaign/get", "adgroup/get", "ad/get"]


def test_without_top_view_the_other_campaigns_are_read(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(said(40002, "buying_types: not supported", path="campaign/get", nth=2))
    found = [one.external_id for one in reader.entities(reader.account(BERLIN)) if one.level == "campaign"]
    assert found == ["1800000000000000002", "1800000000000000000"]


def test_no_value_is_none_and_not_zero(reader: TikTokReader) -> None:
    found = read(reader, reader.account(BERLIN), "ad", Days(UNTIL, UNTIL))
    assert found["1820000000000000008", "2026-03-09"].conversions is None
    assert found["1820000000000000014", "2026-03-09"].conversions == "14.5"
    assert found["1820000000000000014", "2026-03-09"].actions == b'{"complete_payment":"14.5"}'


# Rows that move


def test_rows_that_shift_between_pages_are_told_and_read_right_the_next_time(
    platform: TikTok, reader: TikTokReader, folder: Path
) -> None:
    account = reader.account(BERLIN)
    for rows in (1, -1, 3):
        platform.sandbox.faults(on_report("shifted_pages", page=2, rows=rows))
        with pytest.raises(errors.PlatformProtocolError) as told:
            read(reader, account, "ad")
        assert (told.value.platform_code, told.value.retryable) == (TWICE, True)
    assert_all(reader, folder, BERLIN)


def test_a_row_lost_and_another_won_is_seen_by_counting(platform: TikTok, reader: TikTokReader) -> None:
    """TikTok's number of rows stays the same, but a row comes twice and another never."""
    asked = {
        "advertiser_id": BERLIN, "report_type": "BASIC", "data_level": "AUCTION_AD", "metrics": ["spend"],
        "dimensions": ["ad_id", "stat_time_day"], "start_date": "2026-02-08", "end_date": "2026-03-09",
        "page": 3, "page_size": 1000,
    }  # fmt: skip
    asked["filtering"] = [{"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}]
    clean = platform.get(f"{REPORT}/", platform.login(), **asked)
    page = {**clean, "data": {**clean["data"], "list": [*clean["data"]["list"][:-1], clean["data"]["list"][0]]}}
    fault = {"kind": "error", "status": 200, "body": page}
    platform.sandbox.faults({"match": {"path": REPORT, "level": "ad", "page": 3}, "fault": fault})
    with pytest.raises(errors.PlatformProtocolError) as told:
        read(reader, reader.account(BERLIN), "ad")
    assert told.value.platform_code == TWICE


def test_a_list_whose_objects_come_while_it_is_read_is_begun_again(
    tmp_path: Path,
) -> None:
    rows = [row(ad_id=str(5000 + n), ad_name=f"Ad {n}") for n in range(1100)]
    with tiktok(tmp_path / "home", facts(tmp_path / "facts", *rows), NOW.isoformat()) as platform:
        platform.sandbox.faults({"match": {"path": "ad/get", "page": 2}, "fault": {"kind": "shifted_pages", "rows": 1}})
        with platform.reader(platform.login()) as reader:
            found = [one.external_id for one in reader.entities(reader.account("11")) if one.level == "ad"]
        assert len(set(found)) == 1100
        assert len(platform.asked("ad/get")) == 4


# Too much


def test_a_query_too_large_asks_the_caller_for_fewer_days(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(on_report("too_large", times=None, rows=ADS * 3))
    account = reader.account(BERLIN)
    with pytest.raises(errors.TooMuchData):
        read(reader, account, "ad", Days(UNTIL - timedelta(5), UNTIL))
    assert len(read(reader, account, "ad", Days(UNTIL - timedelta(2), UNTIL))) == ADS * 3


def test_a_single_day_too_large_is_read_by_campaigns_and_ad_groups(
    platform: TikTok, reader: TikTokReader, folder: Path
) -> None:
    platform.sandbox.faults(on_report("too_large", times=None, rows=ADS // 4))
    assert_all(reader, folder, BERLIN, days=Days(UNTIL, UNTIL))
    of_ads = [one["params"] for one in platform.asked(REPORT) if one["params"]["data_level"] == "AUCTION_AD"]
    filters = [params["filtering"] for params in of_ads]
    assert any("campaign_ids" in one for one in filters)
    assert any("adgroup_ids" in one for one in filters)


def test_a_report_of_the_newest_ads_only_is_never_taken_for_all_of_them(
    platform: TikTok, reader: TikTokReader, folder: Path
) -> None:
    few = [on_report("few_ads", level=level, times=None, rows=40) for level in ("campaign", "adgroup", "ad")]
    platform.sandbox.faults(*few)
    assert_all(reader, folder, BERLIN)
    whole = [one for one in platform.asked(REPORT) if "_ids" not in one["params"].get("filtering", "")]
    ads = [one for one in whole if one["params"]["data_level"] == "AUCTION_AD"]
    assert len(ads) == 1  # it is known from then on


def test_an_account_total_of_the_newest_ads_only_is_read_from_a_report_in_the_background(
    platform: TikTok, reader: TikTokReader, folder: Path
) -> None:
    cut = on_report("few_ads", level="account", times=None, rows=40)
    failing = {"match": {"path": "task/create"}, "fault": {"kind": "fail_at"}}
    platform.sandbox.faults(cut, failing)
    assert_all(reader, folder, BERLIN, days=Days(UNTIL - timedelta(20), UNTIL))
    paths = [one["path"] for one in platform.asked("report/task")]
    assert paths.count("report/task/create") == 2  # the first one failed
    assert paths.count("report/task/download") == 1


def test_a_report_that_is_not_ready_in_time_is_gone_on_with(platform: TikTok, token: str, folder: Path) -> None:
    cut = on_report("few_ads", level="account", times=None, rows=40)
    waiting = {"code": 0, "message": "OK", "request_id": "R", "data": {"status": "QUEUING"}}
    still = {"match": {"path": "task/check"}, "fault": {"kind": "error", "status": 200, "body": waiting}}
    platform.sandbox.faults(cut, still)
    with platform.reader(token, seconds=1.0) as reader, pytest.raises(NotReadyError) as told:
        read(reader, Account(BERLIN, "", "EUR", "Europe/Berlin", "active", None), "account", Days(UNTIL, UNTIL))
    with platform.reader(token) as reader:
        reader.resume(told.value.state)
        assert len(read(reader, reader.account(BERLIN), "account", Days(UNTIL, UNTIL))) == 1
    assert len(platform.asked("task/create")) == 1


def test_an_app_that_may_not_ask_in_the_background_says_so(platform: TikTok, reader: TikTokReader) -> None:
    cut = on_report("few_ads", level="account", times=None, rows=40)
    platform.sandbox.faults(cut, said(40118, "allow-list only", path="task/create", times=None))
    with pytest.raises(errors.TooMuchData) as told:
        read(reader, reader.account(BERLIN), "account", Days(UNTIL, UNTIL))
    assert told.value.platform_code == "40118"
    assert "allow-list" in told.value.detail


def test_an_answer_cut_in_the_middle_of_a_walk_is_read_again(platform: TikTok, reader: TikTokReader) -> None:
    header = {"X-Tt-Ads-Throttle": "Number of ad ids is equal or more than 20k"}
    platform.sandbox.faults(on_report("rate_headers", page=2, headers=header))
    with pytest.raises(errors.PlatformProtocolError) as told:
        read(reader, reader.account(BERLIN), "ad")
    assert told.value.platform_code == TWICE


# Metrics, accounts and tokens


def test_a_metric_that_is_refused_costs_none_of_the_others(
    platform: TikTok, reader: TikTokReader, folder: Path
) -> None:
    refuse = {"match": {"path": REPORT, "level": "campaign", "param": "real_time_conversion", "times": None}}
    platform.sandbox.faults({**refuse, "fault": said(40002, "metrics: no such")["fault"]})
    assert_all(reader, folder, TOKYO)
    assert "real_time_conversion" not in reader.query("campaign")["metrics"]  # type: ignore[operator]
    assert "complete_payment" in reader.query("campaign")["metrics"]  # type: ignore[operator]
    before = len(platform.asked(REPORT))
    read(reader, reader.account(TOKYO), "campaign", Days(UNTIL, UNTIL))
    assert len(platform.asked(REPORT)) == before + 1


def test_a_refusal_that_no_metric_explains_stays_a_refusal(platform: TikTok, reader: TikTokReader) -> None:
    platform.sandbox.faults(said(40002, "no", path=REPORT, times=None))
    with pytest.raises(errors.PlatformRejected):
        read(reader, reader.account(TOKYO), "campaign")


def test_one_account_that_is_gone_hides_no_other(platform: TikTok, reader: TikTokReader) -> None:
    gone = said(40001, "No permission", path="advertiser/info", param=TOKYO, times=None)
    platform.sandbox.faults(gone)
    assert [account.external_id for account in reader.accounts()] == [BERLIN, KUWAIT, ANGELES]


def test_an_account_taken_out_of_the_grant_leaves_the_token_good(tmp_path: Path, folder: Path) -> None:
    with tiktok(tmp_path, folder, NOW.isoformat()) as platform:
        token = platform.login()
        platform.sandbox.control("POST", "tokens/revoke", {"platform": "tiktok", "account": TOKYO})
        with platform.reader(token) as reader:
            assert TOKYO not in {account.external_id for account in reader.accounts()}
            with pytest.raises(errors.AccountInaccessible):
                reader.account(TOKYO)
            assert reader.account(BERLIN).currency == "EUR"


def test_a_revoked_token_breaks_the_connection_and_an_unsure_one_is_asked_about(tmp_path: Path, folder: Path) -> None:
    with tiktok(tmp_path, folder, NOW.isoformat()) as platform, platform.reader(platform.login()) as reader:
        platform.sandbox.faults(said(40105, "Access token is incorrect", path="advertiser/info"))
        with pytest.raises(errors.AccountInaccessible):
            reader.account(BERLIN)
        assert [one["path"] for one in platform.asked()[-2:]] == ["advertiser/info", "oauth2/advertiser/get"]
        platform.sandbox.control("POST", "tokens/revoke", {"platform": "tiktok"})
        with pytest.raises(errors.ConnectionBroken) as told:
            reader.account(BERLIN)
        assert APP_SECRET not in str(told.value)


def test_a_token_without_a_right_is_to_be_connected_again(tmp_path: Path, folder: Path) -> None:
    with tiktok(tmp_path, folder, NOW.isoformat()) as platform:
        only_accounts = platform.login(choices="1", granted=["1"], advertiser=[BERLIN])
        with platform.reader(only_accounts) as reader, pytest.raises(errors.ConnectionBroken) as told:
            read(reader, reader.account(BERLIN), "ad")
        assert (told.value.platform_code, told.value.code) == ("40130", "connection_broken")


# Faults of the wire


@pytest.mark.parametrize(
    "fault",
    [
        said(50000)["fault"],
        said(51039, "auth service")["fault"],
        said(40700, "validation")["fault"],
        said(40100, "Too many requests")["fault"],
        {"kind": "html_502"},
        {"kind": "truncate"},
        {"kind": "hang", "seconds": 30},
        {"kind": "delay", "seconds": 0.05},
        {"kind": "unknown_field"},
        {"kind": "error", "status": 200, "body": {"code": 0, "message": "OK", "request_id": "R", "data": {}}},
        {"kind": "error", "status": 503, "body": {"code": 0, "message": "OK", "request_id": "R", "data": {}}},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('body', {}).get('code', '')}",
)
def test_a_fault_in_mid_walk_passes_by_itself(
    platform: TikTok, token: str, folder: Path, fault: dict[str, Any]
) -> None:
    platform.sandbox.faults({"match": {"path": REPORT, "level": "ad", "page": 2}, "fault": fault})
    with platform.reader(token, timeout_s=2.0) as reader:
        assert_all(reader, folder, BERLIN, days=Days(UNTIL - timedelta(15), UNTIL))
    assert [one["fault"] for one in platform.asked(REPORT) if one["fault"]] == [fault["kind"]]


def test_partial_success_is_success(platform: TikTok, reader: TikTokReader) -> None:
    body = {"code": 20001, "message": "some", "request_id": "R", "data": {"list": [{"advertiser_id": BERLIN}]}}
    nodes = {**body["data"]["list"][0], "currency": "EUR", "timezone": "Etc/GMT+8"}  # type: ignore[index]
    reply = {**body, "data": {"list": [nodes]}}
    platform.sandbox.faults(
        {"match": {"path": "advertiser/info"}, "fault": {"kind": "error", "status": 200, "body": reply}}
    )
    assert reader.account(BERLIN).timezone == "Etc/GMT+8"


@pytest.mark.parametrize(
    ("code", "kind", "tries"),
    [
        (40133, errors.PlatformThrottled, 1),
        (60001, errors.PlatformThrottled, 1),
        (40100, errors.PlatformThrottled, 2),
        (40700, errors.PlatformTransient, 3),
        (51001, errors.PlatformTransient, 5),
        (40102, errors.ConnectionBroken, 1),
        (40118, errors.OperatorMustAct, 1),
        (40300, errors.AccountInaccessible, 1),
    ],
)
def test_a_fault_for_good_ends_after_as_many_calls_as_help(
    platform: TikTok, reader: TikTokReader, code: int, kind: type[errors.PlatformError], tries: int
) -> None:
    platform.sandbox.faults(said(code, path=REPORT, times=None))
    account = reader.account(TOKYO)
    with pytest.raises(kind) as told:
        read(reader, account, "account", Days(UNTIL, UNTIL))
    assert told.value.platform_code == str(code)
    assert "request R1" in told.value.detail
    assert len(platform.asked(REPORT)) == tries


def test_nothing_secret_is_logged_by_the_sandbox(platform: TikTok, reader: TikTokReader, token: str) -> None:
    reader.accounts()
    logged = json.dumps(platform.asked())
    assert token not in logged
    assert APP_SECRET not in logged
