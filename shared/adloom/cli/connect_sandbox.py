"""Walks a log-in at the sandbox as a person would: opens the page, agrees, goes where it sends the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

from adloom.errors import PlatformProtocolError, Unavailable

_AGREE = {"decision": ["allow"]}


@dataclass(frozen=True)
class Walked:
    """A connection that was made, and the name of the person whose it is."""

    connection_id: str
    name: str


def walk(authorize_url: str, client: httpx.Client, ways: Mapping[str, str] | None = None) -> Walked:
    """Agree to what `authorize_url` asks for; what was connected.

    `client` follows no redirects. `ways` are origins that are reached by another: a browser's -> ours.
    PlatformProtocolError when a page is not what it should be, Unavailable when nobody answers.
    """
    page = _send(client, "GET", _by(ways, authorize_url))
    form = _Form(page.text)
    if not page.is_success or form.fields is None:
        raise PlatformProtocolError(f"The sandbox showed no page to agree on (HTTP {page.status_code}).")
    target = urljoin(str(page.url), form.action)
    answer = _send(client, "POST", _by(ways, target), data={**form.fields, **_AGREE})
    if not answer.has_redirect_location:
        raise PlatformProtocolError(f"The sandbox sent nobody back (HTTP {answer.status_code}).")
    back = _by(ways, urljoin(target, answer.headers["Location"]))
    # JSON instead of the page that a browser gets.
    finished = _send(client, "GET", back, headers={"Accept": "application/json"})
    try:
        document = finished.json()
    except ValueError:
        document = {}
    if not finished.is_success:
        detail = document.get("detail") or f"HTTP {finished.status_code}"
        raise PlatformProtocolError(f"The log-in did not end well: {detail}", code=document.get("code"))
    return Walked(document["connection_id"], document["name"])


def _by(ways: Mapping[str, str] | None, url: str) -> str:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return (ways or {}).get(origin, origin) + url.removeprefix(origin)


def _send(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    data: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    try:
        return client.request(method, url, data=data, headers=headers, follow_redirects=False)
    except httpx.HTTPError as error:
        raise Unavailable(f"{httpx.URL(url).copy_with(query=None)} does not answer ({type(error).__name__}).") from None


class _Form(HTMLParser):
    """The first form of a page: where it goes and what it sends with every box as it is ticked; None without one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, list[str]] | None = None
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form" and self.fields is None:
            self._inside, self.fields, self.action = True, {}, attributes.get("action", "")
        elif tag == "input" and self._inside and self.fields is not None and _is_sent(attributes):
            self.fields.setdefault(attributes["name"], []).append(attributes.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def _is_sent(attributes: dict[str, str]) -> bool:
    kind = attributes.get("type", "text")
    if "name" not in attributes or kind in {"submit", "button"}:
        return False
    return kind not in {"checkbox", "radio"} or "checked" in attributes
