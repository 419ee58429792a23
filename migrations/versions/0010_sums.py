"""Weekly and monthly sums of the metrics, and marks on what changed since the stored ones were made.

Everywhere the sums are views. Where TimescaleDB's Community edition is, `adloom.db.timescale` stores them as continuous
aggregates of the same names and columns; the marks are written and read only there.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

SUMMED = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views")
GRAINS = {"week": "metrics_weekly", "month": "metrics_monthly"}

MARKS = """
-- Stored sums of these days of an account are out of date: readers take its rows instead. `token` is another with every
-- change, so that only a mark that nobody renewed meanwhile is taken away.
create table metrics_marks (
    account_id bigint not null,
    org_id uuid not null,
    grain text not null check (grain in ('week', 'month')),
    since date not null,
    until date not null,
    token uuid not null default gen_random_uuid(),
    marked_at timestamptz not null default clock_timestamp(),
    primary key (account_id, grain, since),
    -- Marks of an account never overlap: its rows would be added up twice.
    check (since = date_trunc(grain, since::timestamp)::date),
    check (until = case grain when 'week' then since + 6 else (since + interval '1 month')::date - 1 end)
);
call isolate('metrics_marks', true);
call open_to_definer('metrics_marks', 'select, insert, update');

-- Whether the sums are stored, so that reading them is less work than reading rows.
create function sums_are_stored() returns boolean language sql stable parallel safe
    set search_path = pg_catalog, pg_temp as $$ select false $$;
"""

# Reach is not additive: of more than one row there is none, and the reader of the sums sees to it by `row_count`.
SUMS = f"""
create view {{relation}} as
    select account_id, org_id, level, entity_id, date_trunc('{{grain}}', day)::date as {{grain}}, count(*) as row_count,
           {", ".join(f"sum({measure}) as {measure}" for measure in SUMMED)}, max(reach) as reach
      from metrics group by 1, 2, 3, 4, 5;

create view visible_{{grain}}ly with (security_barrier) as
    select * from {{relation}}
     where org_id = (select app_org())
       and ((select app_all_accounts()) or account_id = any ((select app_accounts())::bigint[]));

grant select on visible_{{grain}}ly to adloom_dashboard, adloom_cli;
"""

# What of all this `adloom.db.timescale` replaced is taken down as it is found. The hypertable stays one.
DOWN = """
do $$
declare
    relation text;
    kept boolean := false;
    job integer;
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        for job in select j.job_id from timescaledb_information.jobs j where j.proc_name = 'tend_metrics' loop
            execute format('select %I.delete_job(%s)', (
                select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                 where e.extname = 'timescaledb'), job);
        end loop;
    end if;
    drop view visible_weekly, visible_monthly;
    foreach relation in array array['metrics_weekly', 'metrics_monthly'] loop
        if exists (select from pg_extension where extname = 'timescaledb') then
            select exists (select from timescaledb_information.continuous_aggregates c
                            where c.view_schema = 'public' and c.view_name = relation) into kept;
        end if;
        execute format('drop %s %I', case when kept then 'materialized view' else 'view' end, relation);
    end loop;
    drop trigger if exists mark_insert on metrics;
    drop trigger if exists mark_update on metrics;
    drop trigger if exists mark_delete on metrics;
    drop trigger if exists mark_truncate on metrics;
end
$$;
drop procedure if exists tend_metrics(integer, jsonb);
drop function if exists mark_metrics();
drop function if exists mark_all_metrics();
drop function sums_are_stored();
drop table metrics_marks;
"""


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(MARKS)
    for grain, relation in GRAINS.items():
        op.execute(SUMS.format(grain=grain, relation=relation))
    op.execute("reset role")


def downgrade() -> None:
    op.execute(DOWN)
