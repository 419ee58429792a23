"""What people do with their sessions, their second factor and their ways to log in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from adloom.connections.browser import new_browser
from ui.components.sheets import authenticator, recovery_codes
from ui.deeds.desk import Asking, Done
from ui.i18n import _, _n
from ui.security import caller


async def end_session(asking: Asking) -> Done:
    session_id: UUID = asking.path["session_id"]
    await asking.auth("DELETE", f"/sessions/{session_id}")
    return Done(_("The session has ended."))


async def end_others(asking: Asking) -> Done:
    ended = int((await asking.auth("DELETE", "/sessions")).body["ended"])
    words = _n("{count} other session has ended.", "{count} other sessions have ended.", ended)
    return Done(words.format(count=ended))


async def begin_authenticator(asking: Asking) -> Done:
    answer = await asking.auth("POST", "/mfa/authenticator")
    return Done(sheet=authenticator(str(answer.body["secret"]), asking.viewer.email))


async def confirm_authenticator(asking: Asking) -> Done:
    answer = await asking.auth("POST", "/mfa/authenticator/confirm", {"code": asking.field("code")})
    return Done(
        _("Your second factor is on. Your other sessions have ended."),
        sheet=recovery_codes(_codes(answer.body)),
        session=answer,
    )


async def new_recovery_codes(asking: Asking) -> Done:
    answer = await asking.auth("POST", "/mfa/recovery-codes")
    return Done(_("The old recovery codes do not work any more."), sheet=recovery_codes(_codes(answer.body)))


async def remove_authenticator(asking: Asking) -> Done:
    await asking.auth("DELETE", "/mfa/authenticator")
    return Done(_("Your second factor is off."))


async def link(asking: Asking) -> Done:
    """To the provider; it sends the browser back to the page of security."""
    browser = caller(asking.request).browser or new_browser()
    answer = await asking.auth("POST", "/sso/link", {"provider": asking.field("provider"), "browser": browser})
    target = str(answer.body["authorize_url"])
    return Done(go=target if urlsplit(target).scheme in ("http", "https") else "", browser=browser)


async def unlink(asking: Asking) -> Done:
    identity_id: UUID = asking.path["identity_id"]
    await asking.auth("DELETE", f"/sso/identities/{identity_id}")
    return Done(_("The identity is unlinked: it does not log you in any more."))


def _codes(body: dict[str, Any]) -> list[str]:
    return [str(code) for code in body["recovery_codes"]]
