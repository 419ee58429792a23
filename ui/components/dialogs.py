"""The dialogs of the settings, closed until `static/desk.js` needs them."""

from __future__ import annotations

from markupsafe import Markup

from ui.components import fields
from ui.deeds.words import unavailable
from ui.i18n import _
from ui.markup import h, join


def dialogs(email: str) -> Markup:
    """The proof of who it is, the question whether one is sure, and the sheet for what is shown once."""
    return join(_step_up(email), _sure(), h("dialog", id="sheet", class_="dialog", aria_labelledby="sheet-title"))


def _step_up(email: str) -> Markup:
    form = h(
        "form",
        h("h2", _("Confirm that it is you"), id="step-up-title"),
        h("p", _("What comes next changes who or what has access. Please say your password again."), class_="muted"),
        # For password managers: whose password it is.
        h("input", type="hidden", name="email", value=email, autocomplete="username"),
        fields.secret("current", _("Password"), "current-password"),
        h(
            "div",
            fields.text("code", _("Code of your authenticator app"), autocomplete="one-time-code", maxlength=40),
            id="step-up-code",
        ),
        h("div", _cancel(), fields.submit(_("Confirm")), class_="tools end"),
        class_="form",
        method="post",
        action="/settings/step-up",
    )
    return h("dialog", form, id="step-up", class_="dialog", aria_labelledby="step-up-title")


def _sure() -> Markup:
    form = h(
        "form",
        h("p", id="sure-words"),
        h("div", _cancel(), h("button", type="submit", class_="btn danger", id="sure-verb"), class_="tools end"),
        class_="form",
        method="dialog",
    )
    return h("dialog", form, id="sure", class_="dialog", aria_labelledby="sure-words")


def _cancel() -> Markup:
    return h("button", _("Cancel"), type="button", class_="btn", data_ends=True)


def says() -> Markup:
    """Where the page tells what came of a form."""
    return h(
        "p",
        class_="note",
        role="status",
        id="says",
        data_unreachable=unavailable(),
    )
