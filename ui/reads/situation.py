"""What every page knows: the accounts, the days looked at, how far the numbers can be trusted, what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from adloom import clock
from adloom.metrics import health
from adloom.metrics.health import Account, Need, Trust
from ui.params import Params
from ui.ranges import DateRange

UTC_ZONE = "UTC"


@dataclass(frozen=True)
class Situation:
    """`looked_at` are the accounts the page is about; `unknown_account` tells that the address named another's."""

    accounts: Sequence[Account]
    looked_at: Sequence[Account]
    trust: Trust
    needs: Sequence[Need]
    today: date
    dates: DateRange
    unknown_account: bool

    @property
    def zone(self) -> tzinfo:
        """The time zone in which times are shown: that of the accounts, the furthest behind where they differ."""
        return ZoneInfo(self._slowest.timezone if self._slowest else UTC_ZONE)

    @property
    def several_zones(self) -> bool:
        return len({account.timezone for account in self.looked_at}) > 1

    @property
    def _slowest(self) -> Account | None:
        synced = [account for account in self.looked_at if account.last_synced_at is not None]
        if not synced:
            return self.looked_at[0] if self.looked_at else None
        return min(synced, key=lambda account: (account.last_synced_at or clock.now(), account.account_id))

    @property
    def currencies(self) -> list[str]:
        """The currency of the most accounts first."""
        found = [account.currency for account in self.looked_at]
        return sorted(set(found), key=lambda currency: (-found.count(currency), currency))

    def account_ids(self, currency: str | None = None) -> tuple[int, ...]:
        """The accounts looked at, those of one currency where it is given."""
        return tuple(a.account_id for a in self.looked_at if currency in (None, a.currency))

    def are_several(self, currency: str) -> bool:
        """Whether a platform has more than one account of the currency, so that names alone do not tell whose it is."""
        platforms = [account.platform for account in self.looked_at if account.currency == currency]
        return len(platforms) > len(set(platforms))

    def provisional_since(self, currency: str) -> date | None:
        """From this day on an account of the currency may still change: the first of theirs, as in the ledger."""
        return min((each.provisional_since for each in self.looked_at if each.currency == currency), default=None)

    def currency(self, params: Params) -> str:
        """The currency that the chart and the table are about."""
        known = self.currencies
        return params.currency if params.currency in known else (known[0] if known else "")


def situation(connection: Connection, params: Params) -> Situation:
    accounts = health.accounts(connection)
    looked_at = [account for account in accounts if params.account in (None, account.account_id)]
    unknown = params.account is not None and not looked_at
    if unknown:
        looked_at = accounts
    today = max((account.today for account in looked_at), default=clock.now().date())
    chosen = tuple(account.account_id for account in looked_at) if params.account is not None and not unknown else ()
    return Situation(
        accounts=accounts,
        looked_at=looked_at,
        trust=health.trust(connection, chosen),
        needs=health.needs_you(connection),
        today=today,
        dates=params.date_range(today),
        unknown_account=unknown,
    )
