"""What Meta's error codes mean: the one place that decides what happens next.

https://developers.facebook.com/docs/marketing-api/error-reference
https://developers.facebook.com/docs/marketing-api/insights/error-codes
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from adloom import clock, logs
from adloom.errors import (
    AccountInaccessible,
    ConnectionBroken,
    OperatorMustAct,
    PlatformError,
    PlatformProtocolError,
    PlatformRejected,
    PlatformThrottled,
    PlatformTransient,
    TooMuchData,
)
from adloom.platforms.meta.usage import Usage

SERVER_FAULT = 500
TOO_MANY_REQUESTS = 429

# Seconds to stay away where no header says when the quota comes back.
WAIT_FULL_ACCESS_S = 60
WAIT_DEVELOPMENT_S = 300
WAIT_APP_S = 300
WAIT_ABUSE_S = 3600
WAIT_POLICY_S = 3600

# The token is dead: 190 with one of these, and 102. (458 app removed, 459 checkpoint, 460 password changed,
# 463 expired, 464 unconfirmed, 467 invalidated, 492 page role lost.)
_TOKEN_CODES = frozenset({102, 190})
_DEAD_TOKEN_SUBCODES = frozenset({458, 459, 460, 463, 464, 467, 492})
# 190 without a subcode may be a dead token or a missing permission; only another call can tell.
TOKEN_CODE = 190

_APP_THROTTLES = frozenset({4})
_ACCOUNT_THROTTLES = frozenset({17, 32, 613, 80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014})
_ABUSE = (613, None)
_TRANSIENT = frozenset({2, 341, 960, 2601, -1, -2})
# "Please reduce the amount of data": code 1, alone or with 99. The others say the same of a report or a query.
_TOO_MUCH = frozenset(
    {(1, None), (1, 99), (100, 1487534), (100, 1504018), (2, 1504018), (2, 1504038), (-3, None), (-3, 1504045)}
)
# Permanent, although code 2 says "temporary": a breakdown or a metric that does not exist.
_REJECTED = frozenset({(2, 1504041), (2, 1504042)})
_POLICY_BLOCK = 368
_HIDDEN_ACCOUNT = frozenset({(100, 33), (100, 3191001), (415, 1404120), (3, None)})
_PERMISSIONS = range(200, 300)
_APP_SETUP = frozenset({10, 270, 294, 2635})
_PARAMETER = 100


class GraphError(msgspec.Struct, frozen=True):
    """The `error` object of an answer.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """

    message: str = ""
    type: str = ""
    code: int = 0
    error_subcode: int | None = None
    is_transient: bool | None = None

    @property
    def platform_code(self) -> str:
        """`190/463`, or `190` without a subcode."""
        return str(self.code) if self.error_subcode is None else f"{self.code}/{self.error_subcode}"

    @property
    def leaves_token_in_doubt(self) -> bool:
        """Whether only another call can say if the token is dead."""
        return self.code == TOKEN_CODE and self.error_subcode not in _DEAD_TOKEN_SUBCODES


def classify(error: GraphError, status: int, usage: Usage) -> PlatformError:
    """What an error answer means for us. `status` is HTTP's, `usage` that of the same answer."""
    pair = (error.code, error.error_subcode)
    throttle = _throttle(pair, usage)
    if throttle is not None:
        return _throttled(error, usage, *throttle)
    kind = _lasting(error, pair) or _passing(error, pair, status)
    if kind is not None:
        return kind(_sentence(error), platform_code=error.platform_code)
    if status == TOO_MANY_REQUESTS:
        return _throttled(error, usage, "account", _tier_wait_s(usage))
    return PlatformRejected(_sentence(error), platform_code=error.platform_code)


def _throttle(pair: tuple[int, int | None], usage: Usage) -> tuple[str, float] | None:
    """Scope and least seconds of a limit; None for any other error."""
    code = pair[0]
    if code in _APP_THROTTLES:
        return "app", WAIT_APP_S
    if pair == _ABUSE:
        return "account", WAIT_ABUSE_S
    if code in _ACCOUNT_THROTTLES:
        return "account", _tier_wait_s(usage)
    return ("account", WAIT_POLICY_S) if code == _POLICY_BLOCK else None


def _tier_wait_s(usage: Usage) -> float:
    return WAIT_DEVELOPMENT_S if usage.is_development else WAIT_FULL_ACCESS_S


def _lasting(error: GraphError, pair: tuple[int, int | None]) -> type[PlatformError] | None:
    if error.code in _TOKEN_CODES:
        return ConnectionBroken
    if pair in _HIDDEN_ACCOUNT:
        return AccountInaccessible
    # A wrong appsecret_proof: the app's secret does not belong to the app that issued the token.
    is_wrong_proof = pair == (_PARAMETER, None) and error.type == "GraphMethodException"
    if error.code in _APP_SETUP or is_wrong_proof:
        return OperatorMustAct
    if error.code in _PERMISSIONS:
        return AccountInaccessible
    return PlatformRejected if pair in _REJECTED else None


def _passing(error: GraphError, pair: tuple[int, int | None], status: int) -> type[PlatformError] | None:
    if pair in _TOO_MUCH:
        return TooMuchData
    if error.code == 1 or error.code in _TRANSIENT or error.is_transient or status >= SERVER_FAULT:
        return PlatformTransient
    return None


def _throttled(error: GraphError, usage: Usage, scope: str, wait_s: float) -> PlatformThrottled:
    retry_at = clock.real_now() + timedelta(seconds=usage.regain_s or wait_s)
    return PlatformThrottled(_sentence(error), platform_code=error.platform_code, scope=scope, retry_at=retry_at)


def _sentence(error: GraphError) -> str:
    return f"Meta says: {logs.redact_text(error.message)[:500]} (code {error.platform_code})"


def quota_is_closed(usage: Usage) -> PlatformThrottled:
    """For a good answer whose headers say that the next call would be refused."""
    retry_at = clock.real_now() + timedelta(seconds=usage.regain_s)
    return PlatformThrottled("Meta's quota of this account is used up", scope="account", retry_at=retry_at)


def http_fault(status: int, usage: Usage) -> PlatformError:
    """For an answer that is no JSON: a proxy's error page, a body cut short."""
    if status == TOO_MANY_REQUESTS:
        return _throttled(GraphError(message="Too many requests", code=TOO_MANY_REQUESTS), usage, "account",
                          WAIT_FULL_ACCESS_S)  # fmt: skip
    kind: Callable[..., PlatformError] = PlatformTransient if status >= SERVER_FAULT else PlatformProtocolError
    return kind(f"Meta answered HTTP {status} without the JSON it documents", platform_code=f"http/{status}")


def network_fault(kind: str) -> PlatformTransient:
    """For a connection that failed. The library's text names the URL with the token, so only its kind is told."""
    return PlatformTransient(f"The connection to Meta failed ({kind})", platform_code=f"network/{kind}")
