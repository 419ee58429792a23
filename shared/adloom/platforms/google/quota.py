"""What Google allows: operations of a Google Cloud project in any 24 hours, by its access level.

A search is one operation, whatever its rows. https://developers.google.com/google-ads/api/docs/api-policy/access-levels
"""

from adloom.platforms.quota import UNLIMITED, Quota

TIERS = {
    "explorer": Quota("explorer", per_day=2_880, block=8),
    "basic": Quota("basic", per_day=15_000, block=16),
    "standard": Quota("standard"),
}
# What a project has without asking.
LEAST = "explorer"


def of(tier: str | None, *, is_sandbox: bool) -> Quota:
    """The quota of a tier; where none is named, of the least one, and of none at the sandbox."""
    if tier is None and is_sandbox:
        return UNLIMITED
    return TIERS[tier or LEAST]
