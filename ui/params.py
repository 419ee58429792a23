"""What a page shows is in its address: range, account, metric, currency, sorting, filter, page.

A value that cannot be understood becomes the default, with a quiet note on the page; it is never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from ui import ranges
from ui.i18n import _

METRICS = ("spend", "impressions", "clicks", "conversions", "value", "roas")
SORTS = ("name", "spend", "change", "impressions", "clicks", "conversions", "cpa", "conversion_value", "roas")
LEVELS = ("campaign", "ad_group", "ad")
LONGEST_SEARCH = 200
LAST_PAGE = 100_000


@dataclass(frozen=True)
class Params:
    """The state of a page as its address says it. `since` and `until` count for a custom range only."""

    range: str = ranges.DEFAULT_PRESET
    since: date | None = None
    until: date | None = None
    account: int | None = None
    metric: str = "spend"
    currency: str | None = None
    level: str = "campaign"
    sort: str = "spend"
    descending: bool = True
    search: str = ""
    page: int = 1

    def but(self, **changes: Any) -> Params:
        """The same state with changes; whatever changes what is listed starts at the first page again."""
        if "page" not in changes:
            changes["page"] = 1
        return replace(self, **changes)

    def address(self, path: str) -> str:
        """The path with this state; what is as by default is left out, so that addresses stay short."""
        query = urlencode(self.items())
        return f"{path}?{query}" if query else path

    def items(self) -> list[tuple[str, str]]:
        """The query of the address, name by name."""
        default = Params()
        items: list[tuple[str, str]] = []
        if self.range == ranges.CUSTOM and self.since and self.until:
            items += [("from", self.since.isoformat()), ("to", self.until.isoformat())]
        elif self.range != default.range:
            items.append(("range", self.range))
        if self.account is not None:
            items.append(("account", str(self.account)))
        for name in ("metric", "currency", "level", "sort"):
            if getattr(self, name) != getattr(default, name):
                items.append((name, str(getattr(self, name))))
        if not self.descending:
            items.append(("dir", "asc"))
        if self.search:
            items.append(("q", self.search))
        if self.page > 1:
            items.append(("page", str(self.page)))
        return items

    def date_range(self, today: date) -> ranges.DateRange:
        """The range, with "today" being the accounts' local day."""
        if self.range == ranges.CUSTOM and self.since and self.until:
            return ranges.custom(self.since, self.until)
        return ranges.preset(self.range if self.range in ranges.PRESETS else ranges.DEFAULT_PRESET, today)

    def shared(self) -> Params:
        """What goes along to another page: range and account."""
        return Params(range=self.range, since=self.since, until=self.until, account=self.account)


def parse(query: Mapping[str, str]) -> tuple[Params, list[str]]:
    """Read an address's query; the notes say what was not understood, in the visitor's language."""
    notes: list[str] = []
    fields: dict[str, Any] = {}
    fields.update(_range(query, notes))
    fields["account"] = _number(query, "account", notes, _("That account is not known. All accounts are shown."))
    fields["page"] = _number(query, "page", notes, _("That page is not there. This is the first.")) or 1
    fields["metric"] = _choice(query, "metric", METRICS, "spend", notes)
    fields["level"] = _choice(query, "level", LEVELS, "campaign", notes)
    fields["sort"] = _choice(query, "sort", SORTS, "spend", notes)
    fields["descending"] = _choice(query, "dir", ("asc", "desc"), "desc", notes) == "desc"
    fields["search"] = query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    currency = query.get("currency", "")
    fields["currency"] = currency if len(currency) == 3 and currency.isascii() and currency.isalpha() else None  # noqa: PLR2004 - ISO 4217
    return Params(**fields), notes


def _range(query: Mapping[str, str], notes: list[str]) -> dict[str, Any]:
    if "from" in query or "to" in query:
        try:
            since, until = date.fromisoformat(query.get("from", "")), date.fromisoformat(query.get("to", ""))
            ranges.custom(since, until)
        except (ValueError, OverflowError):
            notes.append(_("Those dates cannot be read. The last 28 days are shown."))
            return {}
        return {"range": ranges.CUSTOM, "since": since, "until": until}
    name = query.get("range", ranges.DEFAULT_PRESET)
    if name not in ranges.PRESETS:
        notes.append(_("That range is not known. The last 28 days are shown."))
        return {}
    return {"range": name}


def _number(query: Mapping[str, str], name: str, notes: list[str], note: str) -> int | None:
    value = query.get(name)
    if not value:
        return None
    if value.isascii() and value.isdigit() and 0 < int(value[:19]) <= _LARGEST[name] and len(value) < 19:  # noqa: PLR2004 - bigint
        return int(value)
    notes.append(note)
    return None


_LARGEST = {"account": 2**62, "page": LAST_PAGE}


def _choice(query: Mapping[str, str], name: str, known: tuple[str, ...], default: str, notes: list[str]) -> str:
    value = query.get(name, default)
    if value in known:
        return value
    notes.append(_("“{name}={value}” is not known and was left out.").format(name=name, value=value[:40]))
    return default
