"""Platforms that do not hear that a grant ended are asked again in turn, the longest untried first."""

from alembic import op

revision = "0045"
down_revision = "0044"

COLUMN = """
-- Real time: when the platform was last told that the connection ended.
alter table connections add column forget_tried_at timestamptz
"""
# Claims a connection that was taken back by a person, but whose token is still here: the platform has not heard yet.
CLAIM = """
create function claim_connections_to_forget(every interval, most integer)
    returns table (org_id uuid, connection_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update connections c set forget_tried_at = now()
     where c.connection_id in (
        select d.connection_id from connections d
         where d.status = 'revoked' and (d.forget_tried_at is null or d.forget_tried_at <= now() - every)
           and exists (select from connection_tokens t where t.connection_id = d.connection_id)
         order by d.forget_tried_at nulls first, d.revoked_at
         limit most
         for update of d skip locked
     )
    returning c.org_id, c.connection_id
$$
"""
BEFORE = """
create function connections_to_forget(most integer) returns table (org_id uuid, connection_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select c.org_id, c.connection_id from connections c join connection_tokens t on t.connection_id = c.connection_id
     where c.status = 'revoked' order by c.revoked_at limit most
$$
"""
NEW, OLD = "claim_connections_to_forget(interval, integer)", "connections_to_forget(integer)"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMN)
    op.execute("grant update (forget_tried_at) on connections to adloom_definer")
    op.execute("reset role")
    _replace(OLD, CLAIM, NEW)


def downgrade() -> None:
    _replace(NEW, BEFORE, OLD)
    op.execute("set local role adloom_owner")
    op.execute("alter table connections drop column forget_tried_at")
    op.execute("reset role")


def _replace(old: str, create: str, new: str) -> None:
    """One function of the definer's in the place of another."""
    op.execute(f"drop function {old}")
    op.execute("set local role adloom_owner")
    op.execute(create)
    op.execute(f"revoke all on function {new} from public")
    op.execute(f"grant execute on function {new} to adloom_oauth_callback")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    op.execute(f"alter function {new} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")
