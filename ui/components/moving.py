"""How an account's past days moved: how late they still change, and what each of them said before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from decimal import Decimal

from markupsafe import Markup

from adloom.metrics.health import Account
from adloom.metrics.restatement import Change, Lateness
from ui import formats
from ui.components import table
from ui.components.cards import card
from ui.components.table import Column
from ui.i18n import _, _n
from ui.markup import EMPTY, h
from ui.platform_words import name_of


def lateness(found: Sequence[Lateness], account: Account) -> Markup:
    """How much of a day usually still changes how late: this account's own history."""
    if not found:
        return EMPTY
    columns = [
        Column[Lateness](_("Later than"), lambda each: _after(each.after_days), left=True, name=True),
        Column[Lateness](_("Days watched"), lambda each: formats.count(each.days), wide=True),
        Column[Lateness](_("Days that changed"), lambda each: _share(each.share_of_days)),
        Column[Lateness](_("Spend moved"), lambda each: _share(each.share_of_spend)),
        Column[Lateness](_("Conversions moved"), lambda each: _share(each.share_of_conversions), wide=True),
    ]
    note = _("What this account's days of the chosen range still changed by, after they were over. Numbers of the "
             "last days are provisional until {platform} stops changing them.")  # fmt: skip
    listed = table.table(columns, found, caption=_("How late days change"), key=lambda each: f"late{each.after_days}")
    words = h("p", note.format(platform=name_of(account.platform)), class_="hint")
    return card(_("How late days change"), words, listed, count=account.name)


def _after(days: int) -> str:
    if not days:
        return _("the day itself")
    return _n("{count} day after", "{count} days after", days).format(count=formats.count(days))


def _share(value: Decimal | None) -> str:
    """0.4 %; nothing known."""
    if value is None:
        return formats.NONE
    if 0 < value < Decimal("0.01"):
        return _("under 1 %")
    return formats.percent(value * 100)


def changes(found: Sequence[Change], zone: tzinfo, account: Account) -> Markup:
    """What was restated, the latest first."""
    if not found:
        return EMPTY
    today = account.today
    columns = [
        Column[Change](_("Day"), lambda each: formats.weekday(each.day), left=True),
        Column[Change](
            _("Changed"),
            lambda each: h(
                "span",
                formats.moment(each.changed_at, zone, today),
                h("span", _after(each.days_after), class_="under"),
            ),
            left=True,
            wide=True,
        ),
        Column[Change](
            _("Spend"), lambda each: _moved(each.before.spend, each.after.spend if each.after else None, account)
        ),
        Column[Change](
            _("Conv."),
            lambda each: _counted(each.before.conversions, each.after.conversions if each.after else None),
            wide=True,
        ),
        Column[Change](_("Run"), lambda each: h("span", str(each.replaced_by_run_id), class_="muted"), roomy=True),
    ]
    listed = table.table(
        columns,
        found,
        caption=_("Changed afterwards"),
        key=lambda each: f"change{each.day.isoformat()}-{each.run_id}-{each.replaced_by_run_id}",
    )
    words = h("p", _("The account's total as the platform said it, and what it said later."), class_="hint")
    return card(_("Changed afterwards"), words, listed, count=account.name)


def _moved(before: Decimal | None, after: Decimal | None, account: Account) -> Markup:
    old = formats.money(before, account.currency)
    new = formats.money(after, account.currency)
    if old == new:
        return h("span", new)
    return h("span", h("span", old, class_="muted"), " → ", new, class_="keep")


def _counted(before: Decimal | None, after: Decimal | None) -> Markup:
    old, new = formats.count(before), formats.count(after)
    if old == new:
        return h("span", new)
    return h("span", h("span", old, class_="muted"), " → ", new, class_="keep")
