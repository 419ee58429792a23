"""Reads TikTok with TikTok's own SDK, which is none of ours. Runs in a venv of its own.

Arguments: address, app id, secret, authorization code, first and last day. Prints what it read as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date, timedelta
from typing import Any

from business_api_client import ApiClient, Configuration
from business_api_client.api.account_management_api import AccountManagementApi
from business_api_client.api.ad_api import AdApi
from business_api_client.api.adgroup_api import AdgroupApi
from business_api_client.api.authentication_api import AuthenticationApi
from business_api_client.api.campaign_creation_api import CampaignCreationApi
from business_api_client.api.reporting_api import ReportingApi
from business_api_client.tiktok_business.tiktok_exceptions import TiktokSDKError

SPAN_DAYS, PAGE_SIZE = 30, 1000
LEVELS = {
    "AUCTION_ADVERTISER": ("advertiser_id", None),
    "AUCTION_CAMPAIGN": ("campaign_id", "campaign_status"),
    "AUCTION_ADGROUP": ("adgroup_id", "adgroup_status"),
    "AUCTION_AD": ("ad_id", "ad_status"),
}


def pages(call: Any, **asked: Any) -> list[dict[str, Any]]:
    """Every row of a list or a report."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        got = call(page=page, page_size=PAGE_SIZE, **asked)["data"]
        found += got["list"]
        if page >= got["page_info"]["total_page"]:
            return found
        page += 1


def report(api: ReportingApi, token: str, advertiser_id: str, level: str, since: date, until: date) -> list[Any]:
    """Every row of a level, span by span."""
    dimension, status = LEVELS[level]
    filtering = [{"field_name": status, "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}] if status else None
    found: list[dict[str, Any]] = []
    while since <= until:
        end = min(until, since + timedelta(SPAN_DAYS - 1))
        found += pages(
            lambda **asked: api.report_integrated_get("BASIC", token, **asked),
            advertiser_id=advertiser_id,
            data_level=level,
            dimensions=[dimension, "stat_time_day"],
            metrics=["spend", "impressions", "clicks", "conversion", "total_complete_payment_rate"],
            start_date=since.isoformat(),
            end_date=end.isoformat(),
            **({"filtering": filtering} if filtering else {}),
        )
        since = end + timedelta(1)
    return found


def days_of(until: date) -> list[str]:
    """The last two days."""
    return [(until - timedelta(1)).isoformat(), until.isoformat()]


def hours(api: ReportingApi, token: str, advertiser_id: str, day: str) -> list[Any]:
    """A day of the account's campaigns by the hour."""
    return pages(
        lambda **asked: api.report_integrated_get("BASIC", token, **asked),
        advertiser_id=advertiser_id,
        data_level="AUCTION_CAMPAIGN",
        dimensions=["campaign_id", "stat_time_hour"],
        metrics=["spend", "impressions", "clicks", "conversion", "total_complete_payment_rate"],
        start_date=day,
        end_date=day,
        filtering=[{"field_name": "campaign_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}],
    )


def task(api: ReportingApi, token: str, advertiser_id: str, since: date, until: date) -> str:
    """The last state of a report in the background."""
    body = {
        "advertiser_id": advertiser_id, "report_type": "BASIC", "data_level": "AUCTION_AD", "metrics": ["spend"],
        "dimensions": ["ad_id", "stat_time_day"], "start_date": since.isoformat(), "end_date": until.isoformat(),
    }  # fmt: skip
    task_id = api.report_task_create(token, body=body)["data"]["task_id"]
    until_s = time.monotonic() + 30
    state = ""
    while state not in {"SUCCESS", "FAILED"} and time.monotonic() < until_s:
        state = api.report_task_check(task_id, advertiser_id, token)["data"]["status"]
    return state


def refused(call: Any) -> str:
    """What the SDK says about a call that must not succeed."""
    try:
        call()
    except TiktokSDKError as error:
        return str(error)
    return "nothing"


def main() -> None:
    """Read everything and print it."""
    address, app_id, secret, code, first, last = sys.argv[1:]
    since, until = date.fromisoformat(first), date.fromisoformat(last)
    configuration = Configuration()
    configuration.host = address
    client = ApiClient(configuration)
    log_in = AuthenticationApi(client)
    got = log_in.oauth2_access_token(body={"app_id": app_id, "secret": secret, "auth_code": code})["data"]
    token = got["access_token"]
    ids = [one["advertiser_id"] for one in log_in.oauth2_advertiser_get(app_id, secret, token)["data"]["list"]]
    everything = {"primary_status": "STATUS_ALL"}
    lists = {
        "campaign": CampaignCreationApi(client).campaign_get,
        "adgroup": AdgroupApi(client).adgroup_get,
        "ad": AdApi(client).ad_get,
    }
    reports = ReportingApi(client)
    found = {
        "granted": got["advertiser_ids"],
        "accounts": AccountManagementApi(client).advertiser_info(ids, token)["data"]["list"],
        "objects": {
            one: {
                level: pages(lambda call=call, one=one, **asked: call(one, token, **asked), filtering=everything)
                for level, call in lists.items()
            }
            for one in ids
        },
        "reports": {one: {level: report(reports, token, one, level, since, until) for level in LEVELS} for one in ids},
        "hours": {one: {day: hours(reports, token, one, day) for day in days_of(until)} for one in ids},
        "task": task(reports, token, ids[0], since, until),
        "refused": refused(lambda: reports.report_integrated_get("BASIC", "made-up", advertiser_id=ids[0])),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
