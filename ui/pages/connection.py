"""One connection: the health of its access, what it may do, and which of its accounts are read."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from nicegui import ui
from starlette.requests import Request

from adloom.connections.standing import Reached, Standing
from adloom.platforms.advice import code_in
from ui import formats
from ui.components import counted, fields, platforms, shell, states, told, top
from ui.components.cards import body, card
from ui.components.shell import Crumb
from ui.components.status import tag
from ui.frame import framed
from ui.i18n import _
from ui.icons import icon
from ui.markup import EMPTY, h, join
from ui.pages.connections import (
    ACTIVE,
    PATH,
    ConnectionsPage,
    address,
    ask_somebody,
    kind_words,
    synced_words,
    title_of,
    verb,
)
from ui.pages.settings import dialogs_for
from ui.platform_words import explained, name_of, rights
from ui.reads.connections import OneConnection, one
from ui.services import Services
from ui.standing import Shown, shown


def register(services: Services) -> None:
    @ui.page(PATH + "/{connection_id}")
    async def connection_page(request: Request, connection_id: str) -> None:
        with framed(services, request, ACTIVE, _("Connection"), ConnectionsPage) as page:
            dialogs_for(services, page)
            view = ConnectionView(page)
        await page.live(one(connection_id), view.paint)


class ConnectionView:
    def __init__(self, page: ConnectionsPage) -> None:
        self.page = page
        self.trail = page.region()
        self.trouble = page.region()
        self.health = page.region(states.card_skeleton(2))
        self.accounts = page.region(states.card_skeleton(5))
        self.counted = page.region()
        self.access = page.region()

    def paint(self, data: OneConnection) -> None:
        page, item = self.page, data.standing
        how = shown(item, data.now)
        top.show(page, data.situation, accounts=False, dates=False)
        page.named("title").show(h("h1", item.connected.name, id="content", tabindex="-1"))
        self.trail.show(shell.crumbs([Crumb(_("Connections"), PATH), Crumb(title_of(item), None)]))
        self.trouble.show(_trouble(item, how, page))
        self.health.show(_health(data, how, page))
        self.accounts.show(_accounts(data, page))
        self.counted.show(_counted(data, page))
        self.access.show(_access(item, how) if page.may_connect else EMPTY)


def _trouble(item: Standing, how: Shown, page: ConnectionsPage) -> Markup:
    """What happened, what to do next, and the one button."""
    if not how.needs_somebody:
        return EMPTY
    who = None if page.may_connect or how.verb == "look" else h("p", ask_somebody(), class_="need-text")
    said = h("p", item.connected.broken_detail, class_="need-text quoted") if item.connected.broken_detail else None
    words = h(
        "div",
        h("p", how.happened, class_="need-title"),
        h("p", how.step, class_="need-text"),
        who,
        said,
    )
    sign = h("span", icon("unlink" if how.mood == "bad" else "alert"), class_=f"need-mark {how.mood}")
    button = h("div", verb(item, how, page), class_="need-verb")
    return h(
        "section", h("div", sign, words, button, class_="need with-verb"), class_="card", aria_label=_("Needs you")
    )


def _health(data: OneConnection, how: Shown, page: ConnectionsPage) -> Markup:
    item, now = data.standing, data.situation
    facts: dict[str, Markup] = {
        _("State"): tag(how.mood, how.words),
        _("Platform"): h("span", kind_words(item)),
        _("Access ends"): _ends(item),
        _("Last synced"): synced_words(item, now),
        _("Connected"): h("span", formats.day_with_year(item.connected.connected_at.date())),
    }
    if item.connected.refreshed_at is not None:
        facts[_("Renewed by itself")] = h("span", formats.day_with_year(item.connected.refreshed_at.date()))
    if item.connected.status == "broken" and item.connected.broken_code:
        facts[_("Code of {platform}").format(platform=name_of(item.connected.platform))] = h(
            "code", item.connected.broken_code
        )
    listed = [h("div", h("dt", label), h("dd", shown)) for label, shown in facts.items()]
    ask = None
    if page.may_sync and item.connected.status == "active":
        ask = fields.verb(f"{address(item)}/check", _("Check now"), platform=item.connected.platform)
    head = h("div", h("h2", _("Access")), ask, class_="card-head ruled")
    subscribed = told.told(item.connected.platform, data.subscribed) if item.connected.status == "active" else None
    return h("section", head, h("dl", listed, class_="facts"), _rights(item), subscribed, class_="card", id="access")


def _ends(item: Standing) -> Markup:
    if item.connected.status != "active":
        return h("span", formats.NONE, class_="muted")
    if item.connected.token_expires_at is None:
        return h("span", _("not by itself, only when it is taken back"))
    return h("span", formats.day_with_year(item.connected.token_expires_at.date()))


def _rights(item: Standing) -> Markup:
    """What the person allowed, and what is missing of what is needed; of an access that ended what it was."""
    works = item.connected.status == "active"

    def line(words: str, *, given: bool, needed: bool) -> Markup:
        if given:
            return h("li", tag("ok" if works else "idle", words))
        return h("li", tag("warn", _("{right}: missing").format(right=words))) if needed else EMPTY

    lines = [
        line(
            right.words,
            given=right.is_in(item.connected.scopes),
            needed=not right.extra or right.extra in item.connected.extras,
        )
        for right in rights(item.connected.platform)
    ]
    label = _("What it may do") if works else _("What it was allowed to do")
    return h("ul", h("li", label, class_="label"), lines, class_="right-list")


def _accounts(data: OneConnection, page: ConnectionsPage) -> Markup:
    item, accounts = data.standing, data.accounts
    here = [each for each in accounts if each.lost_at is None]
    title = _("Ad accounts")
    count = formats.count(len(here))
    if not accounts:
        words = _("The ad accounts are being looked up; they appear here by themselves.")
        if item.connected.status != "active":
            words = _("No ad account was ever read by this connection.")
        return card(title, h("div", h("p", words), class_="state"), id_="accounts")
    if not page.may_connect or item.connected.status != "active":
        listed = h("ul", [h("li", _account(each, item)) for each in accounts], class_="account-list")
        return card(title, listed, count=count, id_="accounts")
    return card(title, body(_choice(item, accounts)), count=count, id_="accounts")


def _choice(item: Standing, accounts: Sequence[Reached]) -> Markup:
    boxes = [_box(each, item) for each in accounts]
    future = h(
        "input", type="checkbox", name="future", value="all", checked=item.connected.account_choice == "all" or None
    )
    note = _("What is left out is read no more; its numbers stay here, and come up to date when you choose it again.")
    return fields.send_form(
        f"{address(item)}/accounts",
        h("input", type="hidden", name="platform", value=item.connected.platform),
        h(
            "fieldset",
            h("legend", _("Those with a tick are read")),
            _narrow() if len(accounts) > 1 else None,
            h("div", boxes, class_="boxes tall"),
            class_="choices",
            data_field="accounts",
        ),
        h("label", future, h("span", _("Also read accounts that this log-in comes to see later")), class_="check"),
        h("p", note, class_="muted small"),
        fields.submit(_("Save the choice")),
        class_="form wide",
        id="choice",
    )


def _narrow() -> Markup:
    label = _("Filter accounts")
    box = h("input", type="search", class_="input", placeholder=label, aria_label=label, data_narrows=True)
    every = h("button", _("All shown"), type="button", class_="btn", data_ticks="all")
    none = h("button", _("None shown"), type="button", class_="btn", data_ticks="none")
    return h("div", box, every, none, class_="tools narrow")


def _box(each: Reached, item: Standing) -> Markup:
    box = h(
        "input",
        type="checkbox",
        name="accounts",
        value=str(each.account_id),
        checked=(each.is_chosen and _is_read_here(each, item)) or None,
        disabled=each.lost_at is not None or not _is_read_here(each, item) or None,
    )
    return h("label", box, _account(each, item), class_="check account-line", id=f"account-{each.account_id}")


def _account(each: Reached, item: Standing) -> Markup:
    """Name, what tells it apart, and how it is; an error with what to do."""
    under = " · ".join((each.external_id, each.currency, each.timezone.replace("_", " ")))
    mood, words, more = _state(each, item)
    said = h("span", more, class_="under") if more else None
    return join(
        h("span", h("span", each.name, class_="plain"), h("span", under, class_="under"), said, class_="account-name"),
        tag(mood, words),
    )


def _is_read_here(each: Reached, item: Standing) -> bool:
    """By this connection, not by another that reaches it too."""
    return each.read_by == item.connected.connection_id


def _state(each: Reached, item: Standing) -> tuple[str, str, str]:
    """A dot's colour, the state, and what to do about it."""
    platform = item.connected.platform
    if each.lost_at is not None:
        return "warn", _("left the access"), explained(platform, "account_inaccessible", "empty").step
    if not _is_read_here(each, item):
        return "idle", _("read by {name}").format(name=each.read_by_name), ""
    if each.is_chosen and each.trouble is not None:
        said = explained(platform, each.trouble.code, code_in(each.trouble.said))
        return "warn", _("cannot be synced"), f"{said.happened} {said.step}"
    if item.connected.status != "active":
        words = _("stands still")
    elif not each.is_chosen:
        words = _("left out")
    elif each.last_synced_at is None:
        words = _("first sync runs")
    else:
        return "ok", _("synced"), ""
    return "idle", words, ""


