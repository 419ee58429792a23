"""Days that failed again and again and are not read for now."""

from __future__ import annotations

from markupsafe import Markup

from adloom.errors import Actor
from adloom.metrics.set_aside import SetAside
from adloom.platforms.advice import code_in
from ui import formats
from ui.components import table
from ui.components.cards import card
from ui.components.split import swatch
from ui.components.table import Column
from ui.i18n import _, _n
from ui.markup import EMPTY, h
from ui.params import Params
from ui.platform_words import explained
from ui.reads.ledger import Ledger

# The newest of each account come first; one that fails throughout has a line in the list of accounts, too.
MOST_SHOWN = 15


def aside(data: Ledger, params: Params, path: str) -> Markup:
    """Days of any account, what happened and when they are tried again; nothing where there are none."""
    now = data.situation
    accounts = {item.account_id: item for item in now.accounts}
    found = [each for each in data.aside if each.account_id in accounts]
    if not found:
        return EMPTY

    def name(each: SetAside) -> Markup:
        item = accounts[each.account_id]
        link = h("a", item.name, href=params.but(account=item.account_id).address(path), data_here=True)
        return h("span", swatch(item.platform), h("span", link, class_="entity-text"), class_="entity")

    def happened(each: SetAside) -> Markup:
        said = explained(accounts[each.account_id].platform, each.error_code, code_in(each.error_detail))
        step = h("span", said.step, class_="under") if said.acts is not Actor.NOBODY else None
        return h("span", said.happened, step, title=each.error_detail)

    def days(each: SetAside) -> Markup:
        at = _("since {time}").format(time=formats.moment(each.at, now.zone, now.today))
        return h("span", formats.days(each.since, each.until), h("span", at, class_="under"), class_="keep")

    columns = [
        Column[SetAside](_("Account"), name, name=True),
        Column[SetAside](_("Days"), days, left=True),
        Column[SetAside](_("What happened"), happened, left=True, wide=True),
    ]
    listed = table.table(
        columns,
        found[:MOST_SHOWN],
        caption=_("Days that were set aside"),
        key=lambda each: f"aside-{each.account_id}-{each.until.isoformat()}",
    )
    words = _("Reading these days failed again and again, so the days behind them go first. They are tried again every "
              "night; what is stored of them stays as it is until then.")  # fmt: skip
    rest = len(found) - MOST_SHOWN
    more = _n("{count} more is not shown", "{count} more are not shown", rest).format(count=formats.count(rest))
    note = h("p", more, class_="hint last") if rest > 0 else None
    return card(_("Days that were set aside"), h("p", words, class_="hint"), listed, note,
                count=formats.count(len(found)), id_="aside")  # fmt: skip
