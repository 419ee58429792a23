"""Trust, made visible: how fresh the numbers are and whether they match the platforms."""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from markupsafe import Markup

from adloom.metrics.health import Trust
from ui import formats
from ui.i18n import _, _n
from ui.markup import h

_DOTS = {"ok": "ok", "unexplained": "bad", "stale": "warn", "empty": ""}


def trust_line(trust: Trust, zone: tzinfo, today: date, *, quiet: bool, name_zone: bool = False) -> Markup:
    """The line at the top of every page; it leads to the ledger. `quiet`: nothing needs the person."""
    parts = [_as_of(trust.data_as_of, zone, today, name_zone=name_zone), *_verdict(trust)]
    if trust.syncing:
        parts.append(_("syncing now"))
    if quiet and trust.state == "ok":
        parts.append(_("nothing needs you"))
    mood = {"stale": "warn", "unexplained": "bad"}.get(trust.state, "")
    dot = h("i", class_=f"dot {_DOTS.get(trust.state, '')}", aria_hidden="true")
    return h(
        "a", dot, h("span", " · ".join(parts)), class_=f"trust {mood}", href="/data-health", data_trust=trust.state
    )


def _as_of(moment: datetime | None, zone: tzinfo, today: date, *, name_zone: bool) -> str:
    if moment is None:
        return _("No data yet")
    shown = formats.moment(moment, zone, today, name_zone=name_zone)
    return _("Data as of {time}").format(time=shown)


def _verdict(trust: Trust) -> list[str]:
    if trust.state == "unexplained":
        differing = trust.unexplained
        return [
            _n("{days} day differs from the platform", "{days} days differ from the platforms", differing).format(
                days=formats.count(differing)
            )
        ]
    if trust.state == "stale":
        return [_("syncing is late")]
    if trust.data_as_of is None or not trust.checked:
        return []
    if trust.explained:
        return [_("matches the platforms, differences explained")]
    return [_("matches the platforms to the cent")]


def tag(mood: str, words: str) -> Markup:
    """A small state in words, with a dot in its colour: ok, warn, bad or idle."""
    return h("span", h("i", class_=f"dot {mood}", aria_hidden="true"), words, class_=f"tag {mood}")
