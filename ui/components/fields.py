"""Forms of the settings: their fields, and the ways to send them. `static/desk.js` sends what is marked `data-send`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from adloom.identity.roles import ROLES, Role, includes
from adloom.metrics.health import Account
from ui.components.split import swatch
from ui.i18n import _
from ui.icons import icon
from ui.markup import Attribute, Child, h

# From here on a list of accounts has a filter.
_MANY_ACCOUNTS = 10


def send_form(action: str, *children: Child, class_: str = "form", **attributes: Attribute) -> Markup:
    """A form that is sent while the page stays."""
    return h("form", *children, method="post", action=action, class_=class_, data_send=True, **attributes)


def submit(label: str, *, primary: bool = True, mark: str = "") -> Markup:
    shown = icon(mark) if mark else None
    return h("button", shown, label, type="submit", class_="btn primary" if primary else "btn")


def verb(action: str, label: str, *, sure: str = "", about: str = "", bad: bool = False, **hidden: str) -> Markup:
    """One button of a row or a card. `sure` is asked before; `about` tells screen readers which row it is."""
    more = h("span", " ", about, class_="only-read") if about else None
    button = h("button", label, more, type="submit", class_="verb bad" if bad else "verb")
    kept = [h("input", type="hidden", name=name, value=value) for name, value in hidden.items()]
    return send_form(action, kept, button, class_="verb-form", data_sure=sure or None, data_sure_verb=label)


def button(
    action: str, label: str, *, sure: str = "", bad: bool = False, primary: bool = False, **hidden: str
) -> Markup:
    """One button, as large as buttons are."""
    classes = "btn primary" if primary else "btn danger" if bad else "btn"
    made = h("button", label, type="submit", class_=classes)
    kept = [h("input", type="hidden", name=name, value=value) for name, value in hidden.items()]
    return send_form(action, kept, made, class_="verb-form", data_sure=sure or None, data_sure_verb=label)


def text(name: str, label: str, *, hint: str = "", kind: str = "text", value: str = "", **how: Attribute) -> Markup:
    """A labelled field; `how` are attributes of the input."""
    attributes: dict[str, Attribute] = {"autocomplete": "off", "required": True, **how}
    described = f"hint-{name}" if hint else None
    box = h(
        "input",
        type=kind,
        name=name,
        value=value or None,
        class_="input",
        aria_describedby=described,
        **attributes,
    )
    small = h("small", hint, class_="muted", id=described) if hint else None
    return h("div", h("label", label, box, class_="field"), small, class_="field-group")


def secret(name: str, label: str, complete: str, *, hint: str = "") -> Markup:
    return text(name, label, hint=hint, kind="password", autocomplete=complete)


def select(name: str, label: str, options: Mapping[str, str], chosen: str) -> Markup:
    items = [
        h("option", shown, value=value, selected=True if value == chosen else None) for value, shown in options.items()
    ]
    box = h("select", items, name=name, class_="input")
    return h("div", h("label", label, box, class_="field"), class_="field-group")


def role_names() -> dict[Role, str]:
    return {
        "viewer": _("Viewer"),
        "editor": _("Editor"),
        "approver": _("Approver"),
        "admin": _("Administrator"),
        "owner": _("Owner"),
    }


def role_words() -> dict[Role, str]:
    """What each role is for, in a sentence."""
    return {
        "viewer": _("Sees the numbers of the accounts that are open to them, and changes nothing."),
        "editor": _("Sees, syncs, and prepares what is not live yet: drafts of copy, campaigns and reports."),
        "approver": _("Sees, and lets changes go live that somebody else has prepared."),
        "admin": _("All of that, and manages connections, members and API keys, and reads the audit trail."),
        "owner": _("Everything, owners included. An organisation always keeps one."),
    }


def role_select(mine: Role, chosen: Role) -> Markup:
    """The roles that somebody of this role may give."""
    names = role_names()
    return select("role", _("Role"), {role: names[role] for role in ROLES if includes(mine, role)}, chosen)


def account_choice(accounts: Sequence[Account], chosen: Sequence[int] | None, *, all_words: str) -> Markup:
    """All accounts, or some of them; `chosen` None is all."""
    everything = _radio("all", all_words, on=chosen is None)
    some = _radio("some", _("Only these:"), on=chosen is not None)
    boxes = [_account_box(account, on=chosen is not None and account.account_id in chosen) for account in accounts]
    empty = h("p", _("No ad account is connected yet."), class_="muted") if not accounts else None
    filtering = _accounts_filter() if len(accounts) > _MANY_ACCOUNTS else None
    listed = h("div", filtering, h("div", boxes, class_="boxes"), empty, class_="some-accounts")
    return h(
        "fieldset", h("legend", _("Ad accounts")), everything, some, listed, class_="choices", data_field="accounts"
    )


def _radio(value: str, label: str, *, on: bool) -> Markup:
    box = h("input", type="radio", name="scope", value=value, checked=on or None)
    return h("label", box, h("span", label), class_="check")


def _account_box(account: Account, *, on: bool) -> Markup:
    box = h("input", type="checkbox", name="accounts", value=str(account.account_id), checked=on or None)
    return h("label", box, swatch(account.platform), h("span", account.name), class_="check")


def _accounts_filter() -> Markup:
    label = _("Filter accounts")
    return h("input", type="search", class_="input", placeholder=label, aria_label=label, data_narrows=True)
