"""Building HTML in Python. Text is always escaped here, so platform text (names, statuses) can never become markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import nh3
from markupsafe import Markup

Child: TypeAlias = "str | Markup | Iterable[Child] | None"
Attribute: TypeAlias = str | int | bool | None

# What a report's comment or a platform's notice may be made of: no images, whose loading tells who reads.
_HARMLESS = {"a", "b", "br", "code", "em", "i", "li", "ol", "p", "strong", "ul"}
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
EMPTY = Markup()


def _flatten(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            yield child
        else:
            yield from _flatten(child)


def join(*children: Child) -> Markup:
    """The children one after the other; plain strings are escaped."""
    return EMPTY.join(_flatten(children))


def _attribute(name: str, value: Attribute) -> Markup:
    # `class_`, `for_` dodge keywords; underscores stand for hyphens: aria_label, data_href.
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return EMPTY
    if value is True:
        return Markup(" {}").format(name)
    return Markup(' {}="{}"').format(name, str(value))


def cleaned(html: str) -> Markup:
    """HTML that a person or a platform wrote, with what can do harm taken out. Plain text needs none of it: `h` and
    `join` escape it.
    """
    return Markup(nh3.clean(html, tags=_HARMLESS, url_schemes={"https", "mailto"}))  # noqa: S704 - just cleaned


def h(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element: `h("a", name, href=url, class_="quiet")`. None and False leave an attribute out."""
    shown = join(*(_attribute(name, value) for name, value in attributes.items()))
    head = Markup("<{}{}>").format(tag, shown)
    return head if tag in _VOID else head + join(*children) + Markup("</{}>").format(tag)
