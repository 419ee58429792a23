"""What TikTok's codes mean: the one place that decides what happens next.

The code of the envelope decides, never the HTTP status: errors come with 200.
https://business-api.tiktok.com/portal/docs?id=1737172488964097
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

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

OK = 0
# Some of what was asked for came; what is missing is in the message.
PARTIAL = 20001

SERVER_FAULT = 500
TOO_MANY_REQUESTS = 429

# Seconds to stay away: nothing in an answer says when a quota comes back. The one of a minute locks an app for five.
WAIT_APP_S = 300
WAIT_ACCOUNT_S = 60
WAIT_MAINTENANCE_S = 300
WAIT_OVERLOAD_S = 120

# The app's calls, all customers together: per second, minute and day.
BURSTS = frozenset({40016, 40100})
_ACCOUNT_THROTTLES = frozenset({40132, 40133})
_MAINTENANCE, _OVERLOAD = 60001, 61000
_TOO_MUCH = frozenset({40011, 40067})
# App id or secret are wrong, the app is forbidden or lacks an approval, or our address is TikTok's own sandbox.
_APP_SETUP = frozenset({40101, 40113, 40117, 40118, 40119, 40124, 40125, 40009, 40013, 40014})
# The code that the person came back with.
_GRANT = frozenset({40110, 40112, 40115})
# The token ended, is missing, or lacks a scope.
_TOKEN = frozenset({40102, 40104, 40130, 40131})
# Of these, a scope that an endpoint needs.
MISSING_RIGHTS = frozenset({"40130", "40131"})
# The token is dead, or does not cover the advertiser that was asked for; only another call can tell.
_TOKEN_IN_DOUBT = frozenset({40105, 40106, 40114})
_ADVERTISER = frozenset({40001, 40003, 40300, 40301, 40302})
_PARAMETERS = frozenset({40000, 40002})
# A metric or field that is not known, or is no more.
REFUSED_FIELDS = frozenset({"40000", "40002", "41002"})
# Validation inside of TikTok, at times by itself a fault of theirs; a task that failed.
_BRIEFLY = frozenset({40200, 40201, 40202, 40700})
_TIKTOKS_OWN = range(50000, 60000)

_MISMATCH = re.compile(r"app_?id.*(match|belong)|(match|belong).*app_?id", re.IGNORECASE)
_HIDDEN = re.compile(r"advertiser.*(exist|access|permission)|(access|permission).*advertiser", re.IGNORECASE)
_DAILY = re.compile(r"\b(qpd|daily|per day|today)\b", re.IGNORECASE)


class Head(msgspec.Struct, frozen=True):
    """An envelope without its data."""

    code: int
    message: str = ""
    request_id: str = ""

    @property
    def platform_code(self) -> str:
        """The code as text."""
        return str(self.code)

    @property
    def leaves_token_in_doubt(self) -> bool:
        """Whether only another call can say if the token is dead."""
        return self.code in _TOKEN_IN_DOUBT

    @property
    def is_passing_briefly(self) -> bool:
        """Whether asking a second and a third time is all that is worth it."""
        return self.code in _BRIEFLY


def classify(head: Head, status: int = 200) -> PlatformError:
    """What an envelope with a code means for us; `status` is HTTP's."""
    throttled = _throttled(head)
    if throttled is not None:
        return throttled
    kind = _lasting(head) or _passing(head, status) or PlatformRejected
    code = "grant_refused" if head.code in _GRANT else None
    return kind(sentence(head), platform_code=head.platform_code, code=code)


def _throttled(head: Head) -> PlatformThrottled | None:
    now = clock.real_now()
    if head.code in BURSTS:
        until = _midnight(now) if _DAILY.search(head.message) else now + timedelta(seconds=WAIT_APP_S)
        return _wait(head, "app", until)
    if head.code in _ACCOUNT_THROTTLES:
        return _wait(head, "account", now + timedelta(seconds=WAIT_ACCOUNT_S))
    if head.code == _MAINTENANCE:
        return _wait(head, "app", now + timedelta(seconds=WAIT_MAINTENANCE_S))
    if head.code == _OVERLOAD:
        return _wait(head, "app", now + timedelta(seconds=WAIT_OVERLOAD_S))
    return None


def _lasting(head: Head) -> type[PlatformError] | None:
    if head.code in _TOKEN or head.code in _TOKEN_IN_DOUBT or head.code in _GRANT:
        return ConnectionBroken
    if head.code in _ADVERTISER:
        return AccountInaccessible
    if head.code in _APP_SETUP:
        return OperatorMustAct
    if head.code not in _PARAMETERS:
        return None
    if _MISMATCH.search(head.message):
        return ConnectionBroken
    return AccountInaccessible if _HIDDEN.search(head.message) else PlatformRejected


def _passing(head: Head, status: int) -> type[PlatformError] | None:
    if head.code in _TOO_MUCH:
        return TooMuchData
    if head.code in _BRIEFLY or head.code in _TIKTOKS_OWN or status >= SERVER_FAULT:
        return PlatformTransient
    return None


def _midnight(now: datetime) -> datetime:
    """When the quotas of a day begin anew."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(1), time(), UTC)


def _wait(head: Head, scope: str, until: datetime) -> PlatformThrottled:
    return PlatformThrottled(sentence(head), platform_code=head.platform_code, scope=scope, retry_at=until)


def sentence(head: Head) -> str:
    """What TikTok said, with its number for the request."""
    return (
        f"TikTok says: {logs.redact_text(head.message)[:500]} (code {head.code}, request {head.request_id[:64] or '?'})"
    )


def http_fault(status: int) -> PlatformError:
    """For an answer without an envelope: a proxy's error page, a body cut short, an address that is none."""
    said = f"TikTok answered HTTP {status} without the envelope it documents"
    code = f"http/{status}"
    if status == TOO_MANY_REQUESTS:
        until = clock.real_now() + timedelta(seconds=WAIT_APP_S)
        return PlatformThrottled(said, platform_code=code, scope="app", retry_at=until)
    if status >= SERVER_FAULT:
        return PlatformTransient(said, platform_code=code)
    # A path or method that does not exist is answered in plain text: asking again does not make it exist.
    return (PlatformRejected if status in {404, 405} else PlatformProtocolError)(said, platform_code=code)


def network_fault(kind: str) -> PlatformTransient:
    """For a connection that failed. The address may hold the app's secret, so only the kind of fault is told."""
    return PlatformTransient(f"The connection to TikTok failed ({kind})", platform_code=f"network/{kind}")
