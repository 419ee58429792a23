"""What buttons do: call a function over HTTP with the viewer's session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from adloom.errors import AdloomError
from adloom.logs import new_request_id
from ui.gateway import Answer, Caller
from ui.i18n import _
from ui.services import Services


@dataclass(frozen=True)
class Outcome:
    """What to say, or where to go; from a page that `comes_back` one returns to the present one."""

    words: str = ""
    go_to: str = ""
    comes_back: bool = False


async def perform(services: Services, caller: Caller, name: str, about: str) -> Outcome:
    """Do it. The session is asked for afresh: a page may stay open longer than its session lives."""
    asked = replace(caller, request_id=new_request_id())
    try:
        if await services.sessions.viewer(asked, fresh=True) is None:
            return Outcome(go_to="/login", comes_back=True)
        if name == "connect":
            return await _connect(services, asked, about)
        if name == "sync":
            return await _sync(services, asked, about)
    except AdloomError:
        words = _("That did not work: a part of Adloom does not answer. Nothing was changed. Request {request}.")
        return Outcome(words.format(request=asked.request_id))
    return Outcome(_("This page is older than the server. Reload it."))


async def _connect(services: Services, caller: Caller, platform: str) -> Outcome:
    if caller.browser is None:  # nothing to bind the log-in to: the next page gives the browser something
        return Outcome(go_to="/confirm", comes_back=True)
    body = {"platform": platform, "browser": caller.browser}
    answer = await services.gateway.call("POST", "oauth-callback", "/connections", caller, body)
    target = str(answer.body.get("authorize_url", ""))
    if answer.ok and urlsplit(target).scheme in ("http", "https"):
        return Outcome(go_to=target)
    return _refused(answer, caller)


async def _sync(services: Services, caller: Caller, account: str) -> Outcome:
    body = {"accounts": [account]} if account else {}
    answer = await services.gateway.call("POST", "sync-meta", "/runs", caller, body)
    if answer.ok:
        return Outcome(_("A sync is on its way. Its numbers appear here by themselves."))
    return _refused(answer, caller)


def _refused(answer: Answer, caller: Caller) -> Outcome:
    if answer.code == "step_up_needed":
        return Outcome(go_to="/confirm", comes_back=True)
    if answer.status == 403:  # noqa: PLR2004 - forbidden
        return Outcome(_("Your role does not allow that. An administrator can do it."))
    words = _("That did not work: {reason} (request {request})")
    return Outcome(words.format(reason=answer.detail or str(answer.status), request=caller.request_id))
