"""A request to the Graph API, whether it came by itself or inside a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from infra.sandbox.faults import Fault
from infra.sandbox.meta.errors import parameter
from infra.sandbox.tokens import Issued


@dataclass
class Call:
    """One call. `path` has neither version nor outer slashes; `now` is the business clock's instant."""

    method: str
    version: str
    path: str
    params: dict[str, str]
    base_url: str
    bearer: str
    now: datetime
    fault: Fault | None = None
    token: Issued | None = None
    # What the usage headers are about, filled in while the call is answered.
    account_id: str = ""
    is_insights: bool = False

    @property
    def holds_page(self) -> bool:
        """Whether the fault makes the cursor of this page point to the page itself."""
        return self.fault is not None and self.fault.kind in ("empty_page_with_next", "duplicate_page")

    @property
    def is_emptied(self) -> bool:
        """Whether the fault empties this page."""
        return self.fault is not None and self.fault.kind == "empty_page_with_next"

    def json(self, name: str, shape: Any) -> Any:
        """A parameter that is JSON; None where it is missing."""
        text = self.params.get(name, "")
        if not text:
            return None
        try:
            return msgspec.json.decode(text, type=shape)
        except msgspec.DecodeError:
            raise parameter(f"param {name} must be valid JSON of the documented shape") from None

    def words(self, name: str) -> list[str]:
        """A parameter that is a JSON array of strings or a comma list."""
        text = self.params.get(name, "").strip()
        if text.startswith("["):
            found: list[str] = self.json(name, list[str])
            return found
        return [word.strip() for word in text.split(",") if word.strip()]

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A parameter that is a whole number; above `most` it is taken as `most`."""
        text = self.params.get(name, "") or str(default)
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise parameter(f"param {name} must be an integer of at least {least}")
        return min(int(text), most)


Answer = dict[str, Any] | list[Any]
Handler = Callable[[Call], Answer]


@dataclass
class FieldTree:
    """Requested fields in order, each with the fields asked of it: `id,campaign{name}`."""

    fields: dict[str, FieldTree] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields)


def parse_fields(call: Call) -> FieldTree:
    """Read `fields`, a comma list with braces or a JSON array."""
    text = call.params.get("fields", "").strip()
    if text.startswith("["):
        text = ",".join(call.words("fields"))
    root = FieldTree()
    open_trees = [root]
    word = ""
    last = root
    for char in text + ",":
        if char not in ",{}":
            word += char
            continue
        if word.strip():
            # A modifier such as `.limit(5)` changes nothing here.
            last = open_trees[-1].fields.setdefault(word.strip().split(".")[0], FieldTree())
        word = ""
        if char == "{":
            open_trees.append(last)
        elif char == "}":
            open_trees.pop()
            if not open_trees:
                raise _syntax_error()
    if len(open_trees) != 1:
        raise _syntax_error()
    return root


def _syntax_error() -> Exception:
    return parameter("Syntax error: braces of param fields do not match")
