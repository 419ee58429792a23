"""States of Meta's objects, and the filter without which deleted and archived ones are left out."""

from __future__ import annotations

from adloom.platforms.model import Level, Status

_COMMON = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES")
_EFFECTIVE: dict[Level, tuple[str, ...]] = {
    "campaign": _COMMON,
    "ad_group": (*_COMMON, "CAMPAIGN_PAUSED"),
    "ad": (
        *_COMMON,
        "CAMPAIGN_PAUSED",
        "ADSET_PAUSED",
        "DISAPPROVED",
        "PENDING_BILLING_INFO",
        "PENDING_REVIEW",
        "PREAPPROVED",
    ),
}
_PREFIX: dict[Level, str] = {"campaign": "campaign", "ad_group": "adset", "ad": "ad"}
# What a person set; a parent's pause is not the object's own.
_STATUSES: dict[str, Status] = {"ACTIVE": "active", "PAUSED": "paused", "ARCHIVED": "archived", "DELETED": "deleted"}

# https://developers.facebook.com/docs/marketing-api/reference/ad-account: 1 active, 9 in grace period; 2 disabled,
# 3 unsettled, 7 pending risk review, 8 pending settlement; 100 pending closure, 101 closed.
_ACCOUNT_PAUSED = frozenset({2, 3, 7, 8})
_ACCOUNT_CLOSED = frozenset({100, 101})


def every_status(level: Level) -> dict[str, object]:
    """The filter that lets objects of every state through."""
    return {"field": f"{_PREFIX[level]}.effective_status", "operator": "IN", "value": list(_EFFECTIVE[level])}


def of_object(status: str) -> Status:
    """An object's own state; one that we do not know counts as paused, for it spends nothing that we know of."""
    return _STATUSES.get(status, "paused")


def of_account(status: int) -> Status:
    """An account's state."""
    if status in _ACCOUNT_CLOSED:
        return "archived"
    return "paused" if status in _ACCOUNT_PAUSED else "active"
