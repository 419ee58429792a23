"""What administrators do with connections to ad platforms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from adloom.connections.browser import new_browser
from ui.deeds.desk import Asking, Done, RefusedError
from ui.gateway import Answer
from ui.i18n import _, _n
from ui.platform_words import PLATFORMS
from ui.security import caller

PAGE = "/connections"
ALL = "all"
_FUNCTION = "oauth-callback"
_NOT_FOUND = 404


async def connect(asking: Asking) -> Done:
    """Off to the platform's log-in, in this browser."""
    return await _log_in(asking, {"platform": asking.field("platform")} | _wishes(asking))


def _wishes(asking: Asking) -> dict[str, Any]:
    """Which accounts are read at first, and what is asked for beyond reading."""
    accounts = "chosen" if asking.field("accounts") == "chosen" else ALL
    return {"accounts": accounts, "extras": asking.chosen("extras")}


async def adopt(asking: Asking) -> Done:
    """A token that was made at Meta itself."""
    body = {"token": asking.secret("token").strip()} | _wishes(asking)
    answer = await asking.call(_FUNCTION, "POST", "/connections/tokens", body)
    return Done(go=f"{PAGE}/{answer.body['connection_id']}")


async def check(asking: Asking) -> Done:
    """Ask the platform now; what it says of the access stands on the page afterwards."""
    answer = await asking.call(_FUNCTION, "POST", f"/connections/{_connection(asking)}/check")
    _announce(asking)
    if answer.body.get("status") == "active":
        return Done(_("The platform has answered: the access works."))
    return Done(_("The platform has answered: the access works no more. What to do stands above."))


async def reconnect(asking: Asking) -> Done:
    """The same for a connection that is there: it is whole again afterwards, with its accounts and their numbers."""
    return await _log_in(asking, {"platform": asking.field("platform"), "mends": str(_connection(asking))})


async def choose(asking: Asking) -> Done:
    """Which of its accounts are read."""
    future = ALL if asking.field("future") == ALL else "chosen"
    chosen = [int(account) for account in asking.chosen("accounts") if account.isascii() and account.isdigit()]
    body: dict[str, Any] = {"accounts": chosen, "future": future}
    await asking.call(_FUNCTION, "PUT", f"/connections/{_connection(asking)}/accounts", body)
    _announce(asking)
    words = _n("{count} account is read now.", "{count} accounts are read now.", len(chosen))
    return Done(words.format(count=len(chosen)))


async def count(asking: Asking) -> Done:
    """What an account counts as a conversion."""
    platform, wanted = asking.field("platform"), asking.field("conversion")
    if platform not in PLATFORMS:
        raise RefusedError(Answer(_NOT_FOUND, {}))
    await asking.call(f"sync-{platform}", "PATCH", f"/accounts/{asking.path['account_id']}", {"conversion": wanted})
    _announce(asking)
    if wanted == asking.field("was"):
        return Done(_("The account counts this already. Nothing was changed."))
    return Done(_("Saved. The account's history is read again by what counts now, the newest days first."))


async def disconnect(asking: Asking) -> Done:
    """Take the access back."""
    await asking.call(_FUNCTION, "DELETE", f"/connections/{_connection(asking)}")
    _announce(asking)
    return Done(_("Disconnected. The numbers that are here stay."))


def _announce(asking: Asking) -> None:
    """Pages about numbers show accounts, too."""
    asking.services.hub.announce(asking.viewer.org_id)


def _connection(asking: Asking) -> UUID:
    connection: UUID = asking.path["connection_id"]
    return connection


async def _log_in(asking: Asking, body: dict[str, Any]) -> Done:
    browser = caller(asking.request).browser or new_browser()
    answer = await asking.call(_FUNCTION, "POST", "/connections", body | {"browser": browser})
    target = str(answer.body["authorize_url"])
    return Done(go=target if urlsplit(target).scheme in ("http", "https") else "", browser=browser)
