"""What a page's forms send along without being asked."""

from __future__ import annotations

from html.parser import HTMLParser


def hidden(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes to this address."""
    return _Hidden(html, action).fields


class _Hidden(HTMLParser):
    def __init__(self, html: str, action: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._wanted = action
        self._here = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._here = given.get("action", "")
        if tag == "input" and given.get("type") == "hidden" and self._here == self._wanted:
            self.fields[given["name"]] = given.get("value", "")
