"""Sums of what a platform delivered, as exact numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MEASURES = ("impressions", "clicks", "spend", "conversions", "conversion_value")
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Sums:
    """Rows added up. Spend and conversion value in the account's currency; what the platform does not say counts 0."""

    rows: int = 0
    impressions: int = 0
    clicks: int = 0
    spend: Decimal = _ZERO
    conversions: Decimal = _ZERO
    conversion_value: Decimal = _ZERO

    @property
    def measures(self) -> tuple[Decimal, ...]:
        return (
            Decimal(self.impressions),
            Decimal(self.clicks),
            self.spend,
            self.conversions,
            self.conversion_value,
        )

    @property
    def is_zero(self) -> bool:
        return not any(self.measures)

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.rows + other.rows,
            self.impressions + other.impressions,
            self.clicks + other.clicks,
            self.spend + other.spend,
            self.conversions + other.conversions,
            self.conversion_value + other.conversion_value,
        )

    def covers(self, other: Sums, slack: Decimal = _ZERO) -> bool:
        """Whether no measure of the other one is larger; conversions and their value by no more than the slack."""
        return (
            self.impressions >= other.impressions
            and self.clicks >= other.clicks
            and self.spend >= other.spend
            and self.conversions >= other.conversions - slack
            and self.conversion_value >= other.conversion_value - slack
        )
