"""What each account of a connection counts as a conversion, and choosing something else."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from adloom.connections.standing import Reached
from adloom.events.catalogue import Platform
from adloom.platforms import conversions
from ui import formats
from ui.components import fields, platforms, states, table
from ui.components.cards import card
from ui.i18n import _
from ui.markup import h, join
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
    title = _("What counts as a conversion")
    words = _(
        "An account counts what {platform} usually counts until you choose something else. Then its whole history is "
        "read again, the newest days first; a day that is not read again yet keeps the numbers that it has."
    )
    if found:
        params, shown = table.page_of(params, found, PAGE_SIZE)
        lines = h("ul", [_line(platform, each) for each in shown], class_="rows")
        listed = join(lines, table.pager(params, path, shown=len(shown), total=len(found), size=PAGE_SIZE))
    else:
        listed = states.nothing_found(params.search, params.but(search="").address(path))
    search = table.search_box(params, path, _("Filter accounts")) if len(accounts) > PAGE_SIZE else None
    hint = h("p", words.format(platform=name_of(platform)), class_="hint")
    tools = h("div", search, class_="tools") if search else None
    return card(title, hint, listed, count=formats.count(len(accounts)), tools=tools, id_="counted")


def _line(platform: Platform, each: Reached) -> Markup:
    words = h("span", h("span", each.name, class_="plain"), h("span", each.external_id, class_="under"))
    what = h("span", platforms.mark(platform), words, class_="what")
    return h("li", what, _choice(platform, each), id=f"counts-{each.account_id}")


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
