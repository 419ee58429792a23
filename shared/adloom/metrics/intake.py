"""Takes delivered rows in: drops those that come twice, adds them up, and writes them as COPY text.

This is the sync's innermost loop. Of a row nothing is kept but its key and a hash, until its level is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import groupby

from adloom.errors import PlatformProtocolError
from adloom.metrics.columns import NULL, Columns, copied, escaped
from adloom.metrics.sums import Sums
from adloom.platforms import smaller
from adloom.platforms.model import TWICE, Days, Fact, FactColumns, Level
from adloom.platforms.readable import is_plain

# The order in which `lines` writes a row; staging.py copies in this order.
COLUMNS = (
    "level", "entity_id", "day", "impressions", "clicks", "spend", "conversions", "conversion_value", "video_views",
    "reach", "actions",
)  # fmt: skip
_ZERO = Decimal(0)
# Rows that are taken in at once: more would be memory for little gain.
_AT_ONCE = 1000

# Entities that have no name yet, by level and id: name, parent's id, last day with a row.
Strangers = dict[tuple[Level, str], tuple[str, str, str]]
# Sums of one level by local day and campaign (empty at account level).
Branches = dict[tuple[str, str], Sums]
_Numbers = tuple[int | None, int | None, Decimal | None, Decimal | None, Decimal | None, int | None, int | None]


class Intake:
    """One window of one account. `known` holds the ids that have a name already, by level."""

    def __init__(self, days: Days, known: dict[Level, set[str]]) -> None:
        self.rows = 0
        self.strangers: Strangers = {}
        self._days = {day.isoformat() for day in days}
        self._known = known
        self._tallies: dict[Level, dict[tuple[str, str], _Tally]] = {}
        self._seen: dict[str, int] = {}

    def begin(self, level: Level) -> None:
        """The rows that follow are of this level."""
        self._seen.clear()
        self._tallies[level] = {}

    def lines(self, level: Level, facts: Iterable[Fact]) -> bytes:
        """COPY text of a page's rows without those that came before. PlatformProtocolError for what cannot be so."""
        found: list[bytes] = []
        for page in _pages(facts):
            columns = Columns.of(level, page, self._days)
            found += (columns and self._together(level, page, columns)) or self._one_by_one(level, page)
        self.rows += len(found)
        # The last line ends, too.
        return b"\n".join([*found, b""])

    def _together(self, level: Level, page: FactColumns, columns: Columns) -> list[bytes]:
        """The lines of a page; none, and nothing is taken in, where a row of it came before."""
        marks = dict(zip(columns.keys, map(hash, columns.lines), strict=True))
        if len(marks) < len(page) or not self._seen.keys().isdisjoint(marks):
            return []
        self._seen.update(marks)
        start, tallies = 0, self._tallies[level]
        for key, run in groupby(zip(columns.days, columns.branches, strict=True)):
            end = start + sum(1 for _ in run)
            tally = tallies.get(key)
            if tally is None:
                tally = tallies[key] = _Tally()
            tally.add_run(columns, start, end)
            start = end
        known = self._known[level]
        if not known.issuperset(columns.ids):
            for fact in page:
                if fact.entity_id not in known:
                    self._meet(level, fact)
        return columns.lines

    def _one_by_one(self, level: Level, page: FactColumns) -> list[bytes]:
        """The lines of a page that has something unusual."""
        lines: list[bytes] = []
        seen, tallies, known = self._seen, self._tallies[level], self._known[level]
        for fact in page:
            numbers = _numbers(fact)
            line = _line(level, fact, numbers)
            key, mark = fact.entity_id + fact.day, hash(line)
            before = seen.get(key)
            if before is not None:
                if before != mark:
                    raise _broken(f"two different rows of {level} {fact.entity_id} on {fact.day}", TWICE)
                continue
            if fact.day not in self._days:
                raise _broken(f"a row of {fact.day}, which was not asked for", "days")
            seen[key] = mark
            lines.append(line)
            tally = tallies.get((fact.day, fact.branch))
            if tally is None:
                tally = tallies[fact.day, fact.branch] = _Tally()
            tally.add(numbers)
            if fact.entity_id not in known:
                self._meet(level, fact)
        return lines

    def days(self) -> set[date]:
        """The days of which there was a row."""
        return {date.fromisoformat(day) for tallies in self._tallies.values() for day, _ in tallies}

    def sums(self) -> dict[Level, Branches]:
        """What was taken in, by level."""
        found: dict[Level, Branches] = {}
        for level, tallies in self._tallies.items():
            found[level] = {key: tally.sums() for key, tally in tallies.items()}
        return found

    def _meet(self, level: Level, fact: Fact) -> None:
        before = self.strangers.get((level, fact.entity_id))
        if before is None or before[2] <= fact.day:
            self.strangers[level, fact.entity_id] = (fact.name, fact.parent_id, fact.day)


def _pages(facts: Iterable[Fact]) -> Iterator[FactColumns]:
    if not isinstance(facts, FactColumns):
        yield from map(FactColumns.of, smaller.chunks(facts, _AT_ONCE))
    elif facts:
        yield facts


class _Tally:
    """Rows of one level, day and campaign, added up as they come."""

    __slots__ = ("clicks", "conversion_value", "conversions", "impressions", "rows", "spend")

    def __init__(self) -> None:
        self.rows = self.impressions = self.clicks = 0
        self.spend = self.conversions = self.conversion_value = _ZERO

    def add(self, numbers: _Numbers) -> None:
        impressions, clicks, spend, conversions, value, _, _ = numbers
        self.rows += 1
        if impressions:
            self.impressions += impressions
        if clicks:
            self.clicks += clicks
        if spend:
            self.spend += spend
        if conversions:
            self.conversions += conversions
        if value:
            self.conversion_value += value

    def add_run(self, columns: Columns, start: int, end: int) -> None:
        """The rows of a page from one to before another."""
        self.rows += end - start
        self.impressions += sum(columns.impressions[start:end])
        self.clicks += sum(columns.clicks[start:end])
        self.spend += sum(columns.spend[start:end])
        self.conversions += sum(columns.conversions[start:end])
        self.conversion_value += sum(columns.conversion_value[start:end])

    def sums(self) -> Sums:
        return Sums(
            self.rows, self.impressions, self.clicks, self.spend, self.conversions, self.conversion_value
        )  # fmt: skip


def _numbers(fact: Fact) -> _Numbers:
    _, _, _, _, _, impressions, clicks, spend, conversions, value, views, reach, _ = fact
    try:
        return (
            None if impressions is None else int(impressions),
            None if clicks is None else int(clicks),
            None if spend is None else _amount(spend),
            None if conversions is None else _amount(conversions),
            None if value is None else _amount(value),
            None if views is None else int(views),
            None if reach is None else int(reach),
        )
    except (ValueError, InvalidOperation):
        raise _broken(f"something that is no number, on {fact.day}", "number") from None


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(text)
    return amount


def _line(level: Level, fact: Fact, numbers: _Numbers) -> bytes:
    """A row as Postgres's COPY reads it, without the line's end; the actions stay the platform's own JSON."""
    said = fact[5:12]
    written = [
        NULL if text is None else text if is_plain(text) else str(number)
        for text, number in zip(said, numbers, strict=True)
    ]
    head = "\t".join([level, escaped(fact.entity_id), fact.day, *written, ""])
    return head.encode() + copied(fact.actions)


def _broken(what: str, code: str) -> PlatformProtocolError:
    return PlatformProtocolError(f"The platform sent {what}", platform_code=code)
