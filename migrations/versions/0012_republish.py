"""Events can be given to a broker again that has lost them."""

from alembic import op

revision = "0012"
down_revision = "0011"

FUNCTION = """
create function outbox_republish(days integer) returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with again as (
        update outbox set published_at = null where published_at >= now() - make_interval(days => days) returning 1
    )
    select count(*) from again
$$;
revoke all on function outbox_republish(integer) from public;
grant execute on function outbox_republish(integer) to adloom_cli;
"""


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(FUNCTION)
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    op.execute("alter function outbox_republish(integer) owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    op.execute("drop function outbox_republish(integer)")