def _counted(data: OneConnection, page: ConnectionsPage) -> Markup:
    """For whoever may change it, of the accounts that are read."""
    item = data.standing
    here = [each for each in data.accounts if each.is_chosen and each.lost_at is None and _is_read_here(each, item)]
    if not page.may_sync or item.connected.status == "revoked" or not here:
        return EMPTY
    return counted.counted(item.connected.platform, here, page.params, page.path)


def _access(item: Standing, how: Shown) -> Markup:
    """Connecting again and taking back."""
    name = name_of(item.connected.platform)
    again = h(
        "div",
        h("p", _("Connect again when {platform} asks for it, or to give other rights. The numbers stay.").format(
            platform=name), class_="muted small"),
        platforms.reconnect_form(item.connected.connection_id, item.connected.platform, quiet=True),
        class_="access-part",
    )  # fmt: skip
    if item.connected.status == "revoked":
        return card(_("Connect again"), body(again))
    out = h(
        "div",
        h("p", _("Adloom gives the access back to {platform} and forgets its key. The accounts are read no more; the "
                 "numbers that are here stay.").format(platform=name), class_="muted small"),
        fields.button(
            f"{address(item)}/disconnect",
            _("Disconnect"),
            sure=_("Disconnect {name} from {platform}? Its accounts are read no more; the numbers stay.").format(
                name=item.connected.name, platform=name),
            bad=True,
            platform=item.connected.platform,
        ),
        class_="access-part",
    )  # fmt: skip
    if how.verb == "reconnect":
        return card(_("Disconnect"), body(out))
    return card(_("Connect again or disconnect"), body(again, out))
