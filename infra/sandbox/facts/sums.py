"""Reads hourly.csv, account_totals.csv and rates.csv."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from infra.sandbox.facts import cells as cell
from infra.sandbox.facts import columns
from infra.sandbox.facts.delivery import named, numbers
from infra.sandbox.facts.errors import CellError, Faults
from infra.sandbox.facts.model import Account, Day, Folder, HourRow
from infra.sandbox.facts.reader import Cells

_LAST_HOUR = 23


class SumsReader:
    """Fills the days of accounts that facts.csv knows; faults go to `faults`."""

    def __init__(self, folder: Folder, faults: Faults) -> None:
        self.folder = folder
        self.faults = faults
        self._hours: set[tuple[str, str, date, int]] = set()

    def take_hour(self, line: int, cells: Cells) -> None:
        """One row of hourly.csv."""
        self._take(self._hour, columns.HOURLY_FILE, line, cells)

    def take_total(self, line: int, cells: Cells) -> None:
        """One row of account_totals.csv."""
        self._take(self._total, columns.TOTALS_FILE, line, cells)

    def take_rate(self, line: int, cells: Cells) -> None:
        """One row of rates.csv."""
        self._take(self._rate, columns.RATES_FILE, line, cells)

    def _take(self, read: Callable[[Cells], None], file: str, line: int, cells: Cells) -> None:
        try:
            read(cells)
        except CellError as exc:
            self.faults.add(file, line, str(exc))

    def _hour(self, cells: Cells) -> None:
        account = self._account(cells)
        campaign_id = cells[2]
        if campaign_id not in account.campaigns:
            raise CellError(f"campaign_id {campaign_id!r} is no campaign of account {account.id}")
        on = _day(cells[3])
        hour = named("hour", cell.count, cells[4])
        if not isinstance(hour, int) or hour > _LAST_HOUR:
            raise CellError(f"hour {cells[4]!r} is not 0 to 23")
        row = HourRow(campaign_id, hour, numbers(cells[5:], columns.SUMS))
        key = (account.platform, campaign_id, on, hour)
        if key in self._hours:
            raise CellError(f"campaign {campaign_id} on {on} at {hour} is there twice")
        self._hours.add(key)
        _day_of(account, on).hours.append(row)

    def _total(self, cells: Cells) -> None:
        account = self._account(cells)
        on = _day(cells[2])
        total = numbers(cells[3:], columns.SUMS)
        day = _day_of(account, on)
        if day.total is not None:
            raise CellError(f"account {account.id} on {on} is there twice")
        day.total = total

    def _rate(self, cells: Cells) -> None:
        on = _day(cells[0])
        currency = str(named("currency", cell.currency, cells[1]))
        rate = named("per_eur", cell.amount, cells[2])
        if not isinstance(rate, Decimal) or rate == 0:
            raise CellError(f"per_eur {cells[2]!r} is not a rate above 0")
        if on in self.folder.rates.get(currency, {}):
            raise CellError(f"{currency} on {on} is there twice")
        self.folder.rates.setdefault(currency, {})[on] = rate

    def _account(self, cells: Cells) -> Account:
        account = self.folder.accounts.get((cells[0], cells[1]))
        if account is None:
            raise CellError(f"account {cells[1]!r} of platform {cells[0]!r} has no row in facts.csv")
        return account


def _day_of(account: Account, on: date) -> Day:
    day = account.days.get(on)
    if day is None:
        day = account.days[on] = Day(on, instants=[])
    return day


def _day(text: str) -> date:
    return named("date", cell.day, text)  # type: ignore[return-value]
