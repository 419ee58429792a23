"""Accounts, objects and rows as Meta writes them, read into the words of this house."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adloom.errors import PlatformProtocolError
from adloom.platforms.meta import insights, statuses
from adloom.platforms.meta.conversions import Counted
from adloom.platforms.meta.entities import AccountNode, ObjectNode
from adloom.platforms.meta.read import MetaReader
from adloom.platforms.model import Account, Days, Level

EUR = Account("11", "Shop", "EUR", "Europe/Berlin", "active", None)


def node(**fields: Any) -> ObjectNode:
    return msgspec.convert({"id": "9007199254740993", "name": "Coats", "status": "ACTIVE", **fields}, ObjectNode)


def rows(*found: dict[str, Any]) -> list[insights.Row]:
    return insights.decoder.decode(msgspec.json.encode({"data": found})).data


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [("EUR", "1250", "12.50"), ("JPY", "1250", "1250"), ("KWD", "1250", "12.50"), ("HUF", "99", "99")],
)
def test_budgets_are_minor_units_but_for_metas_whole_unit_currencies(currency: str, minor: str, amount: str) -> None:
    account = Account("11", "Shop", currency, "UTC", "active", None)
    assert node(daily_budget=minor).entity("campaign", account).daily_budget == Decimal(amount)


def test_no_budget_of_a_kind_is_none_and_nonsense_is_refused() -> None:
    assert node(daily_budget="0", lifetime_budget="5000").entity("ad_group", EUR).daily_budget is None
    assert node().entity("campaign", EUR).lifetime_budget is None
    with pytest.raises(PlatformProtocolError):
        node(daily_budget="lots").entity("campaign", EUR)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ACTIVE", "active"),
        ("PAUSED", "paused"),
        ("ARCHIVED", "archived"),
        ("DELETED", "deleted"),
        ("NEW_WORD", "paused"),
    ],
)
def test_the_state_is_the_objects_own_and_not_its_parents(word: str, status: str) -> None:
    assert node(status=word, effective_status="CAMPAIGN_PAUSED").entity("ad", EUR).status == status


def test_parents_are_the_account_the_campaign_and_the_ad_set() -> None:
    one = node(campaign_id="21", adset_id="31")
    assert [one.entity(level, EUR).parent_id for level in ("campaign", "ad_group", "ad")] == ["11", "21", "31"]


def test_ids_beyond_2_to_the_53_keep_every_digit() -> None:
    assert node().entity("campaign", EUR).external_id == "9007199254740993"


def test_times_keep_their_offset_and_one_without_is_refused() -> None:
    assert node(created_time="2026-03-01T09:00:00+0100").entity("ad", EUR).created_at == datetime(
        2026, 3, 1, 8, tzinfo=UTC
    )
    for text in ("2026-03-01T09:00:00", "yesterday"):
        with pytest.raises(PlatformProtocolError):
            node(created_time=text).entity("ad", EUR)


@pytest.mark.parametrize(
    ("currency", "zone"),
    [("", "UTC"), ("eur", "UTC"), ("EUR", ""), ("EUR", "Atlantis/Capital"), ("EUR", "../../etc/passwd"), ("EUR", ".")],
)
def test_an_account_without_a_currency_or_days_is_refused(currency: str, zone: str) -> None:
    with pytest.raises(PlatformProtocolError, match="of account 11"):
        AccountNode("11", currency=currency, timezone_name=zone).account()


def test_an_account_s_status_is_one_of_ours() -> None:
    assert AccountNode("11", "", "EUR", "UTC", 101).account().status == "archived"
    assert [statuses.of_account(number) for number in (1, 2, 9, 100)] == ["active", "paused", "active", "archived"]


@pytest.mark.parametrize("level", ["campaign", "ad_group", "ad"])
def test_archived_and_deleted_objects_are_always_asked_for(level: Level) -> None:
    (condition,) = insights.query(level)["filtering"]  # type: ignore[misc, attr-defined]
    assert condition["operator"] == "IN"
    assert {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "WITH_ISSUES"} <= set(condition["value"])


def test_the_range_is_always_explicit_and_daily() -> None:
    asked = insights.params(
        "ad", Days(datetime(2026, 3, 1, tzinfo=UTC).date(), datetime(2026, 3, 7, tzinfo=UTC).date())
    )
    assert asked["time_range"] == {"since": "2026-03-01", "until": "2026-03-07"}
    assert asked["time_increment"] == "1"
    assert "use_unified_attribution_setting" not in asked


def test_a_row_keeps_metas_own_text_and_what_it_does_not_say_stays_unsaid() -> None:
    page = rows({"date_start": "2026-03-01", "ad_id": "41", "adset_id": "31", "campaign_id": "21", "spend": "1.50"})
    (fact,) = insights.facts(page, "ad", Counted())
    assert (fact.entity_id, fact.parent_id, fact.branch, fact.spend) == ("41", "31", "21", "1.50")
    assert (fact.impressions, fact.conversions, fact.video_views, fact.reach, fact.actions) == (None,) * 5


def test_the_raw_actions_are_kept_as_meta_wrote_them() -> None:
    said = b'[ {"action_type":"purchase","value":"2.0"} ]'
    raw = b'{"data":[{"date_start":"2026-03-01","campaign_id":"21","actions":%b}]}' % said
    (fact,) = insights.facts(insights.decoder.decode(raw).data, "campaign", Counted())
    assert fact.actions == b'{"actions":%b,"action_values":null}' % said
    assert fact.conversions == "2.0"


def test_a_field_that_we_do_not_know_is_passed_over() -> None:
    (fact,) = insights.facts(
        rows({"date_start": "2026-03-01", "account_id": "11", "new": {"deep": [1]}}), "account", Counted()
    )
    assert fact.entity_id == "11"


@pytest.mark.parametrize(
    "row",
    [
        {"date_start": "2026-03-01", "campaign_id": "21"},
        {"date_start": "2026-03-01", "ad_id": "41", "actions": [{"value": "1"}]},
        {"date_start": "2026-03-01", "ad_id": "41", "actions": "many"},
    ],
    ids=["without its id", "an action without its name", "actions that are no list"],
)
def test_a_row_that_cannot_be_understood_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(PlatformProtocolError):
        list(insights.facts(rows(row), "ad", Counted()))


def test_an_account_that_cannot_be_read_keeps_no_other_from_being_found() -> None:
    listed = {"data": [{"account_id": "11", "currency": "EUR", "timezone_name": "Atlantis/Capital"},
                       {"account_id": "12", "currency": "EUR", "timezone_name": "Asia/Tokyo"}]}  # fmt: skip

    class OnePage:
        def get(self, _path: str, _params: object, decoder: msgspec.json.Decoder[object]) -> object:
            return decoder.decode(msgspec.json.encode(listed))

        api_version = "v1"

    assert [account.external_id for account in MetaReader(OnePage()).accounts()] == ["12"]  # type: ignore[arg-type]
