"""How often each platform's accounts are read now, and why not more often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from babel.dates import format_timedelta
from markupsafe import Markup

from adloom.metrics.pacing import Cadence
from ui import formats
from ui.components import platforms
from ui.components.cards import card
from ui.components.status import tag
from ui.i18n import _, _n, current
from ui.markup import EMPTY, h
from ui.platform_words import name_of


def cadences(shown: Sequence[tuple[str, int, timedelta, Cadence | None]]) -> Markup:
    """A line per platform: how many accounts, how often, and why; the cadence is None before the first sync."""
    if not shown:
        return EMPTY
    return card(_("How often the numbers are read"), h("ul", [_line(*each) for each in shown], class_="rows"))


def _line(platform: str, accounts: int, every: timedelta, cadence: Cadence | None) -> Markup:
    count = _n("{count} account", "{count} accounts", accounts).format(count=formats.count(accounts))
    how_often = _("every {time}").format(time=_span(every))
    stretched = cadence is not None and cadence.is_stretched
    words = h(
        "span",
        h("span", name_of(platform), class_="plain"),
        h("span", f"{count} · {_why(cadence) if cadence else _('the usual cadence')}", class_="under"),
    )
    return h(
        "li",
        h("span", platforms.mark(platform), words, class_="what"),
        tag("warn" if stretched else "ok", how_often),
    )


def _span(every: timedelta) -> str:
    """15 minutes, 2 hours."""
    return str(format_timedelta(every, threshold=1.5, locale=current().locale))


def _why(cadence: Cadence) -> str:
    """Why it is so, in a sentence."""
    name = name_of(cadence.platform)
    if cadence.reason == "load" and cadence.is_stretched:
        return _("{platform} says that we ask much: it gets more often again as soon as that passes.").format(
            platform=name
        )
    if cadence.reason == "quota" and cadence.is_stretched and cadence.calls_allowed is not None:
        return _(
            "{platform} allows {allowed} calls a day for this at the level “{tier}”, which this cadence uses up to "
            "{needed}. More often needs a higher level of access there."
        ).format(
            platform=name,
            allowed=formats.count(cadence.calls_allowed),
            needed=formats.count(cadence.calls_needed),
            tier=cadence.tier,
        )
    return _("the usual cadence")
