"""What is looked for in the audit trail, as the page's address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

PATH = "/settings/audit"
EXPORT = f"{PATH}/export"
_LONGEST = 320
_FORMATS = ("csv", "jsonl")


@dataclass(frozen=True)
class AuditParams:
    """Days are UTC's, both of them included. What cannot be read is left out."""

    since: str = ""
    until: str = ""
    actor: str = ""
    action: str = ""
    target: str = ""
    text: str = ""
    before: int | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> AuditParams:
        words = {name: _clean(query.get(name, "")) for name in ("actor", "action", "target", "text")}
        days = {name: _day(query.get(name, "")) for name in ("since", "until")}
        before = query.get("before", "")
        position = int(before) if before.isascii() and before.isdigit() and 0 < len(before) < 19 else None  # noqa: PLR2004 - bigint
        return cls(**words, **days, before=position or None)

    @property
    def narrows(self) -> bool:
        return bool(self._shown())

    def address(self, path: str = PATH, **more: str) -> str:
        """The page, or another path, about the same; it starts at the newest unless `more` says otherwise."""
        query = urlencode(self._shown() | more)
        return f"{path}?{query}" if query else path

    def query(self, kind: str = "") -> str:
        """What `auth` is asked with; `kind` is a format of the export."""
        asked = {name: value for name, value in self._shown().items() if name not in ("since", "until")}
        if self.since:
            asked["since"] = _midnight(date.fromisoformat(self.since))
        if self.until and self.until < date.max.isoformat():
            asked["until"] = _midnight(date.fromisoformat(self.until) + timedelta(days=1))
        if kind in _FORMATS:
            asked["format"] = kind
        elif self.before is not None:
            asked["before"] = str(self.before)
        return urlencode(asked)

    def _shown(self) -> dict[str, str]:
        named = ("since", "until", "actor", "action", "target", "text")
        return {name: getattr(self, name) for name in named if getattr(self, name)}


def _clean(value: str) -> str:
    return value.replace("\0", "").strip()[:_LONGEST]


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return ""


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat()
