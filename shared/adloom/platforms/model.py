"""What every platform is read into: accounts, entities and rows of facts, in the words of this house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, Self

Level = Literal["account", "campaign", "ad_group", "ad"]
# From the widest to the narrowest.
LEVELS: tuple[Level, ...] = ("account", "campaign", "ad_group", "ad")
# Facts by the hour are kept of these alone.
HourLevel = Literal["account", "campaign"]
HOUR_LEVELS: tuple[HourLevel, ...] = ("account", "campaign")
Status = Literal["active", "paused", "archived", "deleted"]
# The code of a PlatformProtocolError that says: the numbers moved between two pages. The same window asked for once
# more may hold still.
TWICE = "twice"
# The code of a TooMuchData that says: the platform cuts this answer, and fewer days would not help.
TRUNCATED = "truncated"


@dataclass(frozen=True, order=True)
class Days:
    """Local days of an account, both ends included."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ValueError(f"{self.since} is after {self.until}")

    def __len__(self) -> int:
        return (self.until - self.since).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.since + timedelta(offset) for offset in range(len(self)))


@dataclass(frozen=True)
class Account:
    """An ad account as the platform tells of it. `created_at` is aware; None where the platform does not say.

    `login` is the account by whose rights this one is read (Google's login-customer-id), None where there is no such
    thing. `lookback_days` are the days after which its numbers no longer move, None for the platform's usual ones.
    `conversion` names what this account counts as a conversion, None for what the platform counts itself.
    """

    external_id: str
    name: str
    currency: str
    timezone: str
    status: Status
    created_at: datetime | None
    login: str | None = None
    lookback_days: int | None = None
    conversion: str | None = None


@dataclass(frozen=True)
class Entity:
    """An account, campaign, ad group or ad. Budgets in the account's currency; instants aware.

    `texts` are pairs of a field and its text, as people read them: `("headline", "Sale")`. `review_status` is the
    platform's word on whether it may run, `review_reason` why not. `conversion_window_days` are days after a click.
    """

    level: Level
    external_id: str
    parent_id: str | None
    name: str
    status: Status
    kind: str | None = None
    objective: str | None = None
    daily_budget: Decimal | None = None
    lifetime_budget: Decimal | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    labels: tuple[str, ...] = ()
    final_url: str | None = None
    image_url: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
    review_status: str | None = None
    review_reason: str | None = None
    conversion_window_days: int | None = None


class Fact(NamedTuple):
    """One row as delivered: an entity on a local day.

    Numbers are the platform's own text (exact decimals, money in the account's currency), None where it says nothing.
    `branch` is the campaign it belongs to, empty at account level; `actions` is raw JSON.
    """

    entity_id: str
    parent_id: str
    branch: str
    name: str
    day: str
    impressions: str | None
    clicks: str | None
    spend: str | None
    conversions: str | None
    conversion_value: str | None
    video_views: str | None
    reach: str | None
    actions: bytes | None


@dataclass(frozen=True, slots=True)
class FactColumns:
    """Facts by column, as many as a page has: each is at the same place in every column. Iterating gives the rows.

    `numbers` are the columns of Fact from `impressions` to `reach`. `is_plain`: the reader has seen that every number
    is there and written with nothing but digits and points.
    """

    entity_ids: Sequence[str]
    parent_ids: Sequence[str]
    branches: Sequence[str]
    names: Sequence[str]
    days: Sequence[str]
    numbers: Sequence[Sequence[str | None]]
    actions: Sequence[bytes | None]
    is_plain: bool = False

    @classmethod
    def of(cls, facts: list[Fact]) -> Self:
        """Rows, one or more, turned into columns."""
        ids, parent_ids, branches, names, days, *numbers, actions = zip(*facts, strict=True)
        return cls(ids, parent_ids, branches, names, days, numbers, actions)

    def __len__(self) -> int:
        return len(self.entity_ids)

    def __iter__(self) -> Iterator[Fact]:
        who = (self.entity_ids, self.parent_ids, self.branches, self.names, self.days)
        return map(Fact._make, zip(*who, *self.numbers, self.actions, strict=True))


class HourFact(NamedTuple):
    """One row as delivered: an entity in an hour of a local day, 0 to 23. Numbers as in Fact."""

    entity_id: str
    day: str
    hour: int
    impressions: str | None
    clicks: str | None
    spend: str | None
    conversions: str | None
    conversion_value: str | None


@dataclass(frozen=True)
class Cadence:
    """How many days are read again: at every sync, once a day, and at most."""

    recent_days: int
    restatement_days: int
    history_months: int


class Reader(Protocol):
    """What the sync needs of a platform. Every method raises the PlatformError tree of `adloom.errors`.

    OutOfTimeError and NotReadyError mean that nothing is wrong and the work goes on later.
    `requests` counts the calls so far; `query` and `attribution` say for the record how facts are asked for.
    """

    api_version: str

    @property
    def requests(self) -> int: ...

    def resume(self, state: dict[str, str]) -> None:
        """Go on with what a NotReadyError told."""
        ...

    def close(self) -> None: ...

    def accounts(self) -> list[Account]:
        """Every account that the grant reaches."""
        ...

    def account(self, external_id: str) -> Account:
        """One account."""
        ...

    def entities(self, account: Account) -> Iterator[Entity]:
        """Campaigns, ad groups and ads of every status, parents before children."""
        ...

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        """Pages of rows. A row may come twice; TooMuchData asks for fewer days."""
        ...

    def hours(self, account: Account, level: HourLevel, days: Days) -> Iterator[Iterable[HourFact]]:
        """Pages of rows by the hour. A row may come twice; TooMuchData asks for fewer days."""
        ...

    def query(self, level: Level) -> dict[str, object]:
        """How the facts of a level are asked for."""
        ...

    def attribution(self, account: Account) -> str:
        """Which clicks and views the platform credits with a conversion of this account, for the record."""
        ...
