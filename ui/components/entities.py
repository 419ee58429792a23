"""Campaigns, ad groups and ads as table rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote

from markupsafe import Markup

from adloom.metrics.query import Row
from ui import formats
from ui.components.split import swatch
from ui.components.table import Column
from ui.i18n import _
from ui.markup import h
from ui.measures import spend_change
from ui.params import Params
from ui.platform_words import level_label

# What was spent today, by account and platform id.
SpentToday = Mapping[tuple[int, str], Decimal]
Address = Callable[[Row], str | None]
_FULL = Decimal(100)
# Longer names are cut in a table; their own page and the hint have them whole.
LONGEST_NAME = 120


def key(row: Row) -> str:
    return f"{row.account_id}-{row.entity_id}"


def address(row: Row, level: str, params: Params) -> str | None:
    """The page of what is below the row; an ad has nothing below."""
    own = quote(row.entity_id or "", safe="")
    if level == "campaign":
        path = f"/campaigns/{row.account_id}/{own}"
    elif level == "ad_group":
        path = f"/campaigns/{row.account_id}/{quote(row.parent_id or '', safe='')}/{own}"
    else:
        return None
    return params.shared().address(path)


def status_label(status: str | None) -> str | None:
    """What is not active says so."""
    return {"paused": _("Paused"), "archived": _("Archived"), "deleted": _("Deleted")}.get(status or "")


def columns(
    level: str, address: Address, spent: SpentToday, *, full: bool, accounts: bool, platforms: Collection[str] = ()
) -> list[Column[Row]]:
    """The columns of an entity table; `full` adds impressions and clicks, `accounts` whose it is. The level is called
    as on these platforms.
    """
    counts = [
        Column[Row](
            _("Impressions"), lambda row: formats.count(row.current.impressions), sort="impressions", roomy=True
        ),
        Column[Row](_("Clicks"), lambda row: formats.count(row.current.clicks), sort="clicks", roomy=True),
    ]
    budget = [Column[Row](_("Budget today"), lambda row: _budget(row, spent), wide=True)] if level != "ad" else []
    return [
        Column(
            level_label(level, platforms), lambda row: _name(row, address, accounts=accounts), sort="name", name=True
        ),
        *budget,
        Column(_("Spend"), lambda row: formats.money(row.current.spend, row.currency), sort="spend"),
        Column(
            _("Change"),
            lambda row: h("span", spend_change(row.current, row.previous), class_="muted"),
            sort="change",
            wide=True,
        ),
        *(counts if full else []),
        Column(_("Conv."), lambda row: formats.count(row.current.conversions), sort="conversions", wide=True),
        Column(_("CPA"), lambda row: formats.money(row.current.cpa, row.currency), sort="cpa", wide=True),
        Column(_("ROAS"), lambda row: formats.ratio(row.current.roas), sort="roas", strong=True),
    ]


def _name(row: Row, address: Address, *, accounts: bool) -> Markup:
    name = row.entity_name or row.entity_id or ""
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    title = name if short != name else None
    href = address(row)
    shown = h("a", short, href=href, title=title) if href else h("b", short, title=title)
    status = status_label(row.entity_status)
    notes = [status, row.account_name if accounts else None]
    words = h("span", shown, [h("span", note, class_="status") for note in notes if note], class_="entity-text")
    return h("span", swatch(row.platform), words, class_="entity")


def _budget(row: Row, spent: SpentToday) -> Markup | str:
    """How much of today's budget is spent; red where it is overspent."""
    if not row.daily_budget or row.entity_status != "active":
        return h("span", formats.NONE, class_="muted")
    today = spent.get((row.account_id or 0, row.entity_id or ""), Decimal(0))
    share = (today / row.daily_budget * _FULL).quantize(Decimal(1), ROUND_HALF_UP)
    width = max(Decimal(0), min(share, _FULL))
    bar = h(
        "span",
        h("i", style=f"width:{width}%"),
        class_="budget-bar over" if share > _FULL else "budget-bar",
        aria_hidden="true",
    )
    hint = _("{spent} of {budget} today").format(
        spent=formats.money(today, row.currency), budget=formats.money(row.daily_budget, row.currency)
    )
    return h("span", bar, h("span", formats.percent(share), class_="num"), class_="budget", title=hint)
