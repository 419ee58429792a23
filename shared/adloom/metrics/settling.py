"""When a day's numbers stop moving: until then it is provisional.

A platform credits a conversion to the day of its click or view, so a day moves as long as its longest window, and a
little more until the platform has reported it. `Account.lookback_days` is that length where the platform tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

# What the longest window is where the account does not say.
_USUAL_DAYS = {
    # A click counts for 30 days unless a conversion action says otherwise. https://support.google.com/google-ads/answer/3123169
    "google": 30,
    # Insights are frozen 28 days after their day, whatever the windows.
    # https://developers.facebook.com/docs/marketing-api/insights/best-practices
    "meta": 28,
    # The longest click window and two days until it is reported.
    "tiktok": 30,
}
# Corrections that have nothing to do with windows, such as invalid clicks, come for as long; TikTok's come in hours.
_AT_LEAST_DAYS = {"google": 30, "meta": 28, "tiktok": 3}
_LONGEST_DAYS = max(_USUAL_DAYS.values())


@dataclass(frozen=True)
class Settling:
    """`days` after a local day its numbers are final: on that day of the account at the latest read."""

    days: int

    def moving_since(self, today: date) -> date:
        """The first day that is provisional on this local day; every later one is so too."""
        return today - timedelta(days=self.days)

    def is_provisional(self, day: date, today: date) -> bool:
        return day >= self.moving_since(today)


def of(platform: str, lookback_days: int | None) -> Settling:
    """How long an account's days move."""
    longest = _USUAL_DAYS.get(platform, _LONGEST_DAYS) if lookback_days is None else lookback_days
    return Settling(max(longest, _AT_LEAST_DAYS.get(platform, 0)))


def sql(alias: str) -> str:
    """The first provisional day of an account at the bound instant `:moment`, as SQL over its row of ad_accounts."""
    usual = " ".join(f"when '{platform}' then {days}" for platform, days in _USUAL_DAYS.items())
    least = " ".join(f"when '{platform}' then {days}" for platform, days in _AT_LEAST_DAYS.items())
    return (
        f"((cast(:moment as timestamptz) at time zone {alias}.timezone)::date"
        f" - greatest(coalesce({alias}.lookback_days, case {alias}.platform {usual} else {_LONGEST_DAYS} end),"
        f" case {alias}.platform {least} else 0 end))"
    )
