"""What an account was before: its currency and zone belong to numbers of earlier days (its name is an entity's)."""

from __future__ import annotations

from sqlalchemy import Connection, text

from adloom.metrics.entities import Listing
from adloom.platforms.model import Account

_NOTE = """
insert into entity_changes (account_id, org_id, level, external_id, field, old_value, new_value, seen_at, run_id)
select a.account_id, a.org_id, 'account', a.external_id, c.field, c.old_value, c.new_value, :now, :run_id
  from ad_accounts a
 cross join lateral (values ('currency', a.currency, :currency), ('timezone', a.timezone, :timezone))
            as c (field, old_value, new_value)
 where a.account_id = :account_id and c.old_value <> c.new_value
"""


def note(connection: Connection, listing: Listing, account: Account) -> None:
    """Keep what the platform said of the account until now, before `accounts.refresh` takes over what it says now."""
    values = {**listing.values, "currency": account.currency, "timezone": account.timezone}
    connection.execute(text(_NOTE), values)
