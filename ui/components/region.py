"""A part of a page whose markup is replaced in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from nicegui.element import Element
from nicegui.events import GenericEventArguments

Handler = Callable[..., Any]


class Region(Element, component="region.js"):
    """Shows markup made by `ui.markup`, which escapes; browsers keep focus and open menus when it changes.

    Links and forms marked `data-here` do not leave the page: `on_go(address, replace)` is called instead.
    Buttons marked `data-act` call `on_act(name, about)`.
    """

    def __init__(self, markup: Markup = Markup(), *, tag: str = "div") -> None:  # noqa: B008 - immutable
        super().__init__()
        self._props["markup"] = str(markup)
        self._props["tag"] = tag

    def show(self, markup: Markup) -> None:
        """Replace what is shown; nothing is sent when it is the same."""
        if self._props["markup"] != str(markup):
            self._props["markup"] = str(markup)

    def on_go(self, handler: Handler) -> Region:
        async def go(event: GenericEventArguments) -> None:
            address, replace = event.args
            await handler(str(address), replace=bool(replace))

        self.on("go", go)
        return self

    def on_act(self, handler: Handler) -> Region:
        async def act(event: GenericEventArguments) -> None:
            name, about = event.args
            await handler(str(name), str(about))

        self.on("act", act)
        return self
