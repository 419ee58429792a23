"""Writes the folder and lets it grow: a day of an account is appended at that account's midnight, never changed."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from infra.sandbox.facts import columns
from infra.sandbox.generator.catalogue import ACCOUNTS
from infra.sandbox.generator.lives import account_id
from infra.sandbox.generator.objects import Objects
from infra.sandbox.generator.rows import FILES, HEADERS, Row, Writer, as_csv
from infra.sandbox.generator.shapes import Account

HISTORY_DAYS = 400
# Hours and earlier versions matter for what is recent; a whole history of them would only make the folder large.
HOURLY_DAYS = 60
RESTATED_DAYS = 35


class _State(msgspec.Struct):
    """What has been written whole. `sizes` in bytes: what lies behind them was cut off by a crash and is dropped."""

    seed: int
    since: dict[str, date]
    through: dict[str, date]
    sizes: dict[str, int]


class GeneratedFolder:
    """A folder under `folder`, its state in the file `state`. `next_due` is the next midnight of any account."""

    def __init__(self, folder: Path, state: Path, seed: int, now: datetime) -> None:
        self.folder = folder
        self._state_path = state
        self._accounts = {account_id(seed, account): account for account in ACCOUNTS}
        self._state = self._kept(seed) or self._begun(seed, now)
        self._writers = {own: Writer(seed, account, self._state.since[own]) for own, account in self._accounts.items()}
        self._objects = {own: Objects(writer) for own, writer in self._writers.items()}
        self._drop_unfinished()
        self.next_due = self._next_due()
        self.grow(now)

    def grow(self, now: datetime) -> bool:
        """Append every day that has begun by `now` (aware); whether there was one."""
        due = list(self._due(now))
        if not due:
            return False
        texts: dict[str, list[str]] = {name: [] for name in FILES}
        for account, day in due:
            for name, rows in self._chunk(account, day).items():
                texts[name].append(as_csv(rows))
        self._append({name: "".join(parts) for name, parts in texts.items()})
        for account, day in due:
            self._state.through[account] = day
        self._save()
        self.next_due = self._next_due()
        return True

    def _due(self, now: datetime) -> Iterator[tuple[str, date]]:
        """Accounts and days to write, in the order in which their midnights come."""
        heap: list[tuple[datetime, int, str, date]] = []
        for place, (own, account) in enumerate(self._accounts.items()):
            day = self._state.through[own] + timedelta(1)
            heap.append((_midnight(account, day), place, own, day))
        heapq.heapify(heap)
        while heap[0][0] <= now:
            _, place, own, day = heap[0]
            yield own, day
            following = day + timedelta(1)
            heapq.heapreplace(heap, (_midnight(self._accounts[own], following), place, own, following))

    def _chunk(self, own: str, day: date) -> dict[str, Iterator[Row]]:
        writer, objects = self._writers[own], self._objects[own]
        lines = writer.lines(day)
        found = {columns.FACTS_FILE: writer.facts(lines), columns.ENTITIES_FILE: objects.ads_made(day)}
        if day == writer.since:
            found[columns.ENTITIES_FILE] = iter([*objects.standing(), *objects.ads_made(day)])
        # Counted from the first day, not from now: in how many steps the folder grew must not show in it.
        age = (day - writer.since).days
        if age > HISTORY_DAYS - HOURLY_DAYS:
            found[columns.HOURLY_FILE] = writer.hourly(lines, day)
        if age > HISTORY_DAYS - RESTATED_DAYS:
            found[columns.RESTATED_FILE] = writer.restated(lines, day)
        return found

    def _kept(self, seed: int) -> _State | None:
        if not self._state_path.exists():
            return None
        state = msgspec.json.decode(self._state_path.read_bytes(), type=_State)
        # Another seed, accounts of another release or a file that is gone: another world, which begins anew.
        same = state.seed == seed and state.through.keys() == self._accounts.keys()
        whole = all((self.folder / name).is_file() for name in FILES)
        return state if same and whole else None

    def _begun(self, seed: int, now: datetime) -> _State:
        since = {
            own: now.astimezone(ZoneInfo(account.zone)).date() - timedelta(HISTORY_DAYS)
            for own, account in self._accounts.items()
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        sizes: dict[str, int] = {}
        for name in FILES:
            header = (",".join(HEADERS[name]) + "\n").encode()
            (self.folder / name).write_bytes(header)
            sizes[name] = len(header)
        return _State(seed, since, {own: day - timedelta(1) for own, day in since.items()}, sizes)

    def _drop_unfinished(self) -> None:
        for name, size in self._state.sizes.items():
            os.truncate(self.folder / name, size)

    def _append(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            with (self.folder / name).open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
                self._state.sizes[name] = file.tell()

    def _save(self) -> None:
        partial = self._state_path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(self._state))
        partial.replace(self._state_path)

    def _next_due(self) -> datetime:
        return min(
            _midnight(account, self._state.through[own] + timedelta(1)) for own, account in self._accounts.items()
        )


def _midnight(account: Account, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(account.zone)).astimezone(UTC)
