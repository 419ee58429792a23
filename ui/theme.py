"""The look's tokens, and which theme a visitor has. The parts made of them are in `static/adloom.css`."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from markupsafe import Markup
from starlette.requests import HTTPConnection

from ui.markup import h, join

STATIC = Path(__file__).parent / "static"
FONT = "/static/fonts/inter-latin-wght-normal.woff2"
THEME_COOKIE = "adloom_theme"
THEMES = ("light", "dark")

# Name: light, dark. Faint is for decoration only: it has too little contrast for text.
TOKENS = {
    "page": ("#f6f5f2", "#141413"),
    "sidebar": ("#faf9f7", "#191917"),
    "surface": ("#ffffff", "#1c1c1a"),
    "field": ("#faf9f7", "#191917"),
    "hover": ("#f6f4f0", "#242421"),
    "line": ("#e6e3dc", "#31302c"),
    "text": ("#1d1c1a", "#eceae4"),
    "muted": ("#6a665e", "#a6a198"),
    "faint": ("#98938a", "#79756c"),
    "accent": ("#3a56d4", "#8b9df5"),
    "accent-soft": ("#edf0fc", "#252a45"),
    "on-accent": ("#ffffff", "#141413"),
    "good": ("#15803d", "#58c27d"),
    "bad": ("#b42318", "#f28b82"),
    "warn": ("#a15c07", "#e6b35a"),
    "good-soft": ("#e8f5ec", "#17301f"),
    "bad-soft": ("#fdeceb", "#3a1c1a"),
    "warn-soft": ("#fdf3e1", "#362812"),
    "google": ("#d98a00", "#f0b64a"),
    "meta": ("#3a6fe0", "#7da4ff"),
    "tiktok": ("#cf2f6b", "#f2769f"),
    "chart-area": ("#3a56d429", "#8b9df529"),
    "chart-area-end": ("#3a56d400", "#8b9df500"),
    "hatch": ("#e3dfd7", "#3a3934"),
}


@cache
def variables() -> str:
    """The tokens as CSS variables: the system's theme, or the one the visitor chose."""
    lines = "".join(f"--{name}:light-dark({light},{dark});" for name, (light, dark) in TOKENS.items())
    chosen = "".join(f':root[data-theme="{theme}"]{{color-scheme:{theme}}}' for theme in THEMES)
    return f":root{{color-scheme:light dark;{lines}}}{chosen}"


@cache
def static_url(name: str) -> str:
    """The address of a file of ours; it changes with the file, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def theme_of(connection: HTTPConnection) -> str | None:
    """The theme the visitor chose; None follows the system."""
    chosen = connection.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else None


def head() -> Markup:
    """What every page's head links to."""
    return join(
        h("link", rel="preload", href=FONT, as_="font", type="font/woff2", crossorigin=True),
        h("style", Markup(variables())),  # noqa: S704 - our own constants
        h("link", rel="stylesheet", href=static_url("adloom.css")),
        h("script", src=static_url("adloom.js"), defer=True),
    )
