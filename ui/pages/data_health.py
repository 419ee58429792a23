"""Data health, where the trust line leads: how fresh each account is, which day matches, which run wrote what."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from adloom.metrics import reconcile
from adloom.metrics.health import Account
from adloom.metrics.run_log import LoggedRun
from ui import formats
from ui.components import states, table, top
from ui.components.split import PLATFORMS, swatch
from ui.components.status import tag
from ui.components.table import Column
from ui.frame import frame
from ui.i18n import _
from ui.markup import EMPTY, h, join
from ui.page import Page
from ui.reads.ledger import Ledger, LedgerLine, ledger
from ui.reads.situation import Situation
from ui.services import Services

PATH = "/data-health"


def register(services: Services) -> None:
    @ui.page(PATH)
    async def data_health_page(request: Request) -> None:
        with frame(services, request, "data-health", _("Data health")) as page:
            view = LedgerView(page)
        await page.live(ledger, view.paint)


class LedgerView:
    def __init__(self, page: Page[Ledger]) -> None:
        self.page = page
        self.accounts = page.region(states.card_skeleton(2))
        self.days = page.region(states.card_skeleton(8))
        self.runs = page.region(states.card_skeleton(4))

    def paint(self, data: Ledger) -> None:
        page, now = self.page, data.situation
        top.show(page, now)
        if data.account is None:
            page.state(join(states.no_connection(may_connect=page.may_connect, sandbox=page.services.sandbox)))
            return
        self.accounts.show(_accounts(now, page))
        self.days.show(_days(data, data.account))
        self.runs.show(_runs(data))


def _accounts(now: Situation, page: Page[Ledger]) -> Markup:
    columns = [
        Column[Account](_("Account"), lambda item: _account_name(item, page), name=True),
        Column[Account](
            _("Platform id"), lambda item: h("span", item.external_id, class_="muted"), roomy=True, left=True
        ),
        Column[Account](
            _("Time zone"),
            lambda item: h("span", item.timezone.replace("_", " "), class_="muted"),
            wide=True,
            left=True,
        ),
        Column[Account](_("Currency"), lambda item: item.currency, wide=True, left=True),
        Column[Account](_("Last synced"), lambda item: _synced(item, now)),
        Column[Account](
            _("State"),
            lambda item: h("span", _account_state(item), _account_verb(item, page), class_="state-line"),
            left=True,
        ),
    ]
    listed = table.table(columns, now.accounts, caption=_("Accounts"), key=lambda item: str(item.account_id))
    connect = h("button", _("Connect Meta"), type="button", class_="btn", data_act="connect", data_about="meta")
    sync = h(
        "button", _("Sync now"), type="button", class_="btn", data_act="sync", data_about=str(page.params.account or "")
    )
    tools = h("div", sync if page.may_sync else None, connect if page.may_connect else None, class_="tools")
    title = h("h2", _("Accounts"), h("span", formats.count(len(now.accounts)), class_="count"))
    note = h("p", _sandbox_words(), class_="hint") if page.services.sandbox else None
    return h("section", h("div", title, tools, class_="card-head ruled"), note, listed, class_="card", id="connections")


def _sandbox_words() -> str:
    return _(
        "This installation runs on the sandbox. For your own numbers, whoever runs it enters the credentials of a "
        "Meta app and starts it without the sandbox; then connect your account here."
    )


def _account_name(item: Account, page: Page[Ledger]) -> Markup:
    link = h("a", item.name, href=page.params.but(account=item.account_id).address(PATH), data_here=True)
    return h("span", swatch(item.platform), h("span", link, class_="entity-text"), class_="entity")


def _synced(item: Account, now: Situation) -> str:
    if item.last_synced_at is None:
        return _("never")
    return formats.moment(item.last_synced_at, now.zone, now.today)


def _account_state(item: Account) -> Markup:
    if item.connection_status != "active":
        return tag("bad", _("access ended"))
    if item.error_code is not None:
        return h("span", tag("warn", _("cannot be synced")), title=item.error_detail or item.error_code)
    if item.pending_windows:
        return tag("idle", _("syncing"))
    if not item.sync_enabled:
        return tag("idle", _("not synced"))
    return tag("warn", _("behind")) if item.is_stale else tag("ok", _("up to date"))


def _account_verb(item: Account, page: Page[Ledger]) -> Markup | None:
    """What the viewer can do about an account that does not keep up."""
    if item.connection_status != "active":
        return _act(_("Reconnect"), "connect", item.platform) if page.may_connect else None
    if item.is_stale and not item.pending_windows and item.sync_enabled and page.may_sync:
        return _act(_("Sync now"), "sync", str(item.account_id))
    return None


def _act(label: str, name: str, about: str) -> Markup:
    return h("button", label, type="button", class_="verb", data_act=name, data_about=about)


def _days(data: Ledger, account: Account) -> Markup:
    """Per day: the platform's total and how each level of our rows compares with it."""
    levels = {"campaign": _("Campaigns"), "ad_group": _("Ad sets"), "ad": _("Ads")}
    columns = [
        Column[LedgerLine](_("Day"), lambda line: formats.weekday(line.day), left=True),
        Column[LedgerLine](
            _("Platform's total"),
            lambda line: formats.money(line.total.spend if line.total else None, account.currency),
        ),
        *(Column[LedgerLine](label, _compared(level, account.currency), wide=True) for level, label in levels.items()),
        Column[LedgerLine](
            _("Impressions"), lambda line: formats.count(line.total.impressions if line.total else None), roomy=True
        ),
        Column[LedgerLine](
            _("Conv."), lambda line: formats.count(line.total.conversions if line.total else None), roomy=True
        ),
        Column[LedgerLine](_("Compared"), _day_state, left=True),
    ]
    title = h("h2", _("Ledger"), h("span", account.name, class_="count"))
    words = _("Every day's spend, as {platform} says it for the account, against the sums of what is stored here.")
    note = h("p", words.format(platform=PLATFORMS.get(account.platform, account.platform)), class_="hint")
    if not data.lines:
        body = h("div", h("p", _("No day of this range has been compared yet.")), class_="state")
    else:
        body = table.table(columns, data.lines, caption=_("Ledger"), key=lambda line: line.day.isoformat())
    return h("section", h("div", title, class_="card-head ruled"), note, body, class_="card")


