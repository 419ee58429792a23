"""What an account of TikTok may count as a conversion: names of metrics of its reports.

https://business-api.tiktok.com/portal/docs?id=1751443967255553
"""

from __future__ import annotations

# What each ad group was optimised for.
DEFAULT = "conversion"
DEFINITIONS = ("conversion", "complete_payment")


def is_definition(name: str) -> bool:
    """Whether an account may count by this name."""
    return name in DEFINITIONS
