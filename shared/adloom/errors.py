"""Every error of Adloom. What to do about one stands in its attributes, never in its text.

AdloomError
├── InvalidRequest              the caller sent something wrong                      400
│   └── ValidationFailed        fields are wrong; `fields` names them                422
├── Unauthenticated             no, unknown or expired credential                    401
├── Forbidden                   known, but not allowed                               403
├── NotFound                    not there, or not the caller's                       404
├── Conflict                    the state does not allow it now                      409
├── TooManyRequests             a limit of ours; `retry_after`                       429
├── ConfigurationError          a setting or secret is missing or wrong              500
├── Unavailable                 a part we need does not answer                       503
│   └── MailFailed              a mail was not taken; in adloom.mail.errors          503
└── PlatformError               an ad platform said no
    ├── PlatformTransient       try again now                                        503
    ├── PlatformThrottled       try again at `retry_at`; `scope` app or account      503
    │   └── QuotaUsedUp         we keep to the quota: the platform was not asked     503
    ├── TooMuchData             ask for less: a smaller page or window               503
    ├── ConnectionBroken        the person must connect again                        409
    ├── AccountInaccessible     this account is skipped, the others go on            409
    ├── OperatorMustAct         the app's set-up at the platform is wrong            409
    ├── PlatformRejected        our question is wrong, and asking again won't help   502
    └── PlatformProtocolError   the answer is not what the platform documents        502
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class Actor(StrEnum):
    """Who can make the error go away."""

    NOBODY = "nobody"  # it passes by itself
    CALLER = "caller"
    USER = "user"
    OPERATOR = "operator"
    DEVELOPER = "developer"


class AdloomError(Exception):
    """Base of all our errors.

    `code` is stable and documented, `detail` is a sentence for a person, `retryable` says whether the same
    request may succeed later, `acts` who must do something.
    """

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"
    retryable = False
    acts = Actor.DEVELOPER

    def __init__(self, detail: str = "", *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after = retry_after
        if code is not None:
            self.code = code


class InvalidRequest(AdloomError):
    status, code, title, acts = 400, "invalid_request", "The request cannot be read", Actor.CALLER


class ValidationFailed(InvalidRequest):
    """`fields` is a list of `{"field": "body.since", "problem": "..."}`."""

    status, code, title = 422, "validation_failed", "The request has wrong fields"

    def __init__(self, detail: str = "", *, fields: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.fields = fields or []


class Unauthenticated(AdloomError):
    status, code, title, acts = 401, "unauthenticated", "Log in first", Actor.CALLER


class Forbidden(AdloomError):
    status, code, title, acts = 403, "forbidden", "This is not allowed for you", Actor.USER


class NotFound(AdloomError):
    status, code, title, acts = 404, "not_found", "There is no such thing here", Actor.CALLER


class Conflict(AdloomError):
    status, code, title, acts = 409, "conflict", "That does not fit the present state", Actor.CALLER


class TooManyRequests(AdloomError):
    status, code, title = 429, "too_many_requests", "Too many requests"
    retryable, acts = True, Actor.NOBODY


class ConfigurationError(AdloomError):
    status, code, title, acts = 500, "configuration", "The installation is not set up completely", Actor.OPERATOR


class Unavailable(AdloomError):
    status, code, title = 503, "unavailable", "A part of the platform does not answer"
    retryable, acts = True, Actor.NOBODY


class PlatformError(AdloomError):
    """An ad platform refused. `platform_code` is its own code, e.g. `190/463`; never contains a token."""

    status, code, title = 502, "platform_error", "The ad platform refused the request"

    def __init__(
        self,
        detail: str = "",
        *,
        platform_code: str = "",
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail, code=code, retry_after=retry_after)
        self.platform_code = platform_code


class PlatformTransient(PlatformError):
    status, code, title = 503, "platform_transient", "The ad platform had a passing fault"
    retryable, acts = True, Actor.NOBODY


class PlatformThrottled(PlatformError):
    """`scope` is `app` (every account of the app must wait) or `account`; `retry_at` is real time, aware."""

    status, code, title = 503, "platform_throttled", "The ad platform asks us to wait"
    retryable, acts = True, Actor.NOBODY

    def __init__(self, detail: str = "", *, platform_code: str = "", scope: str, retry_at: datetime) -> None:
        super().__init__(detail, platform_code=platform_code)
        self.scope = scope
        self.retry_at = retry_at


class QuotaUsedUp(PlatformThrottled):
    """No call is left for this purpose; nothing is wrong, the work goes on at `retry_at`."""

    code, title = "quota_used_up", "The calls that the ad platform allows are used up for now"


class TooMuchData(PlatformError):
    status, code, title = 503, "platform_too_much_data", "The ad platform wants a smaller question"
    retryable, acts = True, Actor.NOBODY


class ConnectionBroken(PlatformError):
    status, code, title = 409, "connection_broken", "The access to the ad platform has ended; connect again"
    acts = Actor.USER


class AccountInaccessible(PlatformError):
    status, code, title = 409, "account_inaccessible", "The ad platform does not show this account to us"
    acts = Actor.USER


class OperatorMustAct(PlatformError):
    status, code, title = 409, "platform_setup", "The app's set-up at the ad platform is wrong"
    acts = Actor.OPERATOR


class PlatformRejected(PlatformError):
    status, code, title = 502, "platform_rejected", "The ad platform does not accept what we asked"


class PlatformProtocolError(PlatformError):
    status, code, title = 502, "platform_protocol", "The ad platform answered in a way it does not document"
    retryable, acts = True, Actor.DEVELOPER