def _compared(level: str, currency: str) -> table.Cell[LedgerLine]:
    def cell(line: LedgerLine) -> Markup:
        difference = line.difference(level)
        if difference is None:
            return h("span", formats.NONE, class_="muted")
        if difference == Decimal(0):
            return h("span", _("equal"), class_="muted")
        entry = line.levels[level]
        sign = "+" if difference > 0 else ""
        return h(
            "span", sign, formats.money(difference, currency), class_="bad" if entry.state == "unexplained" else "muted"
        )

    return cell


def _day_state(line: LedgerLine) -> Markup:
    words = {"match": _("matches"), "explained": _("explained"), "unexplained": _("differs")}
    mood = {"match": "ok", "explained": "idle", "unexplained": "bad"}
    shown = tag(mood.get(line.state, "bad"), words.get(line.state, line.state))
    if not line.explanations:
        return shown
    known = explanations()
    reasons = ", ".join(known.get(code, code) for code in line.explanations)
    return h("span", shown, h("span", reasons, class_="status"))


def explanations() -> dict[str, str]:
    """Why a day differs, by the code that the reconciliation stores."""
    return {
        reconcile.NO_ACCOUNT_ROW: _("the platform gave no total"),
        reconcile.DIFFERS_FROM_ACCOUNT: _("the campaigns do not add up to the account"),
        reconcile.MORE_THAN_CAMPAIGN: _("more than its campaign"),
        reconcile.DELIVERY_WITHOUT_ROWS["ad_group"]: _("delivery without ad sets"),
        reconcile.DELIVERY_WITHOUT_ROWS["ad"]: _("delivery without ads"),
    }


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
    listed = table.table(columns, data.runs, caption=_("Runs"), key=lambda run: f"run{run.run_id}")
    return h("section", h("div", h("h2", _("Runs")), class_="card-head ruled"), listed, class_="card")


def _window(run: LoggedRun) -> Markup:
    if run.since is None or run.until is None:
        return h("span", _("names and budgets"), class_="keep")
    return h("span", formats.days(run.since, run.until), class_="keep")


def _outcome(run: LoggedRun) -> Markup:
    if run.outcome == "succeeded":
        return tag("ok", _("stored"))
    return h(
        "span",
        tag("bad", _("failed")),
        h("span", run.error_code, class_="status below") if run.error_code else None,
        title=run.error_detail,
    )
