"""What people do with their own account: name, address, password, language, organisation; and the proof that it is
they.
"""

from __future__ import annotations

from ui.deeds.desk import Asking, Done
from ui.i18n import _, languages

PAGE = "/settings/profile"


async def step_up(asking: Asking) -> Done:
    """Say again who it is; the form that asked for it is sent again by the page."""
    body = {"password": asking.secret("current"), "code": asking.field("code") or None}
    return Done(session=await asking.auth("POST", "/session/step-up", body))


async def rename(asking: Asking) -> Done:
    await asking.auth("PATCH", "/profile", {"name": asking.field("name")})
    asking.services.sessions.forget(asking.viewer.token)
    return Done(_("Your name is changed."))


async def verify_email(asking: Asking) -> Done:
    await asking.auth("POST", "/email/verification")
    return Done(_("A mail with a link is on its way."))


async def change_email(asking: Asking) -> Done:
    email = asking.field("email")
    await asking.auth("POST", "/email", {"email": email})
    words = _("A mail to {email} is on its way. Your address changes when the link in it is opened.")
    return Done(words.format(email=email))


async def change_password(asking: Asking) -> Done:
    body = {"current": asking.secret("current"), "password": asking.secret("password")}
    session = await asking.auth("POST", "/password", body)
    return Done(_("Your password is changed. Your other sessions have ended."), session=session)


async def choose_language(asking: Asking) -> Done:
    tag = asking.field("language")
    return Done(go=PAGE, language=tag if tag in languages() else "browser")


async def switch(asking: Asking) -> Done:
    session = await asking.auth("POST", "/session/switch", {"org_id": asking.field("org_id")})
    return Done(go="/", session=session, elsewhere=True)
