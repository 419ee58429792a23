"""What buttons do: call a function over HTTP with the viewer's session."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from adloom.errors import AdloomError
from ui.gateway import Caller
from ui.i18n import _
from ui.services import Services


@dataclass(frozen=True)
class Outcome:
    """What to say, or where to go."""

    words: str = ""
    go_to: str = ""


async def perform(services: Services, caller: Caller, name: str, about: str) -> Outcome:
    """Do it. The session is asked for afresh: a page may stay open longer than its session lives."""
    asked = Caller(caller.token, caller.forwarded_for)
    try:
        if await services.sessions.viewer(asked, fresh=True) is None:
            return Outcome(go_to="/login")
        if name == "connect":
            return await _connect(services, asked, about)
        if name == "sync":
            return await _sync(services, asked, about)
    except AdloomError:
        words = _("That did not work: a part of Adloom does not answer. Nothing was changed. Request {request}.")
        return Outcome(words.format(request=asked.request_id))
    return Outcome(_("This page is older than the server. Reload it."))


async def _connect(services: Services, caller: Caller, platform: str) -> Outcome:
    answer = await services.gateway.call("POST", "oauth-callback", "/connections", caller, {"platform": platform})
    target = str(answer.body.get("authorize_url", ""))
    if answer.ok and urlsplit(target).scheme in ("http", "https"):
        return Outcome(go_to=target)
    return _refused(answer.status, answer.detail, caller)


async def _sync(services: Services, caller: Caller, account: str) -> Outcome:
    body = {"accounts": [account]} if account else {}
    answer = await services.gateway.call("POST", "sync-meta", "/runs", caller, body)
    if answer.ok:
        return Outcome(_("A sync is on its way. Its numbers appear here by themselves."))
    return _refused(answer.status, answer.detail, caller)


def _refused(status: int, detail: str, caller: Caller) -> Outcome:
    if status == 403:  # noqa: PLR2004 - forbidden
        return Outcome(_("Your role does not allow that. An administrator can do it."))
    words = _("That did not work: {reason} (request {request})")
    return Outcome(words.format(reason=detail or str(status), request=caller.request_id))
