"""A log-in at a platform belongs to the browser and to the person that began it."""

from alembic import op

revision = "0022"
down_revision = "0021"

COLUMN = """
alter table oauth_states add column browser_hash bytea check (length(browser_hash) = 32);
"""

# Single use: the first call of two gets the row. One of another browser, or for a person who may not connect any more,
# gets nothing and uses nothing up.
CLAIM = """
create function claim_oauth_state(hash bytea, browser bytea)
    returns table (org_id uuid, platform text, user_id uuid, redirect_uri text)
    language sql security definer set search_path = public, pg_temp as $$
    update oauth_states s set used_at = now()
     where s.state_hash = hash and s.used_at is null and s.expires_at > now()
       and (s.browser_hash = browser or s.browser_hash is null and s.user_id is null)
       and (s.user_id is null or exists (
            select from memberships m
             where m.org_id = s.org_id and m.user_id = s.user_id and m.role in ('admin', 'owner')))
    returning s.org_id, s.platform, s.user_id, s.redirect_uri
$$;
"""

# The release before begins log-ins without a browser and claims them so: where it takes over again they go on. What
# belongs to a browser is never claimed without it.
WITHOUT = """
create function claim_oauth_state(hash bytea)
    returns table (org_id uuid, platform text, user_id uuid, redirect_uri text)
    language sql security definer set search_path = public, pg_temp as $$
    update oauth_states s set used_at = now()
     where s.state_hash = hash and s.used_at is null and s.expires_at > now() and s.browser_hash is null
    returning s.org_id, s.platform, s.user_id, s.redirect_uri
$$;
"""

BEFORE = """
create function claim_oauth_state(hash bytea)
    returns table (org_id uuid, platform text, user_id uuid, redirect_uri text)
    language sql security definer set search_path = public, pg_temp as $$
    update oauth_states s set used_at = now()
     where s.state_hash = hash and s.used_at is null and s.expires_at > now()
    returning s.org_id, s.platform, s.user_id, s.redirect_uri
$$;
"""


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMN)
    op.execute("reset role")
    op.execute("drop function claim_oauth_state(bytea)")
    _make(WITHOUT, "claim_oauth_state(bytea)")
    _make(CLAIM, "claim_oauth_state(bytea, bytea)")


def downgrade() -> None:
    op.execute("drop function claim_oauth_state(bytea, bytea)")
    op.execute("drop function claim_oauth_state(bytea)")
    _make(BEFORE, "claim_oauth_state(bytea)")
    op.execute("set local role adloom_owner")
    op.execute("alter table oauth_states drop column browser_hash")
    op.execute("reset role")


def _make(function: str, signature: str) -> None:
    op.execute("set local role adloom_owner")
    op.execute(function)
    op.execute(f"revoke all on function {signature} from public")
    op.execute(f"grant execute on function {signature} to adloom_oauth_callback")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    op.execute(f"alter function {signature} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")
