"""How a day's levels compare with the platform's own total."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adloom.metrics.intake import Branches
from adloom.metrics.reconcile import (
    DIFFERS_FROM_ACCOUNT,
    MORE_THAN_CAMPAIGN,
    NO_ACCOUNT_ROW,
    RESTATED,
    ROUNDED,
    TRUNCATED,
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


# What the platform itself explains


def explained(delivered: dict[Level, Branches], **more: Any) -> list[tuple[str, str | None]]:
    return [(verdict.state, verdict.explanation) for verdict in judge(delivered, **more)]


def test_numbers_that_moved_while_they_were_read_are_explained_on_those_days_only() -> None:
    moving = day("12", "21=5 22=8", "21=5 22=8", "21=6 22=8")
    assert explained(moving, moved={DAY}) == [MATCH, ("explained", RESTATED), MATCH, ("explained", RESTATED)]
    assert explained(moving, moved={"2026-03-02"})[1] == ("unexplained", DIFFERS_FROM_ACCOUNT)


def test_rows_that_the_platform_cut_are_explained_but_not_what_is_more_than_the_whole() -> None:
    cut = day("12", "21=5 22=7", "21=5 22=7", "21=3")
    assert explained(cut, cut={"ad"})[3] == ("explained", TRUNCATED)
    assert explained(day("12", "21=5 22=7", "21=5 22=7", "21=5 22=7"), cut={"ad"}) == [MATCH] * 4
    assert explained(day("12", "21=5 22=7", "21=5 22=7", "21=6"), cut={"ad"})[3] == ("unexplained", MORE_THAN_CAMPAIGN)
    assert explained(cut, cut={"ad_group"})[3] == ("explained", "delivery_without_ad_rows")


def thirds(conversions: str, rows: int = 1) -> Sums:
    return Sums(rows=rows, spend=Decimal(5), conversions=Decimal(conversions))


def test_the_last_digit_of_shared_conversions_is_rounded_and_of_nothing_else() -> None:
    delivered = day("5", "21=5", "21=5", "21=5")
    delivered["account"][DAY, ""] = thirds("1")
    delivered["campaign"][DAY, "21"] = thirds("0.999999", 3)
    delivered["ad_group"][DAY, "21"] = delivered["ad"][DAY, "21"] = thirds("1.000001", 3)
    assert explained(delivered) == [MATCH] + [("explained", ROUNDED)] * 3
    delivered["campaign"][DAY, "21"] = thirds("0.999997", 3)
    assert explained(delivered)[1] == ("unexplained", DIFFERS_FROM_ACCOUNT)
    assert explained(delivered)[2] == ("unexplained", MORE_THAN_CAMPAIGN)


def test_a_rounded_digit_beside_delivery_without_ads_is_no_more_than_the_campaign() -> None:
    delivered = day("5", "21=5", "21=5", "21=5")
    delivered["account"][DAY, ""] = delivered["campaign"][DAY, "21"] = thirds("1")
    delivered["ad_group"][DAY, "21"] = delivered["campaign"][DAY, "21"]
    delivered["ad"][DAY, "21"] = replace(thirds("1.000001", 3), spend=Decimal(4))
    assert explained(delivered)[3] == ("explained", "delivery_without_ad_rows")


# Ten thousand account-days


class Shop:
    """One account over some days, as a platform would deliver it: campaigns, what has no ads, zeros and gaps."""

    def __init__(self, chance: random.Random, days: list[str]) -> None:
        self.chance = chance
        self.delivered: dict[Level, Branches] = {level: {} for level in LEVELS}
        for each in days:
            self._day(each)

    def _day(self, on: str) -> None:
        whole = Sums()
        for branch in range(self.chance.randrange(4)):
            narrower = sum((self._row() for _ in range(self.chance.randrange(1, 4))), Sums())
            # Automatic placements and removed ads: delivery that only the levels above have.
            above = [self._row() if self.chance.random() < 0.2 else Sums() for _ in range(2)]
            group, campaign = narrower + above[0], narrower + above[0] + above[1]
            for level, sums in (("ad", narrower), ("ad_group", group), ("campaign", campaign)):
                if sums.rows and (level != "ad" or self.chance.random() < 0.95):
                    self.delivered[level][on, str(branch)] = sums  # type: ignore[index]
            whole += campaign
        # A day of zeros may have a row of the account or none.
        if not whole.is_zero or self.chance.random() < 0.5:
            self.delivered["account"][on, ""] = whole

    def _row(self) -> Sums:
        number = self.chance.randrange
        if self.chance.random() < 0.05:
            return Sums(rows=1)
        return Sums(
            1, number(9999), number(99), Decimal(number(10**7)) / 1000, Decimal(number(99)) / 4, Decimal(number(99))
        )

    def plant(self, on: str) -> None:
        """Let the account's total be another one, by as little as can be."""
        told = self.delivered["account"].get((on, ""), Sums(rows=1))
        field = self.chance.choice(("impressions", "clicks", "spend", "conversions", "conversion_value"))
        least = 1 if field in ("impressions", "clicks") else Decimal("0.001")
        self.delivered["account"][on, ""] = replace(told, **{field: getattr(told, field) + least})


def test_over_ten_thousand_account_days_every_planted_difference_is_named_and_nothing_else() -> None:
    chance = random.Random(2026)
    days = [(date(2026, 1, 1) + timedelta(days=number)).isoformat() for number in range(50)]
    planted, named, count = set(), set(), 0
    for account in range(200):
        shop = Shop(chance, days)
        for on in chance.sample(days, chance.randrange(3)):
            shop.plant(on)
            planted.add((account, on))
        verdicts = judge(shop.delivered)
        named |= {(account, verdict.day.isoformat()) for verdict in verdicts if verdict.state == "unexplained"}
        count += len(days)
    assert count == 10_000
    assert len(planted) > 100
    assert named == planted
