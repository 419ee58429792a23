"""Usage headers: shares of a quota, counted from the requests of the last minutes."""

from __future__ import annotations

import time
from collections import defaultdict, deque

import msgspec

# Full access: a score of 9000 per ad account that decays over 300 s; a read costs 1.
_SCORE = 9000
_DECAY_SECONDS = 300
# The sandbox never throttles unless a script says so: what it reports stays below the line where callers slow down.
_MOST_PERCENT = 60
_TIER = "standard_access"


class Usage:
    """Counts calls per account and of the app."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def headers(self, account_id: str, *, is_insights: bool) -> dict[str, str]:
        """The headers of a good or bad answer; the account's only when one was asked for."""
        app = self._percent("")
        found = {"X-App-Usage": _json({"call_count": app, "total_time": app, "total_cputime": app})}
        if not account_id:
            return found
        share = self._percent(account_id)
        found["X-Ad-Account-Usage"] = _json(
            {"acc_id_util_pct": share, "reset_time_duration": _DECAY_SECONDS, "ads_api_access_tier": _TIER}
        )
        found["X-Business-Use-Case-Usage"] = _json(
            {
                account_id: [
                    {
                        "type": "ads_insights" if is_insights else "ads_management",
                        "call_count": share,
                        "total_cputime": share,
                        "total_time": share,
                        "estimated_time_to_regain_access": 0,
                        "ads_api_access_tier": _TIER,
                    }
                ]
            }
        )
        if is_insights:
            found["X-FB-Ads-Insights-Throttle"] = _json(
                {"app_id_util_pct": app, "acc_id_util_pct": share, "ads_api_access_tier": _TIER}
            )
        return found

    def _percent(self, whom: str) -> int:
        calls = self._calls[whom]
        now = time.monotonic()
        calls.append(now)
        while calls[0] < now - _DECAY_SECONDS:
            calls.popleft()
        return min(_MOST_PERCENT, len(calls) * 100 // _SCORE)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
