"""The causes of an ad platform's errors, in words: who acts, by which button, what happened, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from adloom.errors import Actor

Cause = str
# The one button that mends it: connecting again, choosing accounts anew, trying again; nothing that could be pressed.
Remedy = Literal["reconnect", "choose", "retry", "none"]


def said(text: str) -> str:
    """Marks a text for the dashboard's catalogues."""
    return text


_USER, _OPERATOR, _NOBODY, _DEVELOPER = Actor.USER, Actor.OPERATOR, Actor.NOBODY, Actor.DEVELOPER

_BY_ITSELF = said("Nothing to do: it is tried again by itself.")
_AGAIN = said("Connect {platform} again. Nothing is lost: the days in between are read afterwards.")
_IN_THE_APP = said(
    "Whoever runs this installation puts the app's set-up at {platform} right. Then it goes on by itself."
)
_TELL = said("Tell whoever runs this installation, with the platform's own words below. Other accounts go on.")

# Who acts, by which button, what happened, what to do.
CAUSES: Mapping[Cause, tuple[Actor, Remedy, str, str]] = {
    # The access of a connection.
    "access_ended": (
        _USER, "reconnect",
        said("{platform} does not accept Adloom's access any more: it was taken back there, or has run out."), _AGAIN,
    ),
    "access_expired": (_USER, "reconnect", said("The access to {platform} has run out."), _AGAIN),
    "app_removed": (
        _USER, "reconnect", said("Adloom was taken out of the apps of the person who connected it."), _AGAIN,
    ),
    "password_changed": (
        _USER, "reconnect",
        said("The person who connected has another password at {platform} by now, which ends the access of apps."),
        _AGAIN,
    ),
    "checkpoint": (
        _USER, "reconnect",
        said("{platform} wants the person who connected to confirm first that it is they."),
        said("That person logs in at {platform} and does what is asked there. Then connect again."),
    ),
    "role_lost": (
        _USER, "reconnect",
        said("The person who connected has no role at this page or business of {platform} any more."),
        said("Give them the role again at {platform}, or connect as somebody who has it."),
    ),
    "second_factor": (
        _USER, "reconnect",
        said("{platform} asks the person who connected for a second factor, which they have not set up."),
        said("That person sets it up at {platform}. Then connect again."),
    ),
    "person_deleted": (
        _USER, "reconnect",
        said("The account of the person who connected does not exist at {platform} any more."),
        said("Connect as somebody else who may see these ad accounts."),
    ),
    "no_advertiser": (
        _USER, "reconnect",
        said("The person who connected belongs to no ad account of {platform}."),
        said("Connect with the log-in with which you open {platform} to look at your campaigns."),
    ),
    "scopes_missing": (
        _USER, "reconnect",
        said("A right that Adloom needs to read the numbers was not given at {platform}."),
        said("Connect again, and leave every right ticked that {platform} shows."),
    ),
    "no_accounts": (
        _USER, "reconnect",
        said("No ad account was chosen at {platform}."),
        said("Connect again, and choose at least one ad account there."),
    ),
    "grant_refused": (
        _USER, "reconnect",
        said("{platform} did not accept the log-in: it was used already, took too long, or would not last."),
        said("Connect again, from the beginning."),
    ),
    "log_in_over": (
        _USER, "reconnect",
        said("This log-in was used already, is older than ten minutes, or began in another browser."),
        said("Connect again, from the beginning."),
    ),
    "access_denied": (
        _USER, "reconnect",
        said("Access was not allowed at {platform}, so nothing was connected."),
        said("Connect again, and allow the access there. Adloom reads; it changes nothing without an approval."),
    ),
    # One ad account.
    "account_hidden": (
        _USER, "reconnect",
        said("The person who connected may not see this ad account, or gave too few rights."),
        said("Give them access to it at {platform}, or connect again as somebody who has it. Other accounts go on."),
    ),
    "account_inactive": (
        _USER, "retry",
        said("This ad account is closed, suspended or not yet set up at {platform}."),
        said("Put it right at {platform}, then sync it; or leave it out of your accounts. Its numbers stay here."),
    ),
    "account_gone": (
        _USER, "choose",
        said("{platform} does not know this ad account, or it left the access that was given."),
        said("Leave it out of your accounts, or connect again with it. Its numbers stay here."),
    ),
    "manager_account": (
        _USER, "choose",
        said("This is a manager account, which has no numbers of its own."),
        said("Choose the ad accounts below it instead."),
    ),
    "no_way": (
        _USER, "reconnect",
        said("No manager account of the person who connected leads to this ad account."),
        said("Link it with your manager account at {platform} again, or connect as somebody who sees it."),
    ),
    # It passes by itself.
    "passing": (_NOBODY, "none", said("{platform} had a passing fault."), _BY_ITSELF),
    "network": (_NOBODY, "none", said("{platform} could not be reached."), _BY_ITSELF),
    "slow": (_NOBODY, "none", said("{platform} took too long to answer."), _BY_ITSELF),
    "maintenance": (_NOBODY, "none", said("{platform} is overloaded or being maintained."), _BY_ITSELF),
    "too_much": (
        _NOBODY, "none",
        said("{platform} wants smaller questions than the one that was asked."),
        said("Nothing to do: Adloom asks for fewer days at once, by itself."),
    ),
    "wait": (
        _NOBODY, "none",
        said("{platform} asks us to wait: what it allows within a short time is used up."),
        said("Nothing to do: syncs go on as soon as {platform} allows it. Nothing is lost."),
    ),
    "wait_account": (
        _NOBODY, "none",
        said("{platform} asks us to wait with this ad account: what it allows for it is used up."),
        said("Nothing to do: it goes on as soon as {platform} allows it. Other accounts go on meanwhile."),
    ),
    "wait_day": (
        _NOBODY, "none",
        said("What {platform} allows this installation for a day is used up."),
        said("Nothing to do today. If it happens often, whoever runs this installation asks {platform} for more."),
    ),
    "blocked": (
        _NOBODY, "none",
        said("{platform} refuses requests for a while, because of its rules."),
        said("Nothing to do at first. If it stays, look there for messages about the account and about the app."),
    ),
    # The installation.
    "not_set_up": (
        _OPERATOR, "retry",
        said("This installation has no app at {platform} yet."),
        said("Whoever runs this installation makes one at {platform} and enters its credentials here."),
    ),
    "app_refused": (
        _OPERATOR, "retry",
        said("{platform} does not accept this installation's app: its id, its secret or its address is wrong."),
        _IN_THE_APP,
    ),
    "app_not_approved": (
        _OPERATOR, "retry",
        said("{platform} has not approved this installation's app for what it asks."),
        said("Whoever runs this installation asks {platform} for the access that is missing."),
    ),
    "interface_off": (
        _OPERATOR, "retry",
        said("The interface of {platform} is not turned on for this installation's project."),
        said("Whoever runs this installation turns it on in the project's settings. Then it goes on by itself."),
    ),
    "terms": (
        _OPERATOR, "retry",
        said("{platform} has terms that were not accepted yet."),
        said("Whoever runs this installation reads and accepts them at {platform}."),
    ),
    "version_ended": (
        _OPERATOR, "retry",
        said("{platform} has ended the version of its interface that this installation uses."),
        said("Whoever runs this installation updates Adloom."),
    ),
    "test_system": (
        _OPERATOR, "retry",
        said("This installation asks the test system of {platform}, which has no real numbers."),
        _IN_THE_APP,
    ),
    # Ours.
    "rejected": (_DEVELOPER, "none", said("{platform} does not accept what Adloom asks."), _TELL),
    "unreadable": (
        _DEVELOPER, "none",
        said("{platform} answered in a way that it does not document."),
        said("It is tried again by itself. If it stays, tell whoever runs this installation."),
    ),
    "unknown": (_DEVELOPER, "none", said("{platform} refused, for a reason that Adloom does not know yet."), _TELL),
}  # fmt: skip
