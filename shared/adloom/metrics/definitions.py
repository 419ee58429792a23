"""What an account counts as a conversion: saying so, and reading its history again when it is said anew."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit
from adloom.errors import NotFound, ValidationFailed
from adloom.events.catalogue import Platform
from adloom.metrics import accounts, hours, windows
from adloom.metrics.sync import Sync
from adloom.platforms import conversions


@dataclass(frozen=True)
class Definition:
    """`conversion` is what counts, `is_chosen` whether somebody said so; `offered` are names to choose from."""

    account_id: int
    conversion: str
    is_chosen: bool
    offered: tuple[str, ...]


def of(connection: Connection, account_id: int, platform: Platform | None = None) -> Definition:
    """What an account counts; NotFound when it is not there, not the organisation's or of another platform."""
    row = connection.execute(
        text("select platform, conversion from ad_accounts where account_id = :account_id"), {"account_id": account_id}
    ).one_or_none()
    if row is None or (platform is not None and row.platform != platform):
        raise NotFound("There is no such ad account here.")
    known = conversions.of(row.platform)
    return Definition(account_id, row.conversion or known.default, row.conversion is not None, known.offered)


def change(sync: Sync, *, org_id: UUID, account_scope: str, account_id: int, conversion: str | None) -> Definition:
    """Count by another definition, None for the platform's own, and ask for the whole history once more.

    The numbers stored so far stay until each day has been read again. ValidationFailed for a name that the platform
    does not have.
    """
    known = conversions.of(sync.platform)
    if conversion is not None and not known.is_definition(conversion):
        offered = ", ".join(known.offered)
        raise ValidationFailed(
            f"{sync.platform} counts no conversions by the name {conversion!r}; it does by {offered}",
            fields=[{"field": "body.conversion", "problem": f"is none of {offered}"}],
        )
    wanted = None if conversion == known.default else conversion
    with sync.database.tenant(org_id, account_scope) as connection:
        before = of(connection, account_id, sync.platform)
        changed = connection.execute(
            text(
                "update ad_accounts set conversion = :wanted"
                " where account_id = :account_id and conversion is distinct from :wanted"
            ),
            {"account_id": account_id, "wanted": wanted},
        )
        if not changed.rowcount:
            return before
        synced = accounts.load(connection, account_id)
        windows.plan(connection, org_id, account_id, windows.history(synced.today, sync.cadence))
        hours.owe_again(connection, account_id, synced.today)
        sync.wake(connection, org_id, account_id, "operator")
        audit.record(
            connection,
            "account.changed",
            org_id=org_id,
            target=("account", str(account_id)),
            old={"conversion": before.conversion},
            new={"conversion": conversion or known.default},
        )
        return of(connection, account_id)
