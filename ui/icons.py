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
    "google": '<path d="M12.3 4.6A5.4 5.4 0 1 0 13.4 8.6H8.4"/>',
    "meta": '<path d="M1.9 9.6C1.9 6.7 3 4.6 4.6 4.6c2.8 0 4 6.8 6.8 6.8 1.6 0 2.7-1.3 2.7-3.3'
    'S13 4.6 11.4 4.6C8.6 4.6 7.4 11.4 4.6 11.4 3.2 11.4 1.9 10.9 1.9 9.6z"/>',
    "tiktok": '<path d="M8.6 2.2v8.5a2.7 2.7 0 1 1-2.7-2.7M8.6 2.2c.3 2.1 1.8 3.5 4.1 3.6"/>',
    "down": '<path d="m4 6 4 4 4-4"/>',
    "right": '<path d="m6 4 4 4-4 4"/>',
    "left": '<path d="m10 4-4 4 4 4"/>',
    "search": '<circle cx="7" cy="7" r="4.2"/><path d="m10.2 10.2 3.3 3.3"/>',
    "settings": '<circle cx="8" cy="8" r="2.2"/><path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4'
    'M12.4 3.6 11 5M5 11l-1.4 1.4"/>',
    "person": '<circle cx="8" cy="5.2" r="2.7"/><path d="M2.8 13.6a5.2 5.2 0 0 1 10.4 0"/>',
    "people": '<circle cx="6" cy="5.4" r="2.4"/><path d="M1.5 13.2a4.5 4.5 0 0 1 9 0M10.6 3.3a2.4 2.4 0 0 1 0 4.2'
    'M12.2 9.3a4.5 4.5 0 0 1 2.3 3.9"/>',
    "shield": '<path d="M8 1.8 2.9 3.7v3.8c0 3 2 5.4 5.1 6.7 3.1-1.3 5.1-3.7 5.1-6.7V3.7z"/>',
    "key": '<circle cx="5.2" cy="10.8" r="2.9"/><path d="m7.3 8.7 6-6M11 5l2 2"/>',
    "log": '<path d="M4 2.2h8v11.6H4zM6.2 5.2h3.6M6.2 8h3.6M6.2 10.8h2"/>',
    "device": '<rect x="1.8" y="3" width="12.4" height="8" rx="1.4"/><path d="M5.5 13.4h5"/>',
    "copy": '<rect x="5.4" y="5.4" width="8" height="8" rx="1.6"/><path d="M10.6 2.6H4.2a1.6 1.6 0 0 0-1.6 1.6v6.4"/>',
    "download": '<path d="M8 2.4v7.4M4.8 6.9 8 10l3.2-3.1M2.8 13.4h10.4"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
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
