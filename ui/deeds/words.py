"""What routes refuse, in plain words and in the visitor's language."""

from __future__ import annotations

from dataclasses import dataclass, field

from ui import refusals
from ui.gateway import Answer
from ui.i18n import _
from ui.platform_words import PLATFORM_CODES, explained

_WRONG_FIELDS, _TOO_MANY, _SERVER_ERROR, _FORBIDDEN, _NOT_FOUND = 422, 429, 500, 403, 404


@dataclass(frozen=True)
class Problem:
    """On top of the form, and at its fields by their names."""

    words: str
    fields: dict[str, str] = field(default_factory=dict)


def stale() -> str:
    return _("This page was open for too long. Reload it and try again.")


def unavailable() -> str:
    return _("That did not work: Adloom does not answer. Nothing was lost; try again in a minute.")


def refusal(answer: Answer, platform: str = "") -> Problem:
    """What to say of an answer that was not what we hoped for; `platform` is the ad platform that it was about."""
    if platform and answer.code in PLATFORM_CODES:
        said = explained(platform, answer.code)
        return Problem(f"{said.happened} {said.step}")
    if answer.status >= _SERVER_ERROR:
        return Problem(unavailable())
    if answer.status == _WRONG_FIELDS:
        return _wrong_fields(answer)
    return _known(answer.code) or Problem(_of_status(answer.status) or answer.detail or unavailable())


def _of_status(status: int) -> str | None:
    return {
        _TOO_MANY: refusals.too_many(),
        _FORBIDDEN: _("Your role does not allow that. An administrator can do it."),
        _NOT_FOUND: _("That is not there any more. Reload the page."),
    }.get(status)


def _known(code: str) -> Problem | None:
    at_field = {
        "wrong_password": ("current", _("That is not your password.")),
        "wrong_code": ("code", _("That code is wrong, or was used already. Wait for the next one.")),
        "no_password": ("current", refusals.no_password()),
        "code_needed": ("code", _("Please give a code that your authenticator app shows now.")),
        "email_taken": ("email", _("There is an account of this address already.")),
        "already_member": ("email", _("This address belongs to a member already.")),
        "role_above": ("role", _("You cannot give a role above your own, and only an owner changes an owner.")),
        "not_a_system_user": (
            "token",
            _("This is the token of a person. Paste one of a system user, or connect by logging in."),
        ),
        "account_outside": ("accounts", _("These are accounts that you do not have yourself.")),
    }
    if code in at_field:
        name, words = at_field[code]
        return Problem(words, {name: words})
    on_top = {
        "codes_locked": _("Too many wrong codes. Use a recovery code, or wait up to an hour."),
        "mail_off": _("No mails are sent here: the operator has set up none. Ask the person who looks after Adloom."),
        "last_owner": _("An organisation keeps an owner: make somebody else one first."),
        "own_membership": _("Nobody changes the own membership; another administrator can."),
        "not_at_home": _("This person's log-in belongs to another organisation: only there it can be reset."),
        "mfa_required": _("Your role asks for a second factor. You can set up another one."),
        "mfa_needed": _("Your role there asks for a second factor. Set one up here first, then switch."),
        "mfa_off": _("There is no second factor. Set one up first."),
        "nothing_pending": _("The set-up took too long. Start it again."),
        "invite_instead": _("Invite people here: registration is open."),
        "too_many_keys": _("There are too many keys already. Revoke one that nobody needs."),
        "role_too_low": _("These scopes need a higher role than yours."),
        "last_way": _("You have no password: without this identity you could not log in any more."),
        "identity_taken": _("This identity is linked with another account already."),
        "connection_ended": _("This connection was ended before. Connect again."),
        "no_member": _("You are no member there any more."),
    }
    return Problem(on_top[code]) if code in on_top else None


def _wrong_fields(answer: Answer) -> Problem:
    """Every field that is wrong, in words of ours."""
    fields = {_name(path): problem for path, problem in refusals.faults(answer)}
    said = {name: _field_words(name, problem) for name, problem in fields.items() if name}
    return Problem(refusals.wrong_fields(), said)


def _name(path: str) -> str:
    """`body.accounts.0` is about the field `accounts`."""
    parts = path.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def _field_words(name: str, problem: str) -> str:
    if name == "password":
        return refusals.password_rule(problem)
    known = {
        "email": _("That is no e-mail address."),
        "name": _("Between 1 and 200 characters, please."),
        "code": _("Please give a code that your authenticator app shows now."),
        "current": _("Please give your password."),
        "accounts": _("Choose at least one account."),
        "scopes": _("Choose at least one."),
        "days": _("Between 1 and 366 days, please."),
        "per_minute": _("Between 1 and 1,000, please."),
        "role": _("Choose a role."),
        "token": _("That is no token."),
    }
    return known.get(name, _("This cannot be right."))
