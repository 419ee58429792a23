"""A request to the Marketing API: parameters of the query or the JSON body, read strictly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from infra.sandbox.faults import Fault
from infra.sandbox.tiktok.errors import missing, parameter
from infra.sandbox.tokens import Issued

DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 1000


@dataclass
class Call:
    """One call. `path` has no outer slashes; `now` is the business clock's instant; `headers` go out with the answer.

    `shift` is by how many rows the list has moved since the walk began.
    """

    method: str
    path: str
    params: dict[str, Any]
    token_text: str
    now: datetime
    fault: Fault | None = None
    token: Issued | None = None
    shift: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A parameter as text; empty where it is missing."""
        value = self.params.get(name)
        return "" if value is None else str(value)

    def needed(self, name: str) -> str:
        """A required parameter."""
        return self.text(name) or _raise(missing(name))

    def is_on(self, name: str) -> bool:
        """A boolean, as Python's and everybody else's clients write it."""
        return self.text(name).lower() in ("true", "1")

    def json(self, name: str, shape: Any) -> Any:
        """A parameter that is JSON: text in a query, the value itself in a body. None where it is missing."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        try:
            return msgspec.json.decode(value, type=shape) if isinstance(value, str) else msgspec.convert(value, shape)
        except msgspec.MsgspecError as exc:
            raise parameter(f"{name}: {exc}") from None

    def words(self, name: str) -> list[str]:
        """A list of words or ids."""
        found: list[str | int] = self.json(name, list[str | int]) or []
        return [str(word) for word in found]

    def whole(self, name: str, default: int, most: int | None = None) -> int:
        """A whole number of 1 or more; one above `most` is refused."""
        text = self.text(name) or str(default)
        if not (text.isascii() and text.isdigit()) or int(text) < 1:
            raise parameter(f"{name}: Not a valid integer.")
        if most is not None and int(text) > most:
            raise parameter(f"{name}: Must be greater than or equal to 1 and less than or equal to {most}.")
        return int(text)


def page_of(call: Call, rows: list[Any], most: int = MAX_PAGE_SIZE) -> tuple[list[Any], dict[str, int]]:
    """A page of rows by its number, and `page_info`. It is no snapshot: what came or went meanwhile shifts it."""
    page, size = call.whole("page", 1), call.whole("page_size", DEFAULT_PAGE_SIZE, most)
    total = max(len(rows) + call.shift, 0)
    start = (page - 1) * size - call.shift
    found = rows[max(start, 0) : max(start + size, 0)]
    info = {"page": page, "page_size": size, "total_number": total, "total_page": -(-total // size)}
    return found, info


Handler = Callable[[Call], dict[str, Any]]


def _raise(error: Exception) -> str:
    raise error
