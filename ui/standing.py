"""How a connection is, in the visitor's language: its state, what happened, and the one thing to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adloom.connections.standing import Standing, Trouble
from ui import formats
from ui.i18n import _, _n
from ui.platform_words import explained, missing, name_of

# What the one button does. `look`: leads to the accounts.
Verb = Literal["reconnect", "choose", "look", ""]
_VERBS: dict[str, Verb] = {"reconnect": "reconnect", "choose": "choose"}


@dataclass(frozen=True)
class Shown:
    """`mood` is a dot's colour; `happened` and `step` are empty where nothing needs a person."""

    mood: str
    words: str
    happened: str = ""
    step: str = ""
    verb: Verb = ""

    @property
    def needs_somebody(self) -> bool:
        return bool(self.happened)


def shown(item: Standing, now: datetime) -> Shown:
    """The worst of what there is to say. `now` is the business clock's."""
    if item.is_replaced:
        return Shown("idle", _("replaced"))
    if item.connected.status == "revoked":
        return Shown("idle", _("disconnected"))
    if item.trouble is not None:
        return _trouble(item, item.trouble, now)
    if item.in_trouble:
        words = _n("{count} account cannot be synced", "{count} accounts cannot be synced", item.in_trouble)
        words = words.format(count=formats.count(item.in_trouble))
        happened = _("The access works, but not for every account. The others go on.")
        return Shown("warn", words, happened, _("Look at the accounts: each says what to do."), "look")
    if not item.chosen:
        return Shown("idle", _("no account is synced"))
    return Shown("ok", _("works"))


def _trouble(item: Standing, trouble: Trouble, now: datetime) -> Shown:
    connected = item.connected
    if trouble.code == "accounts_to_choose":
        return _to_choose(item)
    if trouble.code == "access_ending" and connected.token_expires_at is not None:
        return _ends_soon(item, connected.token_expires_at, now)
    said = explained(connected.platform, trouble.code, connected.broken_code or "")
    verb = _VERBS.get(said.remedy, "reconnect")
    if connected.status == "broken":
        return Shown("bad", _("access ended"), f"{said.happened} {_stopped(item)}".rstrip(), said.step, verb)
    lacking = ", ".join(right.words for right in missing(connected.platform, connected.scopes, connected.extras))
    step = _("Missing: {rights}.").format(rights=lacking) + " " + said.step if lacking else said.step
    return Shown("warn", _("a right is missing"), said.happened, step, verb)


def _stopped(item: Standing) -> str:
    """What stands still because an access ended, and what does not."""
    if not item.chosen:
        return ""
    words = _n(
        "Its ad account stands still; all others go on.",
        "Its {count} ad accounts stand still; all others go on.",
        item.chosen,
    )
    return words.format(count=formats.count(item.chosen))


def _to_choose(item: Standing) -> Shown:
    step, verb = _("Choose those whose numbers you want to see here."), _VERBS["choose"]
    if not item.found:
        happened = _("The ad accounts of {name} are being looked up.").format(name=item.connected.name)
        return Shown("warn", _("choose accounts"), happened, step, verb)
    happened = _n(
        "Adloom may read {count} ad account of {name}, and reads none yet.",
        "Adloom may read {count} ad accounts of {name}, and reads none yet.",
        item.found,
    ).format(count=formats.count(item.found), name=item.connected.name)
    return Shown("warn", _("choose accounts"), happened, step, verb)


def _ends_soon(item: Standing, ends: datetime, now: datetime) -> Shown:
    platform = name_of(item.connected.platform)
    if ends <= now:
        said = explained(item.connected.platform, "access_expired")
        return Shown("bad", _("access ended"), said.happened, said.step, "reconnect")
    happened = _("The access to {platform} ends on {day}. It could not be renewed by itself.").format(
        platform=platform, day=formats.day_with_year(ends.date())
    )
    step = _("Connect again before that day: it takes a minute, and nothing stops meanwhile.")
    return Shown("warn", left(ends, now), happened, step, "reconnect")


def left(ends: datetime, now: datetime) -> str:
    """How long an access lasts."""
    days = (ends - now).days
    if days < 1:
        return _("ends today")
    return _n("ends in {count} day", "ends in {count} days", days).format(count=formats.count(days))
