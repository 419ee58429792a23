"""Needs you: what a person can act on, each with one verb. Empty, it is not there."""

from __future__ import annotations

from datetime import date, tzinfo

from markupsafe import Markup

from adloom.metrics.health import Need
from adloom.platforms.advice import code_in
from ui import formats
from ui.actions import sync_of
from ui.components.split import PLATFORMS
from ui.i18n import _, _n
from ui.icons import icon
from ui.markup import Child, h, join
from ui.platform_words import explained

# A to-do list, not a log.
MOST_SHOWN = 5


def needs(items: list[Need], zone: tzinfo, today: date, *, may_connect: bool, may_sync: bool) -> Markup:
    """The card, or nothing."""
    if not items:
        return Markup()
    shown = [_need(need, zone, today, may_connect=may_connect, may_sync=may_sync) for need in items[:MOST_SHOWN]]
    rest = len(items) - MOST_SHOWN
    more = None
    if rest > 0:
        words = _n("{count} more in Data health", "{count} more in Data health", rest).format(count=rest)
        more = h("div", h("span"), h("a", words, href="/data-health", class_="verb"), class_="need")
    return h(
        "section",
        h("div", h("h2", _("Needs you")), class_="card-head ruled"),
        join(*shown),
        more,
        class_="card",
        aria_label=_("Needs you"),
    )


def _need(need: Need, zone: tzinfo, today: date, *, may_connect: bool, may_sync: bool) -> Markup:
    since = formats.moment(need.since, zone, today) if need.since else ""
    platform = PLATFORMS.get(need.platform, need.platform)
    ledger = f"/data-health?account={need.account_id}" if need.account_id else "/data-health"
    if need.kind == "connection_broken":
        said = explained(need.platform, need.reason or "connection_broken", need.code or "")
        return _item(
            "unlink",
            "bad",
            _("{platform} access has ended").format(platform=platform),
            f"{need.name}: {said.happened}",
            _mend(need) if may_connect else _look(f"/connections/{need.connection_id}"),
        )
    if need.kind == "unexplained":
        days = _n("{days} day differs from {platform}", "{days} days differ from {platform}", need.count)
        return _item(
            "differs", "bad", days.format(days=formats.count(need.count), platform=platform), need.name, _look(ledger)
        )
    if need.kind == "sync_error":
        return _item(
            "alert",
            "warn",
            _("{name} cannot be synced").format(name=need.name),
            explained(need.platform, need.code or "", code_in(need.detail)).happened,
            _look(ledger),
        )
    last = _("Last synced {time}").format(time=since) if since else _("Never synced so far")
    verb = _act(_("Sync now"), "sync", sync_of(need.platform, need.account_id)) if may_sync else _look(ledger)
    return _item("refresh", "warn", _("{name} is behind").format(name=need.name), last, verb)


def _item(mark: str, mood: str, title: str, words: str, verb: Child) -> Markup:
    body = h("div", h("p", title, class_="need-title"), h("p", words, class_="need-text"), verb)
    return h("div", h("span", icon(mark), class_=f"need-mark {mood}"), body, class_="need")


def _look(href: str) -> Markup:
    return h("a", _("Look into it"), href=href, class_="verb")


def _mend(need: Need) -> Markup:
    return h("a", _("Reconnect"), href=f"/connections/{need.connection_id}", class_="verb")


def _act(label: str, name: str, about: str) -> Markup:
    return h("button", label, type="button", class_="verb", data_act=name, data_about=about)
