"""The ledger: each day of an account against the platform's own total, and the days that nothing explains."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from markupsafe import Markup

from adloom.metrics import reconcile
from adloom.metrics.health import Account, DifferingDay
from ui import formats
from ui.components import table
from ui.components.cards import card
from ui.components.split import swatch
from ui.components.status import tag
from ui.components.table import Column
from ui.i18n import _
from ui.markup import EMPTY, h
from ui.params import Params
from ui.platform_words import level_labels, name_of
from ui.reads.ledger import Ledger, LedgerLine


def differing(data: Ledger, params: Params, path: str) -> Markup:
    """Days of any account that differ from the platform's total for no known reason; each leads to its ledger."""
    accounts = {item.account_id: item for item in data.situation.accounts}
    found = [day for day in data.differing if day.account_id in accounts]
    if not found:
        return EMPTY

    def name(day: DifferingDay) -> Markup:
        item = accounts[day.account_id]
        link = h("a", item.name, href=params.but(account=item.account_id).address(path), data_here=True)
        return h("span", swatch(item.platform), h("span", link, class_="entity-text"), class_="entity")

    def levels(day: DifferingDay) -> str:
        names = {"account": _("Account")} | level_labels({accounts[day.account_id].platform})
        return ", ".join(names[each] for each in names if each in day.levels)

    def money(value: Decimal | None, day: DifferingDay) -> str:
        return formats.money(value, accounts[day.account_id].currency)

    columns = [
        Column[DifferingDay](_("Account"), name, name=True),
        Column[DifferingDay](_("Day"), lambda day: _weekday(day.day), left=True),
        Column[DifferingDay](_("Platform's total"), lambda day: money(day.total, day), roomy=True),
        Column[DifferingDay](_("Stored"), lambda day: money(day.stored, day), roomy=True),
        Column[DifferingDay](_("Differs by"), lambda day: _by(day, accounts[day.account_id].currency)),
        Column[DifferingDay](_("Levels"), levels, left=True, wide=True),
    ]
    listed = table.table(
        columns,
        found,
        caption=_("Differences without an explanation"),
        key=lambda day: f"differs-{day.account_id}-{day.day.isoformat()}",
    )
    words = _("These days are read again every night. A difference that stays is worth a look at the platform itself.")
    return card(_("Differences without an explanation"), h("p", words, class_="hint"), listed,
                count=formats.count(len(found)))  # fmt: skip


def days(data: Ledger, account: Account) -> Markup:
    """Per day: the platform's total and how each level of our rows compares with it."""
    levels = level_labels({account.platform})
    columns = [
        Column[LedgerLine](_("Day"), lambda line: _weekday(line.day), left=True),
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
        Column[LedgerLine](_("Good to know"), lambda line: _reasons(line, account), left=True, wide=True),
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


def _weekday(day: date) -> Markup:
    return h("span", formats.weekday(day), class_="keep")


def _by(day: DifferingDay, currency: str) -> Markup:
    """At the widest level that differs; spend may agree where other numbers do not."""
    difference = day.stored - (day.total or Decimal(0))
    if not difference:
        return h("span", _("not in spend"), class_="muted")
    return h("span", "+" if difference > 0 else "", formats.money(difference, currency), class_="bad")


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
    return tag(mood.get(line.state, "bad"), words.get(line.state, line.state))


def _reasons(line: LedgerLine, account: Account) -> Markup:
    """Why it differs, and whether it may still move."""
    known = explanations(account.platform)
    reasons = [known.get(code, code) for code in line.explanations]
    if line.day >= account.provisional_since:
        reasons.insert(0, _("provisional"))
    return h("span", ", ".join(reasons) or formats.NONE, class_="muted small")


def explanations(platform: str) -> dict[str, str]:
    """Why a day of the platform differs, by the code that the reconciliation stores."""
    no_groups = _("delivery without ad sets") if platform == "meta" else _("delivery without ad groups")
    return {
        reconcile.NO_ACCOUNT_ROW: _("the platform gave no total"),
        reconcile.DIFFERS_FROM_ACCOUNT: _("the campaigns do not add up to the account"),
        reconcile.MORE_THAN_CAMPAIGN: _("more than its campaign"),
        reconcile.RESTATED: _("the platform changed it while it was read"),
        reconcile.TRUNCATED: _("the platform cut its answer"),
        reconcile.ROUNDED: _("the last digit is rounded by the platform"),
        reconcile.DELIVERY_WITHOUT_ROWS["ad_group"]: no_groups,
        reconcile.DELIVERY_WITHOUT_ROWS["ad"]: _("delivery without ads"),
    }
