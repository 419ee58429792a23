"""Ad platforms on pages: their marks, and the buttons that connect them."""

from __future__ import annotations

from uuid import UUID

from markupsafe import Markup

from ui.components import fields
from ui.i18n import _
from ui.icons import icon
from ui.markup import h
from ui.platform_words import PLATFORMS, name_of

CONNECT = "/connections/connect"


def mark(platform: str) -> Markup:
    """The platform's sign on a ground of its colour."""
    known = platform if platform in PLATFORMS else "plug"
    return h("span", icon(known), class_=f"platform-mark of-{known}", aria_hidden="true")


def connect_label(platform: str) -> str:
    return _("Connect {platform}").format(platform=name_of(platform))


def connect_acts(*, primary: bool) -> Markup:
    """A button per platform, for pages that have no forms."""
    classes = "btn primary" if primary else "btn"
    buttons = [
        h("button", connect_label(each), type="button", class_=classes, data_act="connect", data_about=each)
        for each in PLATFORMS
    ]
    return h("div", buttons, class_="tools")


def connect_choice(*, primary: bool) -> Markup:
    """The three platforms, each with what one needs for it and its button."""
    words = {
        "google": _("The Google log-in with which you open Google Ads. Accounts below a manager account come along."),
        "meta": _("The Facebook log-in that sees your ad accounts in Meta's business suite."),
        "tiktok": _("The TikTok for Business log-in. You choose there which advertisers Adloom may read."),
    }
    return h("div", [_tile(each, words[each], primary=primary) for each in PLATFORMS], class_="platform-choice")


def _tile(platform: str, words: str, *, primary: bool) -> Markup:
    return h(
        "div",
        h("div", mark(platform), h("h3", name_of(platform)), class_="platform-line"),
        h("p", words, class_="muted small"),
        connect_form(platform, primary=primary),
        class_="platform-tile",
    )


def reconnect_form(
    connection_id: UUID, platform: str, *, small: bool = False, quiet: bool = False, about: str = ""
) -> Markup:
    """The same for a connection that is there: it stays the same one, with its accounts and their numbers."""
    action = f"/connections/{connection_id}/reconnect"
    label = _("Connect {platform} again").format(platform=name_of(platform))
    if small:
        return fields.verb(action, label, about=about, platform=platform)
    return fields.button(action, label, primary=not quiet, platform=platform)


def connect_form(platform: str, *, primary: bool) -> Markup:
    """One button that leads to the platform's log-in, and what may be wished for before."""
    leads = _wish("extras", "leads", _("Also receive leads of forms")) if platform == "meta" else None
    return fields.send_form(
        CONNECT,
        h("input", type="hidden", name="platform", value=platform),
        _wish("accounts", "chosen", _("Let me choose the accounts first")),
        leads,
        h("button", connect_label(platform), type="submit", class_="btn primary" if primary else "btn"),
        class_="connect-form",
    )


def _wish(name: str, value: str, words: str) -> Markup:
    return h("label", h("input", type="checkbox", name=name, value=value), h("span", words), class_="check")


def token_form() -> Markup:
    """Meta's way for machines: a token that an administrator makes there, which belongs to no person."""
    return fields.send_form(
        "/connections/token",
        h(
            "p",
            _("In the business settings of Meta, make a system user, give it the ad accounts, and generate a token "
              "with the right ads_read. It does not end when a person leaves."),
            class_="muted small",
        ),
        h("input", type="hidden", name="platform", value="meta"),
        fields.secret("token", _("Token of the system user"), "off"),
        _wish("accounts", "chosen", _("Let me choose the accounts first")),
        fields.submit(_("Connect Meta by this token"), primary=False),
        data_clears=True,
    )  # fmt: skip
