"""What an account of Google may count as a conversion.

https://support.google.com/google-ads/answer/3438531
"""

from __future__ import annotations

from adloom.platforms.model import Account

# What the account's own settings count: Google bids for these. And every action, the secondary ones too.
DEFAULT = "conversions"
ALL = "all_conversions"
DEFINITIONS = (DEFAULT, ALL)


def is_definition(name: str) -> bool:
    """Whether an account may count by this name."""
    return name in DEFINITIONS


def is_all(account: Account) -> bool:
    """Whether the account counts every action; ValueError for a definition that is none."""
    name = account.conversion or DEFAULT
    if not is_definition(name):
        raise ValueError(f"an account of Google counts {' or '.join(DEFINITIONS)}, not {name!r}")
    return name == ALL


def attribution(account: Account) -> str:
    """How clicks are credited: each action has a model and a window of its own, and the day is the click's."""
    longest = f"{account.lookback_days} days" if account.lookback_days else "each action's window"
    return f"{account.conversion or DEFAULT}: each action's model, on the day of the click, up to {longest} after it"
