"""The rows of a report as TikTok sends them, with every metric that is asked for: 600 bytes of JSON."""

from __future__ import annotations

from tests.bench.sync.dataset import ACCOUNT_ID, Numbers, money, name, parent

# By what the shape calls TikTok's levels: the id that a row of each has, and how a report names the level.
IDS = {"account": "advertiser_id", "campaign": "campaign_id", "adset": "adgroup_id", "ad": "ad_id"}
DATA_LEVELS = {
    "account": "AUCTION_ADVERTISER",
    "campaign": "AUCTION_CAMPAIGN",
    "adset": "AUCTION_ADGROUP",
    "ad": "AUCTION_AD",
}
_FIRST_IDS = {"campaign": 18 * 10**17 + 10**15, "adset": 18 * 10**17 + 2 * 10**15, "ad": 18 * 10**17 + 3 * 10**15}

_DAY = "YYYY-MM-DD"


def names(level: str) -> list[str]:
    """The metrics that say who a row is about."""
    own = [] if level == "account" else [IDS[level].replace("_id", "_name")]
    return own + [IDS[one] for one in above(level, 0) if one != level]


def object_id(level: str, number: int) -> str:
    """Ids of 19 digits, beyond what a float holds."""
    return ACCOUNT_ID if level == "account" else str(_FIRST_IDS[level] + number)


def above(level: str, number: int) -> dict[str, int]:
    """The number of the object and of those above it, by level."""
    found = {level: number}
    for below, level_above in (("ad", "adset"), ("adset", "campaign")):
        if below in found:
            found[level_above] = parent(below, found[below])
    return found


def head(level: str, number: int) -> str:
    """The part of a row that is the same every day, with the day still to be written."""
    numbers = above(level, number)
    who = {IDS[one]: object_id(one, its) for one, its in numbers.items() if one != level}
    if level != "account":
        who[IDS[level].replace("_id", "_name")] = name(level, number)
    attributes = "".join(f'"{metric}":"{value}",' for metric, value in who.items())
    return (
        f'{{"dimensions":{{"{IDS[level]}":"{object_id(level, number)}","stat_time_day":"{_DAY} 00:00:00"}},'
        f'"metrics":{{{attributes}'
    )


def line(head_of_row: str, numbers: Numbers, day: str) -> bytes:
    impressions, clicks, spend, purchases, value, views = numbers
    return (
        f'{head_of_row.replace(_DAY, day, 1)}"spend":"{money(spend)}","impressions":"{impressions}",'
        f'"clicks":"{clicks}","reach":"{impressions * 5 // 6}","video_play_actions":"{views}",'
        f'"conversion":"{purchases}","total_complete_payment_rate":"{money(value)}",'
        f'"real_time_conversion":"{purchases * 8 // 9}","complete_payment":"{purchases}",'
        f'"total_purchase":"{purchases}","total_purchase_value":"{money(value)}",'
        f'"onsite_shopping":"{purchases // 2}","total_onsite_shopping_value":"{money(value // 2)}"}}}},'
    ).encode()
