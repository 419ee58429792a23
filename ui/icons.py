"""Line icons: 16 px, 1.5 px strokes, drawn in the colour of the text around them."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "overview": '<path d="M3 8.5v4M8 3.5v9M13 6v6.5"/>',
    "campaigns": '<path d="M2 4h12M2 8h12M2 12h8"/>',
    "health": '<path d="M1.5 8.5h3l2-5 3.5 9 2-4h2.5"/>',
    "filter": '<path d="M2.5 4.5h11M4.5 8h7M6.5 11.5h3"/>',
    "calendar": '<rect x="2.5" y="3" width="11" height="10.5" rx="2"/><path d="M2.5 6.5h11M5.5 1.8v2.4M10.5 1.8v2.4"/>',
    "check": '<path d="m3.5 8.5 3 3 6-7"/>',
    "alert": '<path d="M8 4v5M8 11.7v.3"/>',
    "refresh": '<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.6h-2.6"/>',
    "unlink": '<path d="M6.5 9.5 4.8 11.2a2.4 2.4 0 0 1-3.4-3.4l1.7-1.7"/>'
    '<path d="m9.5 6.5 1.7-1.7a2.4 2.4 0 0 1 3.4 3.4l-1.7 1.7"/>'
    '<path d="M5 2.5V4M2.5 5H4M11 13.5V12M13.5 11H12"/>',
    "differs": '<path d="M3.5 6h9M3.5 10h9M10.5 3l-5 10"/>',
    "plug": '<path d="M6 2v3.5M10 2v3.5M4 5.5h8v2a4 4 0 0 1-8 0zM8 11.5V14"/>',
    "down": '<path d="m4 6 4 4 4-4"/>',
    "right": '<path d="m6 4 4 4-4 4"/>',
    "left": '<path d="m10 4-4 4 4 4"/>',
    "search": '<circle cx="7" cy="7" r="4.2"/><path d="m10.2 10.2 3.3 3.3"/>',
    "logout": '<path d="M6 13.5H3.5v-11H6M10.5 11l3-3-3-3M13.5 8h-7"/>',
}


def icon(name: str) -> Markup:
    """The icon's SVG, hidden from screen readers: what it stands beside says it in words."""
    return Markup(  # noqa: S704 - made of the constants above
        '<svg class="icon" width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" '
        'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        f"{_PATHS[name]}</svg>"
    )


# Warp threads, and the weft going over and under them.
LOGO = Markup(
    '<svg class="logo" width="22" height="22" viewBox="0 0 22 22" fill="none" aria-hidden="true">'
    '<rect width="22" height="22" rx="6" fill="var(--accent)"/><g stroke="var(--on-accent)" stroke-linecap="round">'
    '<path d="M7 6.5v9M11 6.5v9M15 6.5v9" stroke-width="1.2" opacity=".6"/>'
    '<path d="M3.8 12.4C5 8.4 5.9 8.4 7 11s2.6 2.7 4 0 2.7-2.7 4 0 2.2 2.4 3.2-1.4" stroke-width="1.7"/></g></svg>'
)
