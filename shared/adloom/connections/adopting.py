"""A token that an administrator made at the platform itself, for a system user: no log-in, and mostly no end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from adloom.connections import flow
from adloom.connections.flow import Finished
from adloom.connections.store import Terms
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import ConnectionBroken

if TYPE_CHECKING:
    from adloom.platforms.meta.oauth import MetaOAuth


def adopt(database: Database, vault: Vault, oauth: MetaOAuth, org_id: UUID, token: str, *, terms: Terms) -> Finished:
    """Check a pasted token at Meta and connect by it. ConnectionBroken when it is not a machine's, or lacks rights."""
    grant = oauth.adopt(token)
    if grant.kind != "system_user":
        raise ConnectionBroken(
            "This is a person's token. Paste one of a system user, or connect by logging in.", code="not_a_system_user"
        )
    with database.tenant(org_id) as connection:
        connection_id = flow.made(connection, vault, org_id, "meta", grant, terms=terms)
    return Finished(connection_id, "meta", grant.name, is_another_person=False)
