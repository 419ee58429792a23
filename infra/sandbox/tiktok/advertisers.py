"""`advertiser/info/`: the accounts themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from infra.sandbox.facts.model import Account
from infra.sandbox.facts.status import GONE, own_status
from infra.sandbox.tiktok import auth, errors
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.errors import parameter
from infra.sandbox.world import World

MAX_IDS = 100


def _posix_zone(account: Account, now: datetime) -> str:
    """The zone as `timezone` has it: POSIX style, whose sign is turned round (Etc/GMT+8 is UTC-8), whole hours only."""
    offset = now.astimezone(account.zone).utcoffset() or datetime.resolution
    hours, rest = divmod(int(offset.total_seconds()), 3600)
    if rest:
        return account.zone.key
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


Field = Callable[[Account, datetime], Any]
FIELDS: dict[str, Field] = {
    "advertiser_id": lambda account, _: account.id,
    "name": lambda account, _: account.name,
    "currency": lambda account, _: account.currency,
    "timezone": _posix_zone,
    "display_timezone": lambda account, _: account.zone.key,
    "status": lambda account, now: "STATUS_DISABLE" if own_status(account.row, now) in GONE else "STATUS_ENABLE",
    "role": lambda _account, _now: "ROLE_ADVERTISER",
    "create_time": lambda account, _: int(account.born.timestamp()),
}
# Fields of TikTok's that a facts folder says nothing about: accepted, and null in the answer.
_SILENT_WORDS = """
    address advertiser_account_type balance brand cellphone_number company contacter country description email
    industry language license_city license_no license_province license_url owner_bc_id promotion_area
    promotion_center_city promotion_center_province rejection_reason telephone_number
"""
SILENT = frozenset(_SILENT_WORDS.split())


def info(world: World, call: Call) -> dict[str, Any]:
    """The named accounts with the fields asked for, or all fields. One that is not granted refuses the whole call."""
    wanted = call.words("advertiser_ids")
    if not wanted:
        raise errors.missing("advertiser_ids")
    if len(wanted) > MAX_IDS:
        raise errors.too_many_ids("advertiser_ids", MAX_IDS)
    asked = call.words("fields") or [*FIELDS, *sorted(SILENT)]
    for field in asked:
        if field not in FIELDS and field not in SILENT:
            raise parameter(f"fields: {field} is not a valid choice.")
    known = {account.id: account for account in auth.granted(world, call.token, call)} if call.token else {}
    found = []
    for advertiser_id in wanted:
        if advertiser_id not in known:
            raise errors.no_permission(advertiser_id)
        account = known[advertiser_id]
        found.append({field: FIELDS[field](account, call.now) if field in FIELDS else None for field in asked})
    return {"list": found}
