"""What is shown once, over the page: the image for an authenticator app, recovery codes, the token of a key."""

from __future__ import annotations

import re

from markupsafe import Markup

from ui.components import fields
from ui.doors.second_step import qr
from ui.doors.second_step import recovery_codes as listed_codes
from ui.i18n import _
from ui.icons import icon
from ui.markup import Child, h, join


def sheet(title: str, *children: Child, close: str, look: str = "primary") -> Markup:
    """The inside of the dialog. What is shown once is closed by a button that says that it was kept."""
    heading = h("h2", title, id="sheet-title")
    return join(heading, children, h("button", close, type="button", class_=f"btn {look}", data_ends=True))


def authenticator(secret: str, email: str) -> Markup:
    """The image to scan, and the code that shows that it was scanned."""
    form = fields.send_form(
        "/settings/security/authenticator/confirm",
        fields.text(
            "code",
            _("Code"),
            hint=_("The six digits that the app shows now."),
            autocomplete="one-time-code",
            inputmode="numeric",
            maxlength=20,
        ),
        fields.submit(_("Turn it on")),
    )
    steps = h(
        "p",
        _("Scan the image with an authenticator app of your phone: Google Authenticator, 1Password, Aegis or another."),
        class_="muted",
    )
    return sheet(_("Set up a second factor"), steps, qr(secret, email), form, close=_("Cancel"), look="")


def recovery_codes(codes: list[str]) -> Markup:
    text = _("Each of them logs you in once when your phone is lost. They are not shown again.")
    return sheet(
        _("Keep these recovery codes"),
        h("p", text, class_="muted"),
        h("div", listed_codes(codes), id="recovery-codes"),
        _kept("recovery-codes", "adloom-recovery-codes.txt"),
        close=_("I have kept them"),
    )


def new_key(name: str, token: str) -> Markup:
    text = _("This is the only time that the key is shown. Put it where the other system keeps its secrets.")
    return sheet(
        _("The key for {name}").format(name=name),
        h("p", text, class_="muted"),
        h("code", token, class_="token", id="new-key"),
        _kept("new-key", f"adloom-key-{_plain(name)}.txt"),
        close=_("I have kept it"),
    )


def _kept(source: str, file: str) -> Markup:
    copy = h("button", icon("copy"), h("span", _("Copy")), type="button", class_="btn", data_copies=source,
             data_copied=_("Copied"))  # fmt: skip
    download = h("button", icon("download"), _("Download"), type="button", class_="btn", data_downloads=source,
                 data_file=file)  # fmt: skip
    return h("div", copy, download, class_="tools")


def _plain(name: str) -> str:
    """A name that is good for a file."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "key"
