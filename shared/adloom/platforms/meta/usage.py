"""Meta's usage headers: how much of a quota is used up, and when it comes back.

https://developers.facebook.com/docs/marketing-api/overview/rate-limiting
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from adloom.platforms.quota import Load, pause_s

_APP = "X-App-Usage"
_ACCOUNT = "X-Ad-Account-Usage"
_INSIGHTS = "X-FB-Ads-Insights-Throttle"
_BUSINESS = "X-Business-Use-Case-Usage"
_OF_ACCOUNT = ("call_count", "total_cputime", "total_time", "acc_id_util_pct")
# In the header of insights; all of the app's own header is the app's.
_OF_APP = "app_id_util_pct"
_DEVELOPMENT_TIERS = frozenset({"development_access", "limited_access"})
_FULL = 100.0


# Quotas are counted per hour; a header that asks for more than a day is broken, and must not lock an account for years.
LONGEST_WAIT_S = 86_400.0


@dataclass(frozen=True)
class Usage:
    """`percent` is the highest of all headers, `app_percent` of those that count the whole app's calls; `regain_s` is
    how long the account's quota is closed, 0 where nothing says so.
    """

    percent: float = 0.0
    regain_s: float = 0.0
    is_development: bool = False
    app_percent: float = 0.0
    account_percent: float = 0.0

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the next call."""
        return pause_s(self.percent)

    @property
    def loads(self) -> tuple[Load, Load]:
        """What others who call for the same app, or for the same account, should know."""
        return Load("app", self.app_percent), Load("account", self.account_percent, self.regain_s)


def read(headers: Mapping[str, str]) -> Usage:
    """What the headers say together; one that cannot be read says nothing."""
    entries = [_object(headers.get(name)) for name in (_ACCOUNT, _INSIGHTS)]
    for of_business in _object(headers.get(_BUSINESS)).values():
        entries += [entry for entry in of_business if isinstance(entry, dict)] if isinstance(of_business, list) else []
    of_app = _object(headers.get(_APP))
    app = max([*map(_number, of_app.values()), *(_number(entry.get(_OF_APP)) for entry in entries)], default=0.0)
    account = max((_number(entry.get(name)) for entry in entries for name in _OF_ACCOUNT), default=0.0)
    return Usage(
        percent=max(app, account),
        regain_s=max((_regain_s(entry) for entry in [of_app, *entries]), default=0.0),
        is_development=any(entry.get("ads_api_access_tier") in _DEVELOPMENT_TIERS for entry in entries),
        app_percent=app,
        account_percent=account,
    )


def _regain_s(entry: dict[str, Any]) -> float:
    # Minutes here; the account's own header has seconds, and only means a wait when all is used up.
    minutes = _number(entry.get("estimated_time_to_regain_access"))
    is_full = _number(entry.get("acc_id_util_pct")) >= _FULL
    wait = max(minutes * 60, _number(entry.get("reset_time_duration")) if is_full else 0.0)
    return min(wait, LONGEST_WAIT_S)


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
