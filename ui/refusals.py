"""Words for what routes refuse that forms before a log-in and forms inside have in common."""

from __future__ import annotations

from ui.gateway import Answer
from ui.i18n import _


def too_many() -> str:
    return _("Too many attempts. Wait a minute, then try again.")


def wrong_fields() -> str:
    return _("Please look at what you have written: something in it cannot be right.")


def no_password() -> str:
    """For whoever is asked to prove with a password who they are."""
    return _(
        "You log in by a provider and have no password yet. Log out and choose one by “Forgotten your password?”, "
        "then come back."
    )


def password_rule(problem: str) -> str:
    """The rule of passwords that was broken; `problem` is what `auth` says of it."""
    if "first that anybody tries" in problem:
        return _("This password is among the first that anybody tries. Choose another one.")
    if "does not contain" in problem:
        return _("Choose a password without your name, your e-mail address or Adloom's name.")
    return _("A password has 12 to 128 characters.")


def faults(answer: Answer) -> list[tuple[str, str]]:
    """Which fields are wrong, by their paths, and why."""
    said = answer.body.get("fields")
    found = [fault for fault in said if isinstance(fault, dict)] if isinstance(said, list) else []
    return [(str(fault.get("field", "")), str(fault.get("problem", ""))) for fault in found]
