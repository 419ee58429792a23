"""What administrators do with members and invitations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ui.deeds.desk import Asking, Done
from ui.i18n import _, _n

PAGE = "/settings/members"
ALL = "all"


async def invite(asking: Asking) -> Done:
    """A second time for the same address is another mail, and the old link dies."""
    email = asking.field("email")
    body = {"email": email, "role": asking.field("role"), "accounts": accounts(asking)}
    await asking.auth("POST", "/invitations", body)
    return Done(_("A mail to {email} is on its way.").format(email=email))


async def withdraw(asking: Asking) -> Done:
    invitation_id: UUID = asking.path["invitation_id"]
    await asking.auth("DELETE", f"/invitations/{invitation_id}")
    return Done(_("The invitation is withdrawn; its link does not work any more."))


async def change(asking: Asking) -> Done:
    chosen = accounts(asking)
    body: dict[str, Any] = {"role": asking.field("role")}
    body |= {"all_accounts": True} if chosen is None else {"accounts": chosen}
    answer = await asking.auth("PATCH", f"/members/{_member(asking)}", body)
    return Done(_("Saved. {name} has to log in again.").format(name=answer.body["name"]))


async def remove(asking: Asking) -> Done:
    await asking.auth("DELETE", f"/members/{_member(asking)}")
    return Done(go=PAGE)


async def end_sessions(asking: Asking) -> Done:
    ended = int((await asking.auth("DELETE", f"/members/{_member(asking)}/sessions")).body["ended"])
    return Done(_n("{count} session has ended.", "{count} sessions have ended.", ended).format(count=ended))


async def reset_factor(asking: Asking) -> Done:
    await asking.auth("DELETE", f"/members/{_member(asking)}/mfa")
    return Done(_("The second factor is taken away, and all sessions have ended."))


def accounts(asking: Asking) -> list[int] | None:
    """The chosen ad accounts; None: all of them, also those to come."""
    if asking.field("scope") == ALL:
        return None
    return [int(account) for account in asking.chosen("accounts") if account.isascii() and account.isdigit()]


def _member(asking: Asking) -> UUID:
    member: UUID = asking.path["user_id"]
    return member
