"""Which ad accounts of a connection are synced: a person's choice."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

from adloom import audit
from adloom.connections import store
from adloom.connections.store import AccountChoice
from adloom.errors import Conflict, NotFound
from adloom.events.catalogue import AccountsConnected
from adloom.events.outbox import publish

_OWN = """
select account_id, external_id, sync_enabled from ad_accounts where connection_id = :id order by account_id for update
"""
# What was out until now is asked for at once; a fault of before says nothing about the account of now.
_SET = """
update ad_accounts
   set sync_enabled = account_id = any (:wanted),
       next_due_at = case when account_id = any (:wanted) then null else next_due_at end,
       error_code = null, error_detail = null, error_at = null
 where connection_id = :id and sync_enabled <> (account_id = any (:wanted))
"""
_CHOSEN = """
update connections set account_choice = :future, chosen_at = now(), updated_at = now() where connection_id = :id
"""


def choose(
    connection: Connection,
    org_id: UUID,
    connection_id: UUID,
    wanted: Collection[int] | None,
    future: AccountChoice | None,
) -> None:
    """Sync these accounts of a connection and no other of it that is in scope; `future`: whether those to come are
    synced, too. None leaves it as it is.

    What was read so far stays. NotFound for an account that is not read by this connection, Conflict where the
    connection does not work.
    """
    connected = store.one(connection, connection_id, locked=True)
    if connected.status != "active":
        raise Conflict("This connection does not work: connect again first.", code="connection_broken")
    own = connection.execute(text(_OWN), {"id": connection_id}).all()
    if wanted is None:
        wanted = [row.account_id for row in own if row.sync_enabled]
    future = future or connected.account_choice
    if unknown := set(wanted) - {row.account_id for row in own}:
        raise NotFound(f"This connection reads no account {min(unknown)}.", code="account_unknown")
    connection.execute(text(_SET), {"id": connection_id, "wanted": list(wanted)})
    connection.execute(text(_CHOSEN), {"id": connection_id, "future": future})
    before = [row.external_id for row in own if row.sync_enabled]
    after = [row.external_id for row in own if row.account_id in set(wanted)]
    audit.record(
        connection,
        "connection.accounts_chosen",
        org_id=org_id,
        target=("connection", connection_id),
        old={"accounts": before, "future": connected.account_choice},
        new={"accounts": after, "future": future},
    )
    if set(after) - set(before):
        found = AccountsConnected(
            org_id=org_id, account_id=None, connection_id=connection_id, platform=connected.platform
        )
        publish(connection, found)
