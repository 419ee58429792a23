"""How a day's levels compare with the platform's own total."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adloom.metrics.intake import Branches
from adloom.metrics.reconcile import (
    DIFFERS_FROM_ACCOUNT,
    MORE_THAN_CAMPAIGN,
    NO_ACCOUNT_ROW,
    judge,
)
from adloom.metrics.sums import Sums
from adloom.platforms.model import LEVELS, Level

DAY = "2026-03-01"


def sums(spend: str, rows: int = 1, **more: int) -> Sums:
    return Sums(rows=rows, spend=Decimal(spend), **more)  # type: ignore[arg-type]


def day(account: str | None, campaigns: str, ad_groups: str, ads: str) -> dict[Level, Branches]:
    """`"21=5 22=7"` is the spend of two campaigns, at each level."""

    def branches(text: str) -> Branches:
        return {(DAY, branch): sums(spend) for branch, _, spend in (part.partition("=") for part in text.split())}

    return {
        "account": {} if account is None else {(DAY, ""): sums(account)},
        "campaign": branches(campaigns),
        "ad_group": branches(ad_groups),
        "ad": branches(ads),
    }


def states(delivered: dict[Level, Branches]) -> list[tuple[str, str | None]]:
    found = judge(delivered)
    assert [verdict.level for verdict in found] == list(LEVELS)
    return [(verdict.state, verdict.explanation) for verdict in found]


MATCH = ("match", None)


def test_levels_that_add_up_match() -> None:
    assert states(day("12", "21=5 22=7", "21=5 22=7", "21=5 22=7")) == [MATCH] * 4


def test_delivery_without_ads_is_explained() -> None:
    assert states(day("12", "21=5 22=7", "21=5 22=7", "21=5 22=6")) == [
        MATCH, MATCH, MATCH, ("explained", "delivery_without_ad_rows"),
    ]  # fmt: skip


def test_delivery_of_a_whole_campaign_without_ad_groups_is_explained_on_both_levels_below() -> None:
    assert states(day("12", "21=5 22=7", "21=5", "21=5")) == [
        MATCH, MATCH, ("explained", "delivery_without_ad_group_rows"), ("explained", "delivery_without_ad_rows"),
    ]  # fmt: skip


@pytest.mark.parametrize("account", ["11", "13"])
def test_campaigns_that_do_not_add_up_to_the_account_are_not_explained(account: str) -> None:
    assert states(day(account, "21=5 22=7", "21=5 22=7", "21=5 22=7"))[:2] == [
        MATCH, ("unexplained", DIFFERS_FROM_ACCOUNT),
    ]  # fmt: skip


def test_ads_that_are_more_than_their_campaign_are_not_explained_even_if_the_day_adds_up() -> None:
    assert states(day("12", "21=5 22=7", "21=5 22=7", "21=7 22=5"))[3] == ("unexplained", MORE_THAN_CAMPAIGN)


def test_one_measure_more_is_enough() -> None:
    delivered = day("12", "21=12", "21=12", "21=11")
    delivered["ad"][DAY, "21"] = sums("11", clicks=1)
    assert states(delivered)[3] == ("unexplained", MORE_THAN_CAMPAIGN)


def test_delivery_without_a_total_of_the_account_is_not_explained() -> None:
    assert states(day(None, "21=5", "21=5", "21=5"))[:2] == [
        ("unexplained", NO_ACCOUNT_ROW), ("unexplained", DIFFERS_FROM_ACCOUNT),
    ]  # fmt: skip


def test_a_total_without_any_campaign_is_not_explained() -> None:
    assert states(day("5", "", "", ""))[1] == ("unexplained", DIFFERS_FROM_ACCOUNT)


def test_rows_of_zeros_match_no_rows() -> None:
    assert states(day(None, "21=0", "", "")) == [MATCH] * 4


def test_a_day_without_any_row_needs_no_verdict() -> None:
    assert judge({}) == []


def test_scale_does_not_matter_and_the_last_digit_does() -> None:
    assert states(day("12.50", "21=12.5", "21=12.500", "21=12.5")) == [MATCH] * 4
    assert states(day("12.50", "21=12.500001", "21=12.5", "21=12.5"))[1] == ("unexplained", DIFFERS_FROM_ACCOUNT)
