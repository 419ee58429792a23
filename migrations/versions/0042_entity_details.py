"""What entities look like to people, facts by the hour, and what an account counts as a conversion."""

from alembic import op

revision = "0042"
down_revision = "0041"

ENTITIES = """
alter table entities
    add column labels jsonb not null default '[]',
    -- A list of {"field", "text"}, in the platform's order.
    add column texts jsonb not null default '[]',
    add column final_url text,
    add column image_url text,
    -- When that address was given to us: platforms sign them anew with every answer, and they expire.
    add column image_seen_at timestamptz,
    add column review_status text,
    add column review_reason text,
    add column conversion_window_days integer;
"""

ACCOUNTS = """
alter table ad_accounts
    -- What is counted as a conversion; null is what the platform itself counts.
    add column conversion text,
    -- After so many days its numbers do not move any more; null is what is usual on its platform.
    add column lookback_days integer check (lookback_days > 0),
    -- The local day up to which facts by the hour were asked for, and the days of which they are still to come.
    add column hours_until date,
    add column hours_owed datemultirange not null default '{}';
"""

# No row security and no foreign keys, as with metrics: all read and write through the barrier view.
HOURS = """
create table metrics_hourly (
    account_id bigint not null,
    org_id uuid not null,
    level text not null check (level in ('account', 'campaign')),
    entity_id text not null,
    day date not null,
    hour smallint not null check (hour between 0 and 23),
    impressions bigint,
    clicks bigint,
    spend numeric,
    conversions numeric,
    conversion_value numeric,
    run_id bigint not null,
    primary key (account_id, level, day, entity_id, hour)
);

create view visible_hourly with (security_barrier) as
    select * from metrics_hourly
     where org_id = (select app_org())
       and ((select app_all_accounts()) or account_id = any ((select app_accounts())::bigint[]))
    with cascaded check option;

grant select on metrics_hourly to adloom_backup;
grant select, insert, update, delete on visible_hourly to adloom_sync;
grant select on visible_hourly to adloom_dashboard, adloom_cli;
"""

DETAILS = (
    "labels",
    "texts",
    "final_url",
    "image_url",
    "image_seen_at",
    "review_status",
    "review_reason",
    "conversion_window_days",
)


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    for block in (ENTITIES, ACCOUNTS, HOURS):
        op.execute(block)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute("drop view visible_hourly")
    op.execute("drop table metrics_hourly")
    for column in ("conversion", "lookback_days", "hours_until", "hours_owed"):
        op.execute(f"alter table ad_accounts drop column {column}")
    for column in DETAILS:
        op.execute(f"alter table entities drop column {column}")
    op.execute("reset role")
