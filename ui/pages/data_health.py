"""Data health, where the trust line leads: how fresh each account is, which day matches, which run wrote what."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from adloom.errors import Actor
from adloom.metrics.health import Account
from adloom.metrics.run_log import LoggedRun
from adloom.platforms.advice import Advice, code_in
from ui import formats
from ui.actions import sync_of
from ui.components import aside, moving, platforms, states, table, top
from ui.components import ledger as ledger_cards
from ui.components.cadence import cadences
from ui.components.cards import card
from ui.components.split import swatch
from ui.components.status import tag
from ui.components.table import Column
from ui.frame import frame
from ui.i18n import _, _n
from ui.markup import EMPTY, h, join
from ui.page import Page
from ui.platform_words import explained
from ui.reads.ledger import Ledger, ledger
from ui.reads.situation import Situation
from ui.services import Services

PATH = "/data-health"
PAGE_SIZE = 25
# A to-do list, not a log.
_MOST_SHOWN = 5
_BEHIND = 2


def register(services: Services) -> None:
    @ui.page(PATH)
    async def data_health_page(request: Request) -> None:
        with frame(services, request, "data-health", _("Data health")) as page:
            view = LedgerView(page)
        await page.live(ledger, view.paint)


class LedgerView:
    def __init__(self, page: Page[Ledger]) -> None:
        self.page = page
        self.needs = page.region()
        self.accounts = page.region(states.card_skeleton(2))
        self.cadences = page.region()
        self.aside = page.region()
        self.differing = page.region()
        self.days = page.region(states.card_skeleton(8))
        self.moving = page.region()
        self.runs = page.region(states.card_skeleton(4))

    def paint(self, data: Ledger) -> None:
        page, now = self.page, data.situation
        top.show(page, now)
        if data.account is None:
            page.state(join(states.no_connection(may_connect=page.may_connect, sandbox=page.services.sandbox)))
            return
        self.needs.show(_needs(now, page))
        self.accounts.show(_accounts(now, page))
        self.cadences.show(_cadences(data))
        self.aside.show(aside.aside(data, page.params, PATH))
        self.differing.show(ledger_cards.differing(data, page.params, PATH))
        self.days.show(ledger_cards.days(data, data.account))
        account = data.account
        late, changed = moving.lateness(data.lateness, account), moving.changes(data.changes, now.zone, account)
        self.moving.show(h("div", late, changed, class_="stack") if late or changed else EMPTY)
        self.runs.show(_runs(data))


def _cadences(data: Ledger) -> Markup:
    """Of the platforms whose accounts are synced."""
    synced = [item for item in data.situation.accounts if item.sync_enabled]
    every = {item.platform: item.every for item in synced}
    counts = {platform: sum(item.platform == platform for item in synced) for platform in every}
    return cadences(
        [(platform, counts[platform], every[platform], data.cadences.get(platform)) for platform in sorted(every)]
    )


def _accounts(now: Situation, page: Page[Ledger]) -> Markup:
    params, wanted = page.params, page.params.search.lower()
    found = [item for item in now.accounts if wanted in item.name.lower() or wanted in item.external_id.lower()]
    # What needs somebody comes first.
    found.sort(key=_rank)
    listed = table.paged(
        params,
        PATH,
        _columns(now, page),
        found,
        size=PAGE_SIZE,
        caption=_("Accounts"),
        key=lambda item: str(item.account_id),
    )
    search = table.search_box(params, PATH, _("Filter accounts")) if len(now.accounts) > PAGE_SIZE else None
    connect = h("a", _("Connections"), href="/connections", class_="btn")
    about = next((sync_of(one.platform, params.account) for one in found if one.account_id == params.account), "")
    sync = h("button", _("Sync now"), type="button", class_="btn", data_act="sync", data_about=about)
    tools = h("div", search, sync if page.may_sync else None, connect, class_="tools")
    return card(_("Accounts"), listed, count=formats.count(len(now.accounts)), tools=tools, id_="connections")


def _needs(now: Situation, page: Page[Ledger]) -> Markup:
    """Accounts that cannot be read: what happened, what to do next, and the one button."""
    ended: dict[UUID, list[Account]] = {}
    for item in now.accounts:
        if _rank(item) == 0:
            ended.setdefault(item.connection_id, []).append(item)
    # One access that ended stops many accounts.
    needing = [*ended.values(), *([item] for item in now.accounts if _rank(item) == 1)]
    if not needing:
        return EMPTY
    rest = len(needing) - _MOST_SHOWN
    words = _n("{count} more in the list below", "{count} more in the list below", rest)
    more = h("div", h("span"), h("p", words.format(count=formats.count(rest)), class_="need-text"), class_="need")
    return card(_("Needs you"), *(_need(items, page) for items in needing[:_MOST_SHOWN]), more if rest > 0 else None)


def _need(items: Sequence[Account], page: Page[Ledger]) -> Markup:
    """About one account, or those that one connection stops."""
    item, others = items[0], len(items) - 1
    said, name = _said(item), item.name
    if others:
        words = _n("{name} and {count} other account", "{name} and {count} other accounts", others)
        name = words.format(name=name, count=formats.count(others))
    body = h(
        "div",
        h("p", name, " ", _account_state(item), class_="need-title"),
        h("p", said.happened, class_="need-text"),
        h("p", said.step, class_="need-text"),
    )
    verb = h("div", _account_verb(item, page, look="btn"), class_="need-verb")
    return h("div", platforms.mark(item.platform), body, verb, class_="need with-verb")


def _said(item: Account) -> Advice:
    if item.connection_status == "broken":
        return explained(item.platform, item.broken_reason or "connection_broken", item.broken_code or "")
    return explained(item.platform, item.error_code or "", code_in(item.error_detail))


def _rank(item: Account) -> int:
    if not item.sync_enabled or item.connection_status == "revoked":
        return 3
    if item.connection_status == "broken":
        return 0
    if item.error_code is not None:
        # What passes by itself needs nobody.
        return _BEHIND if _said(item).acts is Actor.NOBODY else 1
    return _BEHIND if item.is_stale else 3


def _columns(now: Situation, page: Page[Ledger]) -> list[Column[Account]]:
    return [
        Column[Account](_("Account"), lambda item: _account_name(item, page), name=True),
        Column[Account](
            _("Platform id"), lambda item: h("span", item.external_id, class_="muted keep"), roomy=True, left=True
        ),
        Column[Account](
            _("Time zone"),
            lambda item: h("span", item.timezone.replace("_", " "), class_="muted"),
            wide=True,
            left=True,
        ),
        Column[Account](_("Currency"), lambda item: item.currency, wide=True, left=True),
        Column[Account](_("Last synced"), lambda item: _synced(item, now), wide=True),
        Column[Account](
            _("State"),
            lambda item: h("span", _account_state(item), _account_verb(item, page), class_="state-line"),
            left=True,
        ),
    ]


def _account_name(item: Account, page: Page[Ledger]) -> Markup:
    link = h("a", item.name, href=page.params.but(account=item.account_id).address(PATH), data_here=True)
    return h("span", swatch(item.platform), h("span", link, class_="entity-text"), class_="entity")


def _synced(item: Account, now: Situation) -> str:
    if item.last_synced_at is None:
        return _("never")
    return formats.moment(item.last_synced_at, now.zone, now.today)


def _account_state(item: Account) -> Markup:
    if item.connection_status == "revoked":
        return tag("idle", _("disconnected"))
    if item.connection_status != "active":
        return tag("bad", _("access ended"))
    if not item.sync_enabled:
        return tag("idle", _("not synced"))
    if item.error_code is not None:
        return h("span", tag("warn", _("cannot be synced")), title=item.error_detail or item.error_code)
    if item.pending_windows:
        return tag("idle", _("syncing"))
    return tag("warn", _("behind")) if item.is_stale else tag("ok", _("up to date"))


def _account_verb(item: Account, page: Page[Ledger], look: str = "verb") -> Markup | None:
    """What the viewer can do about an account that does not keep up."""
    if item.connection_status == "revoked" or not item.sync_enabled:
        return None
    if item.connection_status == "broken" or item.error_code is not None:
        return _mended(_said(item).remedy, item, page, look)
    return _sync_it(item, look) if item.is_stale and not item.pending_windows and page.may_sync else None


def _mended(remedy: str, item: Account, page: Page[Ledger], look: str) -> Markup | None:
    at = f"/connections/{item.connection_id}"
    if page.may_connect and (remedy == "reconnect" or item.connection_status == "broken"):
        return h("a", _("Reconnect"), href=at, class_="btn primary" if look == "btn" else look)
    if page.may_connect and remedy == "choose":
        return h("a", _("Choose accounts"), href=f"{at}#accounts", class_=look)
    return _sync_it(item, look) if remedy == "retry" and page.may_sync else None


def _sync_it(item: Account, look: str) -> Markup:
    about = sync_of(item.platform, item.account_id)
    return h("button", _("Sync now"), type="button", class_=look, data_act="sync", data_about=about)


def _runs(data: Ledger) -> Markup:
    now = data.situation
    columns = [
        Column[LoggedRun](_("Started"), lambda run: formats.moment(run.business_at, now.zone, now.today), left=True),
        Column[LoggedRun](_("Account"), lambda run: run.account_name, wide=True, name=True),
        Column[LoggedRun](_("Days"), _window, left=True),
        Column[LoggedRun](_("Requests"), lambda run: formats.count(run.requests), roomy=True),
        Column[LoggedRun](_("Rows read"), lambda run: formats.count(run.rows_read), wide=True),
        Column[LoggedRun](_("Changed"), lambda run: formats.count(run.rows_changed), wide=True),
        Column[LoggedRun](_("Version"), lambda run: h("span", run.api_version, class_="muted"), roomy=True),
        Column[LoggedRun](_("Outcome"), _outcome, left=True),
    ]
    if not data.runs:
        return EMPTY
    return card(_("Runs"), table.table(columns, data.runs, caption=_("Runs"), key=lambda run: f"run{run.run_id}"))


def _window(run: LoggedRun) -> Markup:
    if run.since is None or run.until is None:
        return h("span", _("names and budgets"), class_="keep")
    return h("span", formats.days(run.since, run.until), class_="keep")


def _outcome(run: LoggedRun) -> Markup:
    if run.outcome == "succeeded":
        return tag("ok", _("stored"))
    said = explained(run.platform, run.error_code or "", code_in(run.error_detail)).happened
    return h(
        "span",
        tag("bad", _("failed")),
        h("span", said, class_="status below"),
        title=run.error_detail,
    )
