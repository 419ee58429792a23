"""What administrators see of their members: whether they have a second factor, and when they were last there."""

from alembic import op

revision = "0027"
down_revision = "0026"

FUNCTION = """
-- Of the organisation at hand only: its sessions, and the second factors of its members, whose home may be elsewhere.
create function activity_of_members()
    returns table (user_id uuid, second_factor boolean, last_active_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select m.user_id, a.confirmed_at is not null,
           (select max(s.last_used_at) from sessions s where s.user_id = m.user_id and s.org_id = m.org_id)
      from memberships m left join authenticators a on a.user_id = m.user_id
     where m.org_id = app_org()
$$;
"""


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(FUNCTION)
    op.execute("revoke all on function activity_of_members() from public")
    op.execute("grant execute on function activity_of_members() to adloom_auth")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    op.execute("alter function activity_of_members() owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    op.execute("drop function activity_of_members()")
