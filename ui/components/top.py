"""The top line and the navigation as they stand for what the page shows now."""

from __future__ import annotations

from typing import Any

from ui.components import shell
from ui.components.status import trust_line
from ui.i18n import _
from ui.markup import join
from ui.page import Page
from ui.reads.situation import Situation


def show(page: Page[Any], now: Situation, *, accounts: bool = True, dates: bool = True) -> None:
    """Trust line, menus and links follow the page's state."""
    if now.unknown_account:
        page.notes.append(_("That account is not known. All accounts are shown."))
    quiet = not now.needs
    page.named("trust").show(trust_line(now.trust, now.zone, now.today, quiet=quiet, name_zone=now.several_zones))
    account_menu = shell.account_menu(now.accounts, page.params, page.path) if accounts else None
    range_menu = shell.range_menu(page.params, now.dates, page.path) if dates and now.accounts else None
    page.named("controls").show(join(account_menu, range_menu))
    page.named("sidebar").show(shell.sidebar(page.visit.active, page.params, sandbox=page.services.sandbox))
    page.named("tabs").show(shell.tabs(page.visit.active, page.params))
