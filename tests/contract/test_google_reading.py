"""Our reader over the sandbox: every number to the last digit, whatever Google does in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adloom import clock, errors
from adloom.platforms.google.client import GoogleClient
from adloom.platforms.google.read import GoogleReader
from adloom.platforms.model import LEVELS, Account, Days, Entity, Fact, HourLevel, Level
from adloom.platforms.retry import OutOfTimeError, RetryPolicy
from infra.sandbox.facts.expected import Cells, expected
from tests.contract.google_world import (
    ADS,
    ANGELES,
    BERLIN,
    CLOSED,
    GROUP,
    KUWAIT,
    MAX,
    NOW,
    SHOWN,
    TOKYO,
    UNTIL,
    WHOLE,
    folder_in,
    hours,
    owners,
)
from tests.unit.sandbox.google import ADWORDS, MANAGER, QUICK, Google, google

AN_AD_QUERY = "SELECT ad_group_ad.ad.id FROM ad_group_ad"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_in(tmp_path_factory.mktemp("facts"))


@pytest.fixture(scope="module")
def shared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    with google(tmp_path_factory.mktemp("home"), folder, NOW.isoformat()) as started:
        yield started


@pytest.fixture
def platform(shared: Google) -> Google:
    shared.sandbox.faults()
    shared.sandbox.control("DELETE", "requests")
    return shared


@pytest.fixture(scope="module")
def token(shared: Google) -> str:
    return shared.login()


@pytest.fixture
def client(platform: Google, token: str) -> Iterator[GoogleClient]:
    with platform.client(token) as made:
        yield made


@pytest.fixture
def reader(client: GoogleClient) -> GoogleReader:
    return GoogleReader(client, {BERLIN: MANAGER, TOKYO: MANAGER})


def read(reader: GoogleReader, account: Account, level: Level, days: Days = WHOLE) -> dict[tuple[str, str], Fact]:
    """The rows by entity and day; a row that comes twice must be the same."""
    found: dict[tuple[str, str], Fact] = {}
    for batch in reader.facts(account, level, days):
        for one in batch:
            assert found.setdefault((one.entity_id, one.day), one) == one
    return found


def cells(one: Fact) -> Cells:
    numbers = (one.impressions, one.clicks, one.spend, one.conversions, one.conversion_value, one.video_views)
    return Cells(*(Decimal(number or 0) for number in numbers))


def assert_all(reader: GoogleReader, folder: Path, *account_ids: str, levels: tuple[Level, ...] = LEVELS) -> None:
    """Every row of the accounts is what the folder says."""
    judged = expected(folder, NOW)
    of_levels = {
        "account": judged.accounts, "campaign": judged.campaigns, "ad_group": judged.adgroups, "ad": judged.ads,
    }  # fmt: skip
    for account_id in account_ids:
        mine = owners()[account_id]
        account = reader.account(account_id)
        for level in levels:
            wanted = {
                (entity_id, day.isoformat()): numbers
                for (_, entity_id, day), numbers in of_levels[level].items()
                if entity_id in mine
            }
            found = read(reader, account, level)
            assert {key: cells(one) for key, one in found.items()} == wanted, (account_id, level)


def broken(code: str = "", *, grpc: str = "UNAVAILABLE", path: str = "Search", **more: Any) -> dict[str, Any]:
    """A line of the script: an error answer, after some rows where `after` is given."""
    fault = {"kind": "grpc_error", "after": more.pop("after", 0)}
    times = more.pop("times", 1)
    error = {"grpc": grpc, "code": code, "message": "no", **more}
    return {"match": {"path": path, "times": times}, "fault": {**fault, "error": error}}


def ids(client: GoogleClient) -> list[str]:
    return [str(row.ad_group_ad.ad.id) for batch in client.stream(BERLIN, AN_AD_QUERY, login=MANAGER) for row in batch]


# Everything as it is


def test_every_account_day_and_level_is_exact(reader: GoogleReader, folder: Path) -> None:
    assert_all(reader, folder, BERLIN, TOKYO, KUWAIT, ANGELES)


def test_accounts_below_managers_are_found_with_the_way_to_them(platform: Google, token: str) -> None:
    with platform.reader(token) as reader:
        found = {account.external_id: account for account in reader.accounts()}
        assert {one: (a.currency, a.timezone, a.status) for one, a in found.items()} == {
            BERLIN: ("EUR", "Europe/Berlin", "active"),
            TOKYO: ("JPY", "Asia/Tokyo", "active"),
            KUWAIT: ("KWD", "Asia/Kuwait", "active"),
            ANGELES: ("USD", "America/Los_Angeles", "paused"),
            CLOSED: ("USD", "America/Los_Angeles", "deleted"),
        }
        assert found[BERLIN].name == "Shop"
        assert reader.logins == dict.fromkeys((BERLIN, TOKYO, ANGELES, CLOSED), MANAGER) | {KUWAIT: KUWAIT}
        assert reader.requests == 3


def test_a_way_that_is_not_known_is_looked_for_once(platform: Google, token: str) -> None:
    with platform.reader(token) as reader:
        reader.account(BERLIN)
        assert reader.logins == {BERLIN: MANAGER}
        tried = [one["params"].get("login_customer_id") for one in platform.asked("SearchStream")]
        assert tried == [BERLIN, MANAGER]
        reader.account(BERLIN)
        assert len(platform.asked("SearchStream")) == 3


def test_a_way_that_works_no_more_is_replaced(platform: Google, token: str) -> None:
    with platform.client(token) as client:
        reader = GoogleReader(client, {BERLIN: KUWAIT})
        assert reader.account(BERLIN).external_id == BERLIN
        assert reader.logins == {BERLIN: MANAGER}


def test_an_account_that_is_closed_or_foreign_is_skipped(reader: GoogleReader) -> None:
    with pytest.raises(errors.AccountInaccessible) as caught:
        reader.account(CLOSED)
    assert caught.value.platform_code == "authorization_error.CUSTOMER_NOT_ENABLED"
    with pytest.raises(errors.AccountInaccessible) as caught:
        reader.account("4711")
    assert caught.value.platform_code == "authorization_error.USER_PERMISSION_DENIED"


def test_objects_of_every_state_and_kind_are_listed_with_exact_budgets(reader: GoogleReader) -> None:
    found = objects(reader)
    assert len(found) == 4 + 10 + ADS
    removed = found["campaign", "21000000000"]
    assert (removed.status, removed.daily_budget, removed.lifetime_budget) == ("deleted", Decimal("52.5"), None)
    assert (removed.parent_id, removed.kind) == (BERLIN, "SEARCH")
    assert (found["campaign", MAX].kind, found["campaign", MAX].lifetime_budget) == (
        "PERFORMANCE_MAX",
        Decimal("900.05"),
    )
    assert (found["campaign", "21000000002"].kind, found["campaign", "21000000002"].status) == ("VIDEO", "paused")
    assert found["ad_group", "160000000003"].parent_id == "21000000000"
    ad = found["ad", "700000000007"]
    assert (ad.status, ad.parent_id, ad.name) == ("deleted", "160000000007", "ad 700000000007")


def test_performance_max_has_no_ads_and_counts_for_campaign_and_account(reader: GoogleReader) -> None:
    account = reader.account(BERLIN)
    day = Days(UNTIL, UNTIL)
    campaigns = read(reader, account, "campaign", day)
    assert campaigns[MAX, "2026-03-09"].spend == "480.500001"
    of_ads = sum(Decimal(one.spend or 0) for one in read(reader, account, "ad", day).values())
    of_account = Decimal(read(reader, account, "account", day)[BERLIN, "2026-03-09"].spend or 0)
    assert of_account - of_ads == Decimal("480.500001")
    of_groups = read(reader, account, "ad_group", day)
    assert (of_groups[GROUP, "2026-03-09"].parent_id, of_groups[GROUP, "2026-03-09"].spend) == (MAX, "80.5")


def test_asset_groups_are_asked_for_where_performance_max_delivered(platform: Google, reader: GoogleReader) -> None:
    account = reader.account(BERLIN)
    quiet, busy = Days(UNTIL - timedelta(9), UNTIL - timedelta(5)), Days(UNTIL - timedelta(4), UNTIL)
    asked = []
    for days in (quiet, busy):
        before = reader.requests
        read(reader, account, "campaign", days)
        read(reader, account, "ad_group", days)
        asked.append(reader.requests - before)
    assert asked == [2, 3]
    before = reader.requests
    read(reader, account, "ad_group", Days(UNTIL, UNTIL))  # nobody knows of these days
    assert reader.requests == before + 2


def objects(reader: GoogleReader, account_id: str = BERLIN) -> dict[tuple[str, str], Entity]:
    return {(one.level, one.external_id): one for one in reader.entities(reader.account(account_id))}


def test_ads_are_as_people_see_them(reader: GoogleReader) -> None:
    found = objects(reader)
    ad = found["ad", SHOWN]
    assert (ad.kind, ad.final_url) == ("RESPONSIVE_DISPLAY_AD", "https://shop.example/coat")
    assert ad.image_url == "https://shop.example/coat.png"
    assert ad.texts == (("headline", "Coats"), ("long_headline", "Coats for all"), ("description", "Warm"))
    assert (ad.review_status, ad.review_reason, ad.labels) == ("APPROVED_LIMITED", "TRADEMARKS", ("shop",))
    other = found["ad", "700000000002"]
    assert (other.kind, other.texts, other.image_url) == ("RESPONSIVE_SEARCH_AD", (("headline", "Parkas"),), None)
    assert (other.review_status, other.review_reason, other.final_url) == ("APPROVED", None, None)
    assert found["campaign", "21000000000"].labels == ("winter",)
    group = found["ad_group", "160000000001"]
    assert (group.kind, group.labels) == ("SEARCH_STANDARD", ("winter", "shop"))


def test_an_asset_group_stands_below_its_campaign(reader: GoogleReader) -> None:
    group = objects(reader)["ad_group", GROUP]
    assert (group.parent_id, group.name, group.kind, group.status) == (MAX, "All of it", "ASSET_GROUP", "active")
    assert group.texts == (("headline", "Everything"), ("description", "At once"))
    assert (group.final_url, group.image_url) == ("https://shop.example/", "https://shop.example/all.png")
    assert (group.review_status, group.review_reason) == ("DISAPPROVED", "ASSET_GROUP_DISAPPROVED")


def test_what_an_account_has_not_is_not_asked_for(platform: Google, reader: GoogleReader) -> None:
    assert len(objects(reader, TOKYO)) == 3
    asked = [one["params"]["query"].rpartition(" FROM ")[2] for one in platform.asked("SearchStream")]
    assert asked == ["conversion_action", "campaign", "ad_group", "ad_group_ad"]


def test_an_account_says_when_its_numbers_hold_still_and_how_it_is_reached(reader: GoogleReader) -> None:
    told = {one: reader.account(one) for one in (BERLIN, TOKYO, KUWAIT)}
    assert {one: account.lookback_days for one, account in told.items()} == {BERLIN: 60, TOKYO: 30, KUWAIT: 7}
    assert {one: account.login for one, account in told.items()} == {BERLIN: MANAGER, TOKYO: MANAGER, KUWAIT: KUWAIT}
    assert "up to 60 days" in reader.attribution(told[BERLIN])


def test_hours_are_exact_and_only_those_that_have_begun(reader: GoogleReader) -> None:
    account = reader.account(BERLIN)
    begun = [one for one in hours() if one["date"] < "2026-03-09" or int(one["hour"]) <= 13]
    wanted = {
        (one["campaign_id"], one["date"], int(one["hour"])): tuple(
            Decimal(one[name] or 0) for name in ("impressions", "clicks", "spend", "conversions")
        )
        for one in begun
    }
    sums: dict[tuple[str, str, int], tuple[Decimal, ...]] = {}
    for (_, day, hour), cells in wanted.items():
        known = sums.get((BERLIN, day, hour), (Decimal(0),) * 4)
        sums[BERLIN, day, hour] = tuple(map(sum, zip(known, cells, strict=True)))
    of_levels: dict[HourLevel, dict[tuple[str, str, int], tuple[Decimal, ...]]] = {"campaign": wanted, "account": sums}
    for level, expect in of_levels.items():
        found = {
            (one.entity_id, one.day, one.hour): tuple(
                Decimal(number or 0) for number in (one.impressions, one.clicks, one.spend, one.conversions)
            )
            for batch in reader.hours(account, level, WHOLE)
            for one in batch
        }
        assert found == expect, level


def test_every_action_may_be_what_counts(reader: GoogleReader) -> None:
    own = reader.account(BERLIN)
    every = replace(own, conversion="all_conversions")
    day = Days(UNTIL, UNTIL)
    # The folder has only actions that count.
    assert read(reader, own, "ad", day) == read(reader, every, "ad", day)
    assert reader.attribution(every).startswith("all_conversions: ")


def test_any_number_of_days_is_one_question(platform: Google, reader: GoogleReader) -> None:
    account = reader.account(BERLIN)
    before = reader.requests
    read(reader, account, "ad", Days(UNTIL - timedelta(1100), UNTIL))
    assert reader.requests == before + 1
    assert len(platform.asked("SearchStream")) == reader.requests


def test_a_token_is_asked_for_once(platform: Google, reader: GoogleReader) -> None:
    reader.account(BERLIN)
    reader.account(TOKYO)
    assert [one["path"] for one in platform.asked("token")] == ["token"]


# Streams that break


def test_a_stream_that_breaks_in_the_middle_begins_anew(platform: Google, client: GoogleClient) -> None:
    platform.sandbox.faults(broken(path="SearchStream", after=7))
    found = ids(client)
    assert len(found) == 7 + ADS
    assert len(set(found)) == ADS
    assert client.requests == 2


def test_numbers_are_exact_over_streams_that_break(platform: Google, reader: GoogleReader, folder: Path) -> None:
    reader.account(BERLIN)
    platform.sandbox.faults(
        broken("internal_error.TRANSIENT_ERROR", grpc="INTERNAL", after=100, times=1),
        broken(after=250, times=1),
        {"match": {"times": None}, "fault": {"kind": "small_chunks", "rows": 37}},
    )
    assert_all(reader, folder, BERLIN, levels=("ad",))


def test_a_stream_that_breaks_for_good_is_a_passing_fault(platform: Google, client: GoogleClient) -> None:
    platform.sandbox.faults(broken(after=7, times=None))
    with pytest.raises(errors.PlatformTransient) as caught:
        ids(client)
    assert caught.value.platform_code == "grpc/UNAVAILABLE"
    assert client.requests == QUICK.tries


def test_streams_that_are_dropped_half_read_leave_the_process_alive(platform: Google, client: GoogleClient) -> None:
    platform.sandbox.faults({"match": {"times": None}, "fault": {"kind": "small_chunks", "rows": 5}})
    for _ in range(60):
        batches = client.stream(BERLIN, AN_AD_QUERY, login=MANAGER)
        assert len(next(batches)) == 5
        del batches
    gc.collect()
    assert len(ids(client)) == ADS


def test_a_stream_that_hangs_ends_with_the_time_limit(platform: Google, token: str) -> None:
    platform.sandbox.faults({"match": {"path": "Search"}, "fault": {"kind": "hang", "seconds": 60, "after": 3}})
    with platform.client(token, timeout_s=4.0) as client:
        assert len(set(ids(client))) == ADS
        assert client.requests == 2


def test_rows_that_still_come_when_the_time_is_up_are_too_many(platform: Google, token: str) -> None:
    with platform.client(token, timeout_s=3.0) as client:
        ids(client)  # the connection is there
        platform.sandbox.faults({"match": {"times": None}, "fault": {"kind": "small_chunks", "rows": 1}})
        batches = client.stream(BERLIN, AN_AD_QUERY, login=MANAGER)
        with pytest.raises(errors.TooMuchData):
            slowly(batches)


def test_a_list_that_is_too_long_for_its_time_ends_early_and_says_so(platform: Google, token: str) -> None:
    with platform.client(token, timeout_s=3.0) as client:
        reader = GoogleReader(client, {BERLIN: MANAGER})
        account = reader.account(BERLIN)
        platform.sandbox.faults(
            {"match": {"level": "ad"}, "fault": {"kind": "small_chunks", "rows": 5, "seconds": 0.4}}
        )
        came: list[Entity] = []
        with pytest.raises(OutOfTimeError):
            came.extend(reader.entities(account))
        assert 0 < sum(one.level == "ad" for one in came) < ADS


def slowly(batches: Iterator[Any]) -> None:
    """Take rows for longer than the time limit of three seconds."""
    import threading

    pause = threading.Event()
    for _ in batches:
        pause.wait(0.2)


@pytest.mark.parametrize("path", ["Search", "^token"])
def test_the_deadline_of_the_work_is_no_fault(platform: Google, token: str, path: str) -> None:
    platform.sandbox.faults({"match": {"path": path, "times": None}, "fault": {"kind": "hang", "seconds": 60}})
    with platform.client(token, seconds=3, retry=RetryPolicy(tries=1)) as client, pytest.raises(OutOfTimeError):
        ids(client)


# Refusals


@pytest.mark.parametrize(("scope", "expected_scope"), [("DEVELOPER", "app"), ("ACCOUNT", "account")])
def test_a_quota_says_when_and_for_whom(
    platform: Google, client: GoogleClient, scope: str, expected_scope: str
) -> None:
    platform.sandbox.faults(
        broken("quota_error.RESOURCE_EXHAUSTED", grpc="RESOURCE_EXHAUSTED", retry_delay_s=8962, scope=scope)
    )
    with pytest.raises(errors.PlatformThrottled) as caught:
        ids(client)
    assert caught.value.scope == expected_scope
    assert timedelta(0) <= clock.real_now() + timedelta(seconds=8962) - caught.value.retry_at < timedelta(seconds=60)
    assert client.requests == 1


@pytest.mark.parametrize(
    ("code", "grpc", "kind"),
    [
        ("authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", "PERMISSION_DENIED", errors.OperatorMustAct),
        ("authentication_error.OAUTH_TOKEN_REVOKED", "UNAUTHENTICATED", errors.ConnectionBroken),
        ("authentication_error.NOT_ADS_USER", "UNAUTHENTICATED", errors.ConnectionBroken),
        ("query_error.UNRECOGNIZED_FIELD", "INVALID_ARGUMENT", errors.PlatformRejected),
        ("query_error.FILTER_HAS_TOO_MANY_VALUES", "INVALID_ARGUMENT", errors.TooMuchData),
        ("request_error.UNSUPPORTED_VERSION", "INVALID_ARGUMENT", errors.OperatorMustAct),
        ("", "UNIMPLEMENTED", errors.OperatorMustAct),
    ],
)
def test_a_refusal_is_told_once_and_by_its_kind(
    platform: Google, client: GoogleClient, code: str, grpc: str, kind: type[errors.PlatformError]
) -> None:
    platform.sandbox.faults(broken(code, grpc=grpc, times=None))
    with pytest.raises(kind) as caught:
        ids(client)
    assert caught.value.platform_code == (code or f"grpc/{grpc}")
    assert "request " in caught.value.detail
    assert client.requests == 1


def test_a_code_that_is_younger_than_our_version_is_told_by_name(platform: Google, client: GoogleClient) -> None:
    platform.sandbox.faults(
        broken("internal_error.ERROR_CODE_NOT_PUBLISHED", grpc="INVALID_ARGUMENT", unpublished="NewError.BRAND_NEW")
    )
    with pytest.raises(errors.PlatformRejected) as caught:
        ids(client)
    assert caught.value.platform_code == "internal_error.BRAND_NEW"


# Tokens


def test_an_access_token_that_ended_early_is_renewed_once(platform: Google, client: GoogleClient) -> None:
    ids(client)
    platform.sandbox.control("POST", "tokens/expire", {"platform": "google-access"})
    assert len(ids(client)) == ADS
    assert len(platform.asked("token")) == 2


def test_tokens_that_are_never_taken_mean_to_connect_again(platform: Google, client: GoogleClient) -> None:
    platform.sandbox.faults(broken(grpc="UNAUTHENTICATED", times=None))
    with pytest.raises(errors.ConnectionBroken):
        ids(client)
    assert client.requests == 2


def test_a_revoked_grant_means_to_connect_again(platform: Google) -> None:
    grant = platform.login()
    platform.sandbox.control("POST", "tokens/revoke", {"token": grant})
    with platform.client(grant) as client, pytest.raises(errors.ConnectionBroken) as caught:
        client.accessible()
    assert caught.value.platform_code == "oauth/invalid_grant"
    assert grant not in caught.value.detail
    assert client.requests == 0


def test_a_grant_without_the_scope_says_so(platform: Google) -> None:
    with platform.client(platform.login(["openid"])) as client, pytest.raises(errors.ConnectionBroken) as caught:
        client.accessible()
    assert caught.value.code == "scopes_missing"
    assert ADWORDS not in caught.value.detail


def test_a_wrong_client_secret_is_the_operators_affair(platform: Google, token: str) -> None:
    with platform.client(token, secret="wrong") as client, pytest.raises(errors.OperatorMustAct):
        client.accessible()


def test_a_token_endpoint_that_fails_is_asked_again(platform: Google, client: GoogleClient) -> None:
    platform.sandbox.faults({"match": {"path": "^token", "times": 3}, "fault": {"kind": "html_502"}})
    assert len(ids(client)) == ADS


def test_an_account_that_is_shared_no_more_is_skipped(platform: Google) -> None:
    grant = platform.login()
    platform.sandbox.control("POST", "tokens/revoke", {"token": grant, "account": TOKYO})
    with platform.client(grant) as client:
        reader = GoogleReader(client, {TOKYO: MANAGER})
        with pytest.raises(errors.AccountInaccessible):
            reader.account(TOKYO)
        assert TOKYO not in {account.external_id for account in reader.accounts()}
        assert reader.account(KUWAIT).currency == "KWD"
