"""What administrators do with the API keys of other systems."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ui.components.sheets import new_key
from ui.deeds.desk import Asking, Done
from ui.deeds.members import accounts
from ui.i18n import _


async def make(asking: Asking) -> Done:
    body: dict[str, Any] = {
        "name": asking.field("name"),
        "scopes": asking.chosen("scopes"),
        "accounts": accounts(asking),
        "days": _number(asking, "days"),
        "per_minute": _number(asking, "per_minute"),
    }
    answer = await asking.auth("POST", "/keys", body)
    return Done(_("The key is made."), sheet=new_key(str(answer.body["name"]), str(answer.body["token"])))


async def revoke(asking: Asking) -> Done:
    key_id: UUID = asking.path["key_id"]
    await asking.auth("DELETE", f"/keys/{key_id}")
    return Done(_("The key is revoked: it does not work any more."))


def _number(asking: Asking, name: str) -> int | str:
    """What is no number goes along as it is: the route says what is wrong with it."""
    value = asking.field(name)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value  # noqa: PLR2004 - fits an int
