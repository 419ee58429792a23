"""What is due is found also after the clock was set back or an event was lost, and a narrow scope hides connections."""

from alembic import op

revision = "0009"
down_revision = "0008"

# No wait of ours is a day long: a later time was written by a clock that has been set back since.
DUE = "d.next_due_at is null or d.next_due_at <= business_now or d.next_due_at > business_now + interval '1 day'"
# The first look is asked for by an event. After an hour without one it was lost, or its platform was away for long.
STALE = """
           d.discovered_at <= business_now - every or d.discovered_at > business_now + every
           or (d.discovered_at is null and d.connected_at < now() - interval '1 hour')"""
DUE_BEFORE = "d.next_due_at is null or d.next_due_at <= business_now"
STALE_BEFORE = "d.discovered_at <= business_now - every"

FUNCTIONS = """
create or replace function claim_due_accounts(
    of_platform text, business_now timestamptz, every interval, most integer)
    returns table (org_id uuid, account_id bigint)
    language sql security definer set search_path = public, pg_temp as $$
    update ad_accounts a set next_due_at = business_now + every
     where a.account_id in (
        select d.account_id
          from ad_accounts d join connections c on c.connection_id = d.connection_id
         where d.platform = of_platform and d.sync_enabled and c.status = 'active'
           and ({due})
           and (d.blocked_until is null or d.blocked_until <= now())
         order by d.next_due_at nulls first
         limit most
         for update of d skip locked
     )
    returning a.org_id, a.account_id
$$;

create or replace function claim_due_connections(
    of_platform text, business_now timestamptz, every interval, most integer)
    returns table (org_id uuid, connection_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update connections c set discovered_at = business_now
     where c.connection_id in (
        select d.connection_id from connections d
         where d.platform = of_platform and d.status = 'active' and ({stale})
         order by d.discovered_at
         limit most
         for update of d skip locked
     )
    returning c.org_id, c.connection_id
$$;
"""

# A member who sees some accounts only, sees the connections of those: a connection tells whose log-in it is.
SCOPE = """
create policy scope on connections as restrictive for select
    to adloom_oauth_callback, adloom_sync_meta, adloom_dashboard, adloom_cli
    using ((select app_all_accounts())
           or exists (select from ad_accounts a where a.connection_id = connections.connection_id));
"""


def upgrade() -> None:
    op.execute(FUNCTIONS.format(due=DUE, stale=STALE))
    op.execute(SCOPE)


def downgrade() -> None:
    op.execute("drop policy scope on connections")
    op.execute(FUNCTIONS.format(due=DUE_BEFORE, stale=STALE_BEFORE))
