"""What an account of Google may count as a conversion.

https://support.google.com/google-ads/answer/3438531
"""

from __future__ import annotations

# What the account's own settings count: Google bids for these.
DEFAULT = "conversions"
DEFINITIONS = ("conversions", "all_conversions")


def is_definition(name: str) -> bool:
    """Whether an account may count by this name."""
    return name in DEFINITIONS
