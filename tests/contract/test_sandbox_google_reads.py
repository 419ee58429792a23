"""Google's own SDK, unmodified, reads the sandbox: hierarchy, GAQL, streams, pages, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.sandbox.facts import columns
from tests.unit.sandbox.google import MANAGER, Google, google, row, thing
from tests.unit.sandbox.support import facts, write

NOW = "2026-03-03T12:30:00+00:00"
DAYS = "segments.date BETWEEN '2026-03-01' AND '2026-03-03'"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    folder = facts(
        tmp_path_factory.mktemp("facts"),
        row(date="2026-03-01", video_views="300", reach="900"),
        row(date="2026-03-02", conversions="", conversion_value="", clicks="0"),
        row(date="2026-03-02", ad_id="42", ad_name="Cape", conversions="1.5", conversion_value="30.015"),
        row(date="2026-03-02", campaign_id="24", campaign_name="Max", adgroup_id="", adgroup_name="", ad_id="",
            ad_name="", spend="3.250001"),
        row(date="2026-03-03", campaign_id="22", adgroup_id="33", ad_id="44", campaign_name="Gone"),
        row(account_id="12", campaign_id="29", adgroup_id="39", ad_id="49", currency="JPY", timezone="Asia/Tokyo",
            date="2026-03-03", spend="1200"),
        row(account_id="13", campaign_id="28", adgroup_id="38", ad_id="48", date="2026-03-03"),
        row(account_id="14", campaign_id="27", adgroup_id="37", ad_id="47", date="2026-03-03"),
        row(account_id="15", campaign_id="26", adgroup_id="36", ad_id="46", date="2026-03-03"),
    )  # fmt: skip
    of_accounts = [
        thing("account", "11", "", name="Shop", conversion_window_days="60"),
        {**thing("account", "13", "", kind="direct"), "account_id": "13"},
        {**thing("account", "14", "", kind="sub_manager"), "account_id": "14"},
        {**thing("account", "15", "", status="deleted"), "account_id": "15"},
        thing("campaign", "21", "11", name="Coats", status="paused", daily_budget="52.50"),
        thing("campaign", "22", "11", name="Gone", status="deleted", deleted_at="2026-03-03T10:00:00+01:00"),
        thing("campaign", "24", "11", name="Max", kind="performance_max", lifetime_budget="900"),
        thing("ad", "42", "31", name="Cape", status="deleted", final_url="https://shop.example/cape",
              review_status="disapproved", texts='[{"field":"headline","text":"Buy"}]'),
        thing("ad", "43", "31", name="New", created_at="2026-03-01T10:00:00+01:00"),
    ]  # fmt: skip
    write(folder, columns.ENTITIES_FILE, of_accounts)
    usual = {"platform": "google", "account_id": "11", "campaign_id": "21", "impressions": "10", "spend": "0.10"}
    hours = [("2026-03-02", "23"), ("2026-03-03", "0"), ("2026-03-03", "13"), ("2026-03-03", "14")]
    write(folder, columns.HOURLY_FILE, [{**usual, "date": day, "hour": hour} for day, hour in hours])
    total = {"platform": "google", "account_id": "11", "date": "2026-03-01", "impressions": "7", "spend": "99.99"}
    write(folder, columns.TOTALS_FILE, [total])
    with google(tmp_path_factory.mktemp("home"), folder, NOW) as started:
        yield started


@pytest.fixture(scope="module")
def token(platform: Google) -> str:
    return platform.login()


@pytest.fixture(autouse=True)
def clean(platform: Google) -> None:
    platform.sandbox.faults()
    platform.sandbox.control("DELETE", "requests")


@pytest.fixture(scope="module")
def sdk(platform: Google, token: str) -> Any:
    return platform.sdk(token)


def stream(sdk: Any, query: str, customer_id: str = "11") -> list[Any]:
    service = sdk.get_service("GoogleAdsService")
    found = []
    chunks = service.search_stream(customer_id=customer_id, query=query, timeout=30)
    try:
        for chunk in chunks:
            found += chunk.results
    finally:
        chunks.cancel()
    return found


def refused(sdk: Any, query: str, customer_id: str = "11") -> tuple[str, str]:
    """The code and the sentence of the refusal."""
    from google.ads.googleads.errors import GoogleAdsException

    with pytest.raises(GoogleAdsException) as caught:
        stream(sdk, query, customer_id)
    error = caught.value.failure.errors[0]
    family = type(error.error_code).pb(error.error_code).WhichOneof("error_code")
    assert caught.value.request_id
    return f"{family}.{getattr(error.error_code, family).name}", error.message


# Accounts


def test_only_the_persons_own_accounts_are_accessible_at_once(sdk: Any, platform: Google) -> None:
    listed = sdk.get_service("CustomerService").list_accessible_customers(timeout=30)
    assert list(listed.resource_names) == [f"customers/{MANAGER}", "customers/13"]


def test_a_manager_lists_its_clients_with_their_level(sdk: Any) -> None:
    query = (
        "SELECT customer_client.id, customer_client.level, customer_client.manager, customer_client.status,"
        " customer_client.currency_code, customer_client.time_zone FROM customer_client"
    )
    found = [row.customer_client for row in stream(sdk, query, MANAGER)]
    assert [(one.id, one.level, one.manager, one.status.name, one.currency_code) for one in found] == [
        (int(MANAGER), 0, True, "ENABLED", "USD"),
        (11, 1, False, "ENABLED", "EUR"),
        (12, 1, False, "ENABLED", "JPY"),
        (15, 1, False, "CLOSED", "EUR"),
        (9000000002, 1, True, "ENABLED", "JPY"),
        (14, 2, False, "ENABLED", "EUR"),
    ]
    assert found[2].time_zone == "Asia/Tokyo"
    enabled = stream(sdk, f"{query} WHERE customer_client.status = 'ENABLED' AND customer_client.level <= 1", MANAGER)
    assert [row.customer_client.id for row in enabled] == [int(MANAGER), 11, 12, 9000000002]


@pytest.mark.parametrize(
    ("customer_id", "login", "code"),
    [
        ("11", None, "authorization_error.USER_PERMISSION_DENIED"),
        ("13", MANAGER, "authorization_error.USER_PERMISSION_DENIED"),
        ("99", MANAGER, "authorization_error.USER_PERMISSION_DENIED"),
        ("11", "13", "authorization_error.USER_PERMISSION_DENIED"),
        ("15", MANAGER, "authorization_error.CUSTOMER_NOT_ENABLED"),
        ("1-1", MANAGER, "request_error.INVALID_CUSTOMER_ID"),
    ],
)
def test_an_account_is_reached_by_its_own_way_only(
    platform: Google, token: str, customer_id: str, login: str | None, code: str
) -> None:
    assert refused(platform.sdk(token, login), "SELECT customer.id FROM customer", customer_id)[0] == code


def test_the_way_that_works_works(platform: Google, token: str) -> None:
    query = "SELECT customer.id, customer.descriptive_name FROM customer"
    assert stream(platform.sdk(token, None), query, "13")[0].customer.id == 13
    assert stream(platform.sdk(token, MANAGER), query, "14")[0].customer.id == 14
    assert stream(platform.sdk(token, MANAGER), query, "11")[0].customer.descriptive_name == "Shop"


# Objects


def test_removed_objects_are_listed_and_budgets_are_micros(sdk: Any) -> None:
    found = stream(
        sdk,
        "SELECT campaign.id, campaign.name, campaign.status, campaign.advertising_channel_type,"
        " campaign_budget.amount_micros, campaign_budget.total_amount_micros, campaign_budget.period FROM campaign"
        " ORDER BY campaign.id",
    )
    shown = [
        (row.campaign.id, row.campaign.status.name, row.campaign.advertising_channel_type.name,
         row.campaign_budget.amount_micros, row.campaign_budget.total_amount_micros) for row in found
    ]  # fmt: skip
    assert shown == [
        (21, "PAUSED", "SEARCH", 52_500_000, 0),
        (22, "REMOVED", "SEARCH", 0, 0),
        (24, "ENABLED", "PERFORMANCE_MAX", 0, 900_000_000),
    ]
    assert found[0].campaign.resource_name == "customers/11/campaigns/21"


def test_ads_have_their_texts_and_review(sdk: Any) -> None:
    ads = stream(
        sdk,
        "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, ad_group_ad.status, ad_group.id,"
        " campaign.id, ad_group_ad.ad.final_urls, ad_group_ad.ad.responsive_search_ad.headlines,"
        " ad_group_ad.policy_summary.approval_status FROM ad_group_ad WHERE ad_group_ad.status = REMOVED",
    )
    assert len(ads) == 1
    ad = ads[0].ad_group_ad
    assert (ad.ad.id, ad.ad.name, ad.status.name, ads[0].campaign.id) == (42, "Cape", "REMOVED", 21)
    assert list(ad.ad.final_urls) == ["https://shop.example/cape"]
    assert [text.text for text in ad.ad.responsive_search_ad.headlines] == ["Buy"]
    assert ad.policy_summary.approval_status.name == "DISAPPROVED"


def test_each_window_of_conversions_has_an_action_and_one_action_is_no_more(sdk: Any) -> None:
    query = (
        "SELECT conversion_action.status, conversion_action.click_through_lookback_window_days, customer.id"
        " FROM conversion_action"
    )
    actions = [row.conversion_action for row in stream(sdk, query)]
    found = [(one.status.name, one.click_through_lookback_window_days) for one in actions]
    assert found == [("ENABLED", 60), ("REMOVED", 90)]


# Numbers

METRICS = "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value"


def test_days_of_ads_leave_out_what_has_no_ad(sdk: Any) -> None:
    found = stream(sdk, f"SELECT ad_group_ad.ad.id, segments.date, {METRICS} FROM ad_group_ad WHERE {DAYS}")
    shown = [
        (row.segments.date, row.ad_group_ad.ad.id, row.metrics.cost_micros, row.metrics.conversions,
         row.metrics.conversions_value) for row in found
    ]  # fmt: skip
    assert shown == [
        ("2026-03-01", 41, 12_500_000, 2.0, 80.0),
        ("2026-03-02", 41, 12_500_000, 0.0, 0.0),
        ("2026-03-02", 42, 12_500_000, 1.5, 30.015),
        ("2026-03-03", 44, 12_500_000, 2.0, 80.0),
    ]


def test_resource_names_that_nobody_asked_for_can_be_left_out(sdk: Any) -> None:
    query = "SELECT campaign.id, campaign.resource_name FROM ad_group WHERE ad_group.id = 31 PARAMETERS "
    left_out, with_them = (stream(sdk, f"{query}omit_unselected_resource_names={one}")[0] for one in ("true", "false"))
    assert left_out.ad_group.resource_name == ""
    assert left_out.campaign.resource_name == with_them.campaign.resource_name == "customers/11/campaigns/21"
    assert with_them.ad_group.resource_name == "customers/11/adGroups/31"


def test_a_number_that_nobody_knows_is_unset_and_not_zero(sdk: Any) -> None:
    query = f"SELECT segments.date, {METRICS} FROM ad_group_ad WHERE segments.date = '2026-03-02' AND ad_group.id = 31"
    of_parka = type(stream(sdk, query)[0]).pb(stream(sdk, query)[0]).metrics
    assert of_parka.HasField("clicks")
    assert of_parka.clicks == 0
    assert not of_parka.HasField("conversions")


def test_campaigns_have_what_their_ads_have_not(sdk: Any) -> None:
    query = (
        f"SELECT campaign.id, segments.date, metrics.cost_micros FROM campaign WHERE {DAYS} ORDER BY campaign.id DESC"
    )
    found = [(row.campaign.id, row.segments.date, row.metrics.cost_micros) for row in stream(sdk, query)]
    assert found[0] == (24, "2026-03-02", 3_250_001)
    assert (21, "2026-03-02", 25_000_000) in found
    assert [one[0] for one in found] == [24, 22, 21, 21]


def test_an_accounts_own_total_is_served_even_where_it_differs(sdk: Any) -> None:
    query = f"SELECT customer.id, segments.date, metrics.cost_micros, metrics.impressions FROM customer WHERE {DAYS}"
    found = {row.segments.date: (row.metrics.cost_micros, row.metrics.impressions) for row in stream(sdk, query)}
    assert found["2026-03-01"] == (99_990_000, 7)
    assert found["2026-03-02"] == (28_250_001, 3000)


def test_without_a_segment_every_object_has_a_row_of_the_whole_time(sdk: Any) -> None:
    query = "SELECT ad_group_ad.ad.id, metrics.cost_micros FROM ad_group_ad"
    found = {row.ad_group_ad.ad.id: row.metrics.cost_micros for row in stream(sdk, f"{query} WHERE {DAYS}")}
    assert found == {41: 25_000_000, 42: 12_500_000, 43: 0, 44: 12_500_000}
    some = stream(sdk, f"{query} WHERE {DAYS} AND metrics.cost_micros > 12500000")
    assert [row.ad_group_ad.ad.id for row in some] == [41]


def test_hours_that_have_not_begun_are_not_there(sdk: Any) -> None:
    query = "SELECT campaign.id, segments.date, segments.hour, metrics.impressions FROM campaign"
    found = [(row.segments.date, row.segments.hour) for row in stream(sdk, f"{query} WHERE {DAYS}")]
    assert found == [("2026-03-02", 23), ("2026-03-03", 0), ("2026-03-03", 13)]


def test_today_is_the_accounts_own(sdk: Any) -> None:
    query = "SELECT customer.id, segments.date, metrics.cost_micros FROM customer WHERE segments.date DURING TODAY"
    assert [row.segments.date for row in stream(sdk, query, "12")] == ["2026-03-03"]


# Refusals


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT campaign.start_date FROM campaign", "UNRECOGNIZED_FIELD"),
        (f"SELECT metrics.video_views FROM campaign WHERE {DAYS}", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaigns", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT ad_group.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign WHERE ad_group.id = 1", "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE"),
        ("SELECT campaign.id, segments.date FROM campaign", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        ("SELECT campaign.id, segments.date FROM campaign WHERE segments.date > '2026-01-01'",
         "EXPECTED_FILTERS_ON_DATE_RANGE"),
        ("SELECT campaign.id FROM campaign WHERE segments.date = 'soon'", "INVALID_DATE_FORMAT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status = 'DELETED'", "BAD_ENUM_CONSTANT"),
        ("SELECT conversion_action.id, metrics.clicks FROM conversion_action",
         "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE"),
        ("campaign.id FROM campaign", "EXPECTED_SELECT"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("SELECT campaign.id FROM campaign WHERE", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 1 campaign.id = 2", "EXPECTED_AND"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"),
        ("SELECT campaign.id FROM campaign LIMIT 0", "LIMIT_VALUE_TOO_LOW"),
        ("SELECT campaign.id FROM campaign; DROP", "BAD_SYMBOL"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused_with_googles_own_code(sdk: Any, query: str, code: str) -> None:
    assert refused(sdk, query)[0] == f"query_error.{code}"


def test_a_manager_has_no_numbers(sdk: Any) -> None:
    query = "SELECT customer.id, metrics.clicks FROM customer"
    assert refused(sdk, query, MANAGER)[0] == "query_error.REQUESTED_METRICS_FOR_MANAGER"


# Pages and streams


def test_pages_are_walked_by_token(platform: Google, sdk: Any) -> None:
    platform.sandbox.faults(
        {"match": {"path": "/Search$", "times": None}, "fault": {"kind": "small_chunks", "rows": 2}}
    )
    service = sdk.get_service("GoogleAdsService")
    found = service.search(customer_id="11", query="SELECT ad_group_ad.ad.id FROM ad_group_ad", timeout=30)
    assert [row.ad_group_ad.ad.id for row in found] == [41, 42, 44, 43]
    assert [one["params"].get("page_token", "") != "" for one in platform.asked("/Search")] == [False, True]


def test_a_page_size_and_a_foreign_page_token_are_refused(sdk: Any) -> None:
    from google.ads.googleads.errors import GoogleAdsException

    service = sdk.get_service("GoogleAdsService")
    for given, code in (({"page_size": 5}, "PAGE_SIZE_NOT_SUPPORTED"), ({"page_token": "x"}, "INVALID_PAGE_TOKEN")):
        request = sdk.get_type("SearchGoogleAdsRequest")
        request.customer_id, request.query = "11", "SELECT campaign.id FROM campaign"
        for name, value in given.items():
            setattr(request, name, value)
        with pytest.raises(GoogleAdsException) as caught:
            service.search(request=request, timeout=30)
        assert caught.value.failure.errors[0].error_code.request_error.name == code


def test_a_stream_comes_in_chunks_and_may_break_between_them(platform: Google, sdk: Any) -> None:
    from google.ads.googleads.errors import GoogleAdsException

    error = {"grpc": "UNAVAILABLE", "code": "internal_error.TRANSIENT_ERROR", "message": "again"}
    platform.sandbox.faults({"fault": {"kind": "grpc_error", "after": 3, "error": error}})
    service = sdk.get_service("GoogleAdsService")
    chunks = service.search_stream(customer_id="11", query="SELECT ad_group_ad.ad.id FROM ad_group_ad", timeout=30)
    assert len(next(chunks).results) == 3
    with pytest.raises(GoogleAdsException) as caught:
        next(chunks)
    assert caught.value.failure.errors[0].error_code.internal_error.name == "TRANSIENT_ERROR"
    assert len(stream(sdk, "SELECT ad_group_ad.ad.id FROM ad_group_ad")) == 4


def test_a_quota_error_has_its_details_where_the_sdk_drops_them(platform: Google, sdk: Any) -> None:
    from google.api_core.exceptions import ResourceExhausted

    error = {
        "grpc": "RESOURCE_EXHAUSTED", "code": "quota_error.RESOURCE_EXHAUSTED", "message": "Retry in 8962 seconds.",
        "retry_delay_s": 8962, "scope": "DEVELOPER", "rate_name": "Number of operations for explorer access",
    }  # fmt: skip
    platform.sandbox.faults({"fault": {"kind": "grpc_error", "error": error}})
    with pytest.raises(ResourceExhausted) as caught:
        stream(sdk, "SELECT campaign.id FROM campaign")
    metadata = dict(caught.value.errors[0].trailing_metadata())
    failure = type(sdk.get_type("GoogleAdsFailure")).deserialize(
        metadata["google.ads.googleads.v26.errors.googleadsfailure-bin"]
    )
    details = failure.errors[0].details.quota_error_details
    assert (details.rate_scope.name, details.retry_delay.total_seconds()) == ("DEVELOPER", 8962)


def test_a_deadline_passes_in_a_stream_that_hangs(platform: Google, sdk: Any) -> None:
    from google.api_core.exceptions import DeadlineExceeded

    platform.sandbox.faults({"fault": {"kind": "hang", "seconds": 30, "after": 2}})
    service = sdk.get_service("GoogleAdsService")
    chunks = service.search_stream(customer_id="11", query="SELECT ad_group_ad.ad.id FROM ad_group_ad", timeout=1)
    assert len(next(chunks).results) == 2
    with pytest.raises(DeadlineExceeded):
        next(chunks)


def test_the_request_log_names_query_customer_and_login(platform: Google, sdk: Any) -> None:
    stream(sdk, "SELECT campaign.id FROM campaign")
    shown = platform.asked("SearchStream")
    assert [(one["path"], one["params"], one["status"]) for one in shown] == [
        ("GoogleAdsService/SearchStream",
         {"customer_id": "11", "query": "SELECT campaign.id FROM campaign", "login_customer_id": MANAGER}, 0)
    ]  # fmt: skip
