"""What a platform tells Adloom of by itself because of a connection, in a line."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from adloom.connections.subscriptions import Subscribed
from ui import formats
from ui.components.status import tag
from ui.i18n import _, _n
from ui.markup import EMPTY, h
from ui.platform_words import name_of


def told(platform: str, subscribed: Sequence[Subscribed]) -> Markup:
    """How many pages and accounts; with how many it did not work."""
    if not subscribed:
        return EMPTY
    label = _("What {platform} tells of by itself").format(platform=name_of(platform))
    return h("ul", h("li", label, class_="label"), _lines(subscribed), class_="right-list", id="told")


def _lines(subscribed: Sequence[Subscribed]) -> list[Markup]:
    pages = sum(each.target == "page" and not each.error_code for each in subscribed)
    accounts = sum(each.target == "account" and not each.error_code for each in subscribed)
    refused = [each.name or each.external_id for each in subscribed if each.error_code]
    lines = []
    if pages:
        words = _n("new leads of {count} page", "new leads of {count} pages", pages)
        lines.append(tag("ok", words.format(count=formats.count(pages))))
    if accounts:
        words = _n("changes of {count} ad account", "changes of {count} ad accounts", accounts)
        lines.append(tag("ok", words.format(count=formats.count(accounts))))
    if refused:
        words = _n(
            "nothing of {name}: refused, and asked for again every hour",
            "nothing of {name} and others, {count} in all: refused, and asked for again every hour",
            len(refused),
        )
        lines.append(tag("warn", words.format(name=refused[0], count=formats.count(len(refused)))))
    return [h("li", line) for line in lines]
