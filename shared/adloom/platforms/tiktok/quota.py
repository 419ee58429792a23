"""What TikTok allows: calls of an app per second, minute and day, by its level. An app that goes beyond is locked out.

Calls are given moments, and a call may be late for its moment: in a second at most those of 1 + SLOT_LASTS_S seconds
are made. Six tenths of the allowed rate leave room for that and for one call more, and stay within the limits of the
minute and the day, which are sixty and 86,400 times that of the second.
"""

from adloom.platforms.quota import UNLIMITED, Quota

_PER_SECOND = {"basic": 10, "advanced": 20, "premium": 30, "ultimate": 50}
_SAFE = 0.6
# Moments that lie further apart than a call takes would be wasted on the one who took them.
_BLOCK_S = 0.5

TIERS = {
    name: Quota(name, per_second=most * _SAFE, block=int(most * _SAFE * _BLOCK_S)) for name, most in _PER_SECOND.items()
}
# What an app has without asking.
LEAST = "basic"


def of(tier: str | None, *, is_sandbox: bool) -> Quota:
    """The quota of a level; where none is named, of the least one, and of none at the sandbox."""
    if tier is None and is_sandbox:
        return UNLIMITED
    return TIERS[tier or LEAST]
