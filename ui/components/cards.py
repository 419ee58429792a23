"""Cards: a title, and what stands below it."""

from __future__ import annotations

from markupsafe import Markup

from ui.markup import h, join


def card(title: str, *children: Markup | None, count: str = "", tools: Markup | None = None, id_: str = "") -> Markup:
    """A card with its title."""
    number = h("span", count, class_="count") if count else None
    head = h("div", h("h2", title, number), tools, class_="card-head ruled")
    return h("section", head, children, class_="card", id=id_ or None)


def body(*children: Markup | None) -> Markup:
    """The inside of a card that is no table."""
    return h("div", join(children), class_="card-body")
