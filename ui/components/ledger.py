"""The ledger: each day of an account against the platform's own total, and the days that nothing explains."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from adloom.metrics import reconcile
from adloom.metrics.health import Account, LedgerDay
from ui import formats
from ui.components import table
from ui.components.cards import card
from ui.components.split import swatch
from ui.components.status import tag
from ui.components.table import Column
from ui.i18n import _
from ui.markup import EMPTY, h
from ui.params import Params
from ui.platform_words import name_of
from ui.reads.ledger import Ledger, LedgerLine


def level_names(platform: str) -> dict[str, str]:
    """The levels as the platform calls them."""
    groups = _("Ad sets") if platform == "meta" else _("Ad groups")
    return {"campaign": _("Campaigns"), "ad_group": groups, "ad": _("Ads")}


def differing(data: Ledger, params: Params, path: str) -> Markup:
    """Days of any account that differ from the platform's total for no known reason; each leads to its ledger."""
    accounts = {item.account_id: item for item in data.situation.accounts}
    found = [day for day in data.differing if day.account_id in accounts]
    if not found:
        return EMPTY

    def name(day: LedgerDay) -> Markup:
        item = accounts[day.account_id]
        link = h("a", item.name, href=params.but(account=item.account_id).address(path), data_here=True)
        return h("span", swatch(item.platform), h("span", link, class_="entity-text"), class_="entity")

    def level(day: LedgerDay) -> str:
        names = {"account": _("Account")} | level_names(accounts[day.account_id].platform)
        return names.get(day.level, day.level)

    columns = [
        Column[LedgerDay](_("Account"), name, name=True),
        Column[LedgerDay](_("Day"), lambda day: formats.weekday(day.day), left=True),
        Column[LedgerDay](_("Level"), level, left=True, wide=True),
        Column[LedgerDay](
            _("Stored"), lambda day: formats.money(day.spend, accounts[day.account_id].currency), wide=True
        ),
        Column[LedgerDay](
            _("Why it is shown"),
            lambda day: explanations().get(day.explanation or "", day.explanation or formats.NONE),
            left=True,
            roomy=True,
        ),
    ]
    listed = table.table(
        columns,
        found,
        caption=_("Differences without an explanation"),
        key=lambda day: f"differs-{day.account_id}-{day.day.isoformat()}-{day.level}",
    )
    words = _("These days are read again every night. A difference that stays is worth a look at the platform itself.")
    return card(_("Differences without an explanation"), h("p", words, class_="hint"), listed,
                count=formats.count(len(found)))  # fmt: skip


def days(data: Ledger, account: Account) -> Markup:
    """Per day: the platform's total and how each level of our rows compares with it."""
    levels = level_names(account.platform)
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
        Column[LedgerLine](_("Compared"), lambda line: _day_state(line, account), left=True),
    ]
    title = h("h2", _("Ledger"), h("span", account.name, class_="count"))
    words = _("Every day's spend, as {platform} says it for the account, against the sums of what is stored here.")
    name = name_of(account.platform)
    moving = _("Days from {day} on are provisional: {platform} still changes them.").format(
        day=formats.day(account.provisional_since), platform=name
    )
    note = h("p", words.format(platform=name), " ", moving, class_="hint")
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


def _day_state(line: LedgerLine, account: Account) -> Markup:
    words = {"match": _("matches"), "explained": _("explained"), "unexplained": _("differs")}
    mood = {"match": "ok", "explained": "idle", "unexplained": "bad"}
    shown = tag(mood.get(line.state, "bad"), words.get(line.state, line.state))
    known = explanations()
    reasons = [known.get(code, code) for code in line.explanations]
    if line.day >= account.provisional_since:
        reasons.insert(0, _("provisional"))
    return h("span", shown, h("span", ", ".join(reasons), class_="status")) if reasons else shown


def explanations() -> dict[str, str]:
    """Why a day differs, by the code that the reconciliation stores."""
    return {
        reconcile.NO_ACCOUNT_ROW: _("the platform gave no total"),
        reconcile.DIFFERS_FROM_ACCOUNT: _("the campaigns do not add up to the account"),
        reconcile.MORE_THAN_CAMPAIGN: _("more than its campaign"),
        reconcile.DELIVERY_WITHOUT_ROWS["ad_group"]: _("delivery without ad sets"),
        reconcile.DELIVERY_WITHOUT_ROWS["ad"]: _("delivery without ads"),
    }
