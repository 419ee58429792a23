"""What an account of TikTok may count as a conversion: names of metrics of its reports.

https://business-api.tiktok.com/portal/docs?id=1751443967255553
"""

from __future__ import annotations

# What each ad group was optimised for.
DEFAULT = "conversion"
# What the conversions were worth. However it sounds, `total_complete_payment_rate` is the value of all completed
# payments; of what else ad groups are optimised for TikTok tells no value.
_VALUES = {
    DEFAULT: "total_complete_payment_rate",
    "complete_payment": "total_complete_payment_rate",
    "total_purchase": "total_purchase_value",
    "onsite_shopping": "total_onsite_shopping_value",
    "total_sales_lead": "total_sales_lead_value",
}
DEFINITIONS = tuple(_VALUES)


def is_definition(name: str) -> bool:
    """Whether an account may count by this name."""
    return name in _VALUES


def value_of(definition: str) -> str:
    """The metric of what conversions were worth."""
    return _VALUES[definition]
