"""What reconciliation named against what `planted.json` of a facts folder says was planted: neither less nor more."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from infra.sandbox.generator.acceptance import PLANTED_FILE

RECONCILED = "reconcile.json"
_SHOWN = 20


@dataclass(frozen=True)
class Cell:
    """A cell of a day: what the platform says of the account, and what its campaigns add up to."""

    account: str
    day: str
    level: str
    kind: str
    measure: str
    total: Decimal
    rows: Decimal


@dataclass(frozen=True)
class Reconciled:
    """`days` were compared of `days_expected`; `planted` cells should be named, each once."""

    days: int
    days_expected: int
    planted: Counter[Cell]
    named: Counter[Cell]

    @property
    def missing(self) -> Counter[Cell]:
        """Planted and not named."""
        return self.planted - self.named

    @property
    def others(self) -> Counter[Cell]:
        """False alarms."""
        return self.named - self.planted

    @property
    def is_right(self) -> bool:
        """Whether every day was compared and exactly the planted cells are named."""
        return self.days >= self.days_expected > 0 and self.planted == self.named

    def __str__(self) -> str:
        of_days = "" if self.days >= self.days_expected else f" of {self.days_expected}"
        missing, others = self.missing.total(), self.others.total()
        return (
            f"{self.days}{of_days} account-days reconciled, {self.planted.total()} differences planted,"
            f" {f'{missing} not' if missing else 'all'} named, {others or 'no'} other"
        )

    def show(self) -> None:
        """The cells that are wrong, the first of them."""
        for heading, cells in (("not named", self.missing), ("not planted", self.others)):
            for cell in list(cells.elements())[:_SHOWN]:
                where = f"{cell.account} {cell.day} {cell.level} {cell.measure}"
                print(f"  {where}: {cell.kind}, {heading}: total {cell.total}, rows {cell.rows}", file=sys.stderr)


def compare(target: Path, folder: Path, days_expected: int) -> Reconciled:
    """What `adloom --json reconcile` said, kept in the folder of the exports, against the facts folder."""
    said = json.loads((target / RECONCILED).read_text(encoding="utf-8"))
    named = Counter(
        Cell(one["account"], one["day"], one["level"], one["kind"], one["measure"], *_pair(one))
        for one in said["differences"]
    )
    return Reconciled(said["days_compared"], days_expected, _planted(folder), named)


def _pair(one: dict[str, str]) -> tuple[Decimal, Decimal]:
    return Decimal(one["platform"]), Decimal(one["stored"])


def _planted(folder: Path) -> Counter[Cell]:
    """As reconciliation has to name them: it is the campaigns that do not add up to the account."""
    return Counter(
        Cell(day["account_id"], day["date"], "campaign", "unexplained", measure, Decimal(total), Decimal(rows))
        for day in json.loads((folder / PLANTED_FILE).read_text(encoding="utf-8"))
        for measure, (rows, total) in day["metrics"].items()
    )
