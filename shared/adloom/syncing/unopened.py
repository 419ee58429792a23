"""In place of a reader that could not be made: its fault is then told as any other of the platform is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from adloom.errors import PlatformError
from adloom.metrics.sync import Access
from adloom.platforms.model import Reader


def opened(open_reader: Callable[[Access], Reader]) -> Callable[[Access], Reader]:
    """The same, but for what is wrong already when a reader is made, such as an app that is not set up here."""

    def open_or_tell(access: Access) -> Reader:
        try:
            return open_reader(access)
        except PlatformError as error:
            return Unopened(error)

    return open_or_tell


class Unopened:
    """A reader whose every question meets the same fault."""

    api_version = ""
    requests = 0

    def __init__(self, error: PlatformError) -> None:
        self._error = error

    def resume(self, state: dict[str, str]) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is open."""

    def query(self, _level: str) -> dict[str, object]:
        return {}

    def attribution(self, _account: Any) -> str:
        return ""

    def _refuse(self, *_asked: object) -> NoReturn:
        raise self._error

    accounts = account = entities = facts = hours = _refuse
