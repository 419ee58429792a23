"""Connections are looked at again now and then, since accounts come to be under an old grant."""

from alembic import op

revision = "0008"
down_revision = "0007"

COLUMN = """
-- When the accounts of this connection were last looked up; business clock.
alter table connections add column discovered_at timestamptz;
grant update (discovered_at) on connections to adloom_sync_meta;
"""

# Claims like claim_due_accounts: of two ticks one gets the connection.
FUNCTION = """
create function claim_due_connections(of_platform text, business_now timestamptz, every interval, most integer)
    returns table (org_id uuid, connection_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update connections c set discovered_at = business_now
     where c.connection_id in (
        select d.connection_id from connections d
         where d.platform = of_platform and d.status = 'active' and d.discovered_at <= business_now - every
         order by d.discovered_at
         limit most
         for update of d skip locked
     )
    returning c.org_id, c.connection_id
$$;
revoke all on function claim_due_connections(text, timestamptz, interval, integer) from public;
grant execute on function claim_due_connections(text, timestamptz, interval, integer) to adloom_sync_meta;
"""
SIGNATURE = "claim_due_connections(text, timestamptz, interval, integer)"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMN)
    op.execute("grant update (discovered_at) on connections to adloom_definer")
    op.execute(FUNCTION)
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    op.execute(f"alter function {SIGNATURE} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    op.execute(f"drop function {SIGNATURE}")
    op.execute("set local role adloom_owner")
    op.execute("alter table connections drop column discovered_at")
    op.execute("reset role")
