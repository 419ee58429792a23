"""A sync into which something happens at a moment of a test's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from adloom.metrics.sync import Access, Sync
from adloom.platforms.model import Account, Days, Fact, Level, Reader
from tests.integration.sync_rig import Rig


class Meddled:
    """A reader that lets something happen before it reads a level; everything else is the real one's."""

    def __init__(self, reader: Reader, before: Callable[[Level, Days], None]) -> None:
        self._reader = reader
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        self._before(level, days)
        return self._reader.facts(account, level, days)


def meddle(rig: Rig, monkeypatch: pytest.MonkeyPatch, before: Callable[[Level, Days], None]) -> None:
    """Let something happen before every level that the rig's syncs read from now on."""
    real = Rig.sync.fget
    assert real is not None

    def sync(self: Rig) -> Sync:
        made: Sync = real(self)

        def open_reader(access: Access) -> Reader:
            return Meddled(made.open_reader(access), before)

        return replace(made, open_reader=open_reader)

    monkeypatch.setattr(Rig, "sync", property(sync))
