"""Entities, metrics, their restatements, and the runs and reconciliations that prove them."""

from alembic import op

revision = "0004"
down_revision = "0003"

ENTITIES = """
create table entities (
    account_id bigint not null references ad_accounts,
    org_id uuid not null,
    level text not null check (level in ('account', 'campaign', 'ad_group', 'ad')),
    external_id text not null,
    parent_id text,
    name text not null,
    status text not null check (status in ('active', 'paused', 'archived', 'deleted')),
    kind text,
    objective text,
    daily_budget numeric,
    lifetime_budget numeric,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    first_seen_at timestamptz not null,
    run_id bigint not null,
    primary key (account_id, level, external_id)
);
create index entities_parent on entities (account_id, level, parent_id);

-- What an entity was before, and when (business clock) we saw that it was no longer so.
create table entity_changes (
    change_id bigint generated always as identity primary key,
    account_id bigint not null references ad_accounts,
    org_id uuid not null,
    level text not null,
    external_id text not null,
    field text not null,
    old_value text,
    new_value text,
    seen_at timestamptz not null,
    run_id bigint not null
);
create index entity_changes_entity on entity_changes (account_id, level, external_id, field, seen_at);
call isolate('entities', true);
call isolate('entity_changes', true);
"""

PROOF = """
-- Provenance: every number names the run that wrote it.
create table sync_runs (
    run_id bigint generated always as identity primary key,
    org_id uuid not null,
    account_id bigint not null references ad_accounts,
    kind text not null check (kind in ('entities', 'metrics')),
    since date,
    until date,
    api_version text not null,
    query jsonb not null,
    attribution text,
    timezone text not null,
    currency text not null,
    started_at timestamptz not null,
    fetched_at timestamptz,
    business_at timestamptz not null,
    finished_at timestamptz,
    requests integer not null default 0,
    rows_read bigint not null default 0,
    rows_inserted bigint not null default 0,
    rows_updated bigint not null default 0,
    rows_deleted bigint not null default 0,
    outcome text not null check (outcome in ('succeeded', 'failed')),
    error_code text,
    error_detail text
);
create index sync_runs_account on sync_runs (account_id, run_id desc);

-- The work list of an account. A window is done in the transaction that stores its rows: that is the checkpoint.
create table sync_windows (
    window_id bigint generated always as identity primary key,
    org_id uuid not null,
    account_id bigint not null references ad_accounts,
    since date not null,
    until date not null,
    requested_at timestamptz not null default now(),
    attempts integer not null default 0,
    progress jsonb not null default '{}',
    check (since <= until),
    unique (account_id, since, until)
);

-- What the platform itself said for a day, per level, as sums of what it delivered.
create table reconciliations (
    account_id bigint not null references ad_accounts,
    org_id uuid not null,
    day date not null,
    level text not null check (level in ('account', 'campaign', 'ad_group', 'ad')),
    row_count bigint not null,
    impressions numeric not null,
    clicks numeric not null,
    spend numeric not null,
    conversions numeric not null,
    conversion_value numeric not null,
    state text not null check (state in ('match', 'explained', 'unexplained')),
    explanation text,
    checked_at timestamptz not null,
    run_id bigint not null,
    primary key (account_id, day, level)
);
create index reconciliations_unexplained on reconciliations (org_id, account_id, day) where state = 'unexplained';
call isolate('sync_runs', true);
call isolate('sync_windows', true);
call isolate('reconciliations', true);
"""

MEASURES = """
    impressions bigint,
    clicks bigint,
    spend numeric,
    conversions numeric,
    conversion_value numeric,
    video_views bigint,
    reach bigint"""

# TimescaleDB keeps no row security on hypertables with aggregates or compression, so no login role is granted this
# table: all read and write through the barrier view below. No foreign keys: they would cost a lookup per row.
METRICS = f"""
create table metrics (
    account_id bigint not null,
    org_id uuid not null,
    level text not null,
    entity_id text not null,
    day date not null,{MEASURES},
    actions jsonb,
    valid_from timestamptz not null,
    run_id bigint not null,
    primary key (account_id, level, day, entity_id)
);

create view visible_metrics with (security_barrier) as
    select * from metrics
     where org_id = (select app_org())
       and ((select app_all_accounts()) or account_id = any ((select app_accounts())::bigint[]))
    with cascaded check option;

-- What stood at the end of a UTC day of the business clock and was replaced or deleted later. Kept for ever.
create table restatements (
    account_id bigint not null,
    org_id uuid not null,
    level text not null,
    entity_id text not null,
    day date not null,{MEASURES},
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    run_id bigint not null,
    replaced_by_run_id bigint not null,
    primary key (account_id, level, day, entity_id, valid_from),
    check (valid_from < valid_to)
);
call isolate('restatements', true);

grant select on metrics to adloom_backup;
grant select, insert, update, delete on visible_metrics to adloom_sync_meta;
grant select, insert, update on entities, sync_runs to adloom_sync_meta;
grant select, insert on entity_changes, restatements to adloom_sync_meta;
grant select, insert, update, delete on sync_windows, reconciliations to adloom_sync_meta;
grant select on visible_metrics, entities, entity_changes, sync_runs, sync_windows, reconciliations, restatements
    to adloom_dashboard, adloom_cli;
"""


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    for block in (ENTITIES, PROOF, METRICS):
        op.execute(block)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("drop view visible_metrics")
    for table in (
        "restatements",
        "metrics",
        "reconciliations",
        "sync_windows",
        "sync_runs",
        "entity_changes",
        "entities",
    ):
        op.execute(f"drop table {table} cascade")
