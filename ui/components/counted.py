"""What each account of a connection counts as a conversion, and choosing something else."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from adloom.connections.standing import Reached
from adloom.events.catalogue import Platform
from adloom.platforms import conversions
from ui import formats
from ui.components import fields, table
from ui.components.cards import card
from ui.components.table import Column
from ui.i18n import _
from ui.markup import h
from ui.params import Params
from ui.platform_words import conversion_words, name_of

PAGE_SIZE = 10


def counted(platform: Platform, accounts: Sequence[Reached], params: Params, path: str) -> Markup:
    """A line per account; a change is sent at its line."""
    wanted = params.search.lower()
    found = sorted(
        (each for each in accounts if wanted in each.name.lower() or wanted in each.external_id.lower()),
        key=lambda each: each.name.lower(),
    )
    columns = [
        Column[Reached](_("Account"), _name, name=True),
        Column[Reached](_("Counts as a conversion"), lambda each: _choice(platform, each), left=True),
    ]
    title = _("What counts as a conversion")
    words = _(
        "An account counts what {platform} usually counts until you choose something else. Then its whole history is "
        "read again, the newest days first; a day that is not read again yet keeps the numbers that it has."
    )
    listed = table.paged(
        params, path, columns, found, size=PAGE_SIZE, caption=title, key=lambda each: f"counts-{each.account_id}"
    )
    search = table.search_box(params, path, _("Filter accounts")) if len(accounts) > PAGE_SIZE else None
    hint = h("p", words.format(platform=name_of(platform)), class_="hint")
    tools = h("div", search, class_="tools") if search else None
    return card(title, hint, listed, count=formats.count(len(accounts)), tools=tools, id_="counted")


def _name(each: Reached) -> Markup:
    words = h("span", h("b", each.name), h("span", each.external_id, class_="status"), class_="entity-text")
    return h("span", words, class_="entity")


def _choice(platform: Platform, each: Reached) -> Markup:
    known = conversions.of(platform)
    now = each.conversion or known.default
    names = dict.fromkeys((*known.offered, now))
    options = [
        h("option", _shown(platform, name, known.default), value=name, selected=name == now or None) for name in names
    ]
    label = _("What {name} counts as a conversion").format(name=each.name)
    return fields.send_form(
        f"/connections/accounts/{each.account_id}/conversion",
        h("input", type="hidden", name="platform", value=platform),
        h("input", type="hidden", name="was", value=now),
        h("select", options, name="conversion", class_="input", aria_label=label),
        fields.submit(_("Save"), primary=False),
        class_="counts",
    )


def _shown(platform: str, name: str, default: str) -> str:
    words = conversion_words(platform, name)
    return _("{what} (usual)").format(what=words) if name == default else words
