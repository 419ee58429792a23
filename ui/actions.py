"""What buttons do: call a function over HTTP with the viewer's session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from adloom.errors import AdloomError
from adloom.logs import new_request_id
from adloom.platforms.advice import NAMES
from ui.gateway import Answer, Caller
from ui.i18n import _
from ui.platform_words import PLATFORM_CODES, explained
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
    return _refused(answer, caller, platform)


async def _sync(services: Services, caller: Caller, about: str) -> Outcome:
    """Ask for an account, named as `sync_of` says, or for all of every platform; one function's fault is not all's."""
    platform, _slash, account = about.rpartition("/")
    body = {"accounts": [account]} if account else {}
    asked = [platform] if platform in NAMES else list(NAMES)
    calls = (services.gateway.call("POST", f"sync-{one}", "/runs", caller, body) for one in asked)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    if any(isinstance(answer, Answer) and answer.ok for answer in answers):
        return Outcome(_("A sync is on its way. Its numbers appear here by themselves."))
    if isinstance(answers[0], BaseException):
        raise answers[0]
    return _refused(answers[0], caller)


def sync_of(platform: str, account_id: int | None) -> str:
    """What the button says that it is about: an account of a platform."""
    return f"{platform}/{account_id}" if account_id is not None else ""


def _refused(answer: Answer, caller: Caller, platform: str = "") -> Outcome:
    if answer.code == "step_up_needed":
        return Outcome(go_to="/confirm", comes_back=True)
    if answer.status == 403:  # noqa: PLR2004 - forbidden
        return Outcome(_("Your role does not allow that. An administrator can do it."))
    words = _("That did not work: {reason} (request {request})")
    if platform and answer.code in PLATFORM_CODES:
        said = explained(platform, answer.code)
        return Outcome(words.format(reason=f"{said.happened} {said.step}", request=caller.request_id))
    return Outcome(words.format(reason=answer.detail or str(answer.status), request=caller.request_id))
