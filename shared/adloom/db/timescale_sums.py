"""What TimescaleDB's Community edition keeps beside the metrics: stored sums, marks, compression, and a job for them.

Stored sums are right at every moment, whatever was refreshed when:

1. Every change of a row of `metrics` renews the mark of its week and month, in the transaction of the change: triggers
   see to it, so no writer can forget it.
2. Readers take stored sums of what is not marked and rows of what is, in one statement, which has one snapshot.
3. The job notes the marks' tokens, commits, makes the sums again from the rows that are there by then, and removes the
   marks whose token is still the same. A change that came between has renewed its mark, which stays.

So a sum without a mark was made after the last change of its rows, and a snapshot that sees a change without its mark
sees the sum that holds it. TimescaleDB's own real-time union covers days behind the last sum only, not late changes.
"""

from __future__ import annotations

SUMMED = ("impressions", "clicks", "spend", "conversions", "conversion_value", "video_views")
GRAINS = {"week": ("metrics_weekly", "7 days"), "month": ("metrics_monthly", "1 month")}
JOB = "tend_metrics"
# Days that are read again every night are not worth compressing, nor sums of what is still being written.
COMPRESS_AFTER = "180 days"
JOB_EVERY = "1 hour"
QUIET_FOR = "1 hour"

_SUMS = ", ".join(f"sum({measure}) as {measure}" for measure in SUMMED)
_NAMES = ", ".join(SUMMED)
_OURS = """org_id = (select app_org())
       and ((select app_all_accounts()) or {0}.account_id = any ((select app_accounts())::bigint[]))"""

# The batches of compressed rows follow how they are read and written: an account's level, by entity and day.
COMPRESSION = """
alter table metrics set (timescaledb.compress, timescaledb.compress_segmentby = 'account_id, level',
    timescaledb.compress_orderby = 'entity_id, day')
"""
# A window of an account that is read again may touch more compressed rows than the server's default allows.
DECOMPRESSION = (
    "do $$ begin execute format("
    "'alter database %I set timescaledb.max_tuples_decompressed_per_dml_transaction = 0', current_database()); end $$"
)

# What was marked in this transaction is remembered in a setting, which a savepoint takes back like the marks. Weeks are
# counted from a Monday before all our days; a week that two months share marks both.
_KEY = "' ' || {0}.account_id || ':' || ({0}.day - date '0001-01-01') / 7 || ' '"
_IS_NEW = "strpos(coalesce(current_setting('app.marked', true), ''), {0}) = 0"
_MOST_REMEMBERED = 2000

_MARK = f"""
create or replace function mark_metrics() returns trigger language plpgsql security definer
    set search_path = public, pg_temp as $$
declare
    marked text := coalesce(current_setting('app.marked', true), '');
begin
    insert into metrics_marks (account_id, org_id, grain, since, until)
    select distinct on (r.account_id, b.grain, b.since) r.account_id, r.org_id, b.grain, b.since,
           case b.grain when 'week' then b.since + 6 else (b.since + interval '1 month')::date - 1 end
      from (values (old.account_id, old.org_id, date_trunc('week', old.day)::date),
                   (new.account_id, new.org_id, date_trunc('week', new.day)::date)) r (account_id, org_id, monday)
           cross join lateral (values ('week', r.monday), ('month', date_trunc('month', r.monday)::date),
                                      ('month', date_trunc('month', r.monday + 6)::date)) b (grain, since)
     where r.account_id is not null
     order by r.account_id, b.grain, b.since
        on conflict (account_id, grain, since)
        do update set token = excluded.token, marked_at = excluded.marked_at, org_id = excluded.org_id;
    if length(marked) > {_MOST_REMEMBERED} then
        marked := '';
    end if;
    if tg_op = 'DELETE' then
        perform set_config('app.marked', marked || {_KEY.format("old")}, true);
        return old;
    end if;
    perform set_config('app.marked', marked || {_KEY.format("new")}, true);
    return new;
end
$$;
revoke all on function mark_metrics() from public;

create or replace function mark_all_metrics() returns trigger language plpgsql
    set search_path = public, pg_temp as $$
begin
    insert into metrics_marks (account_id, org_id, grain, since, until)
    select distinct account_id, org_id, 'week', week, week + 6 from metrics_weekly
     union
    select distinct account_id, org_id, 'month', month, (month + interval '1 month')::date - 1 from metrics_monthly
        on conflict (account_id, grain, since) do update set token = excluded.token, marked_at = excluded.marked_at;
    return null;
end
$$;
revoke all on function mark_all_metrics() from public;
"""

_TRIGGERS = f"""
create or replace trigger mark_insert before insert on metrics for each row
    when ({_IS_NEW.format(_KEY.format("new"))}) execute function mark_metrics();
create or replace trigger mark_update before update on metrics for each row
    when ({_IS_NEW.format(_KEY.format("new"))} or old.day <> new.day or old.account_id <> new.account_id)
    execute function mark_metrics();
create or replace trigger mark_delete before delete on metrics for each row
    when ({_IS_NEW.format(_KEY.format("old"))}) execute function mark_metrics();
create or replace trigger mark_truncate before truncate on metrics for each statement
    execute function mark_all_metrics();
"""

# For rows that came before the triggers.
MARK_WHAT_IS_THERE = """
insert into metrics_marks (account_id, org_id, grain, since, until, marked_at)
select distinct account_id, org_id, 'week', date_trunc('week', day)::date, date_trunc('week', day)::date + 6,
       'epoch'::timestamptz
  from metrics
 union
select distinct account_id, org_id, 'month', date_trunc('month', day)::date,
       (date_trunc('month', day) + interval '1 month')::date - 1, 'epoch'::timestamptz
  from metrics
    on conflict (account_id, grain, since) do update set token = excluded.token, marked_at = excluded.marked_at
"""

_STORED = f"""
drop view visible_{{grain}}ly;
drop view {{relation}};
create materialized view {{relation}} with (timescaledb.continuous, timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false) as
    select account_id, org_id, level, entity_id, {{extension}}.time_bucket(interval '{{width}}', day) as {{grain}},
           count(*) as row_count, {_SUMS}, max(reach) as reach
      from metrics group by 1, 2, 3, 4, 5
    with no data;
create index on {{relation}} (account_id, level, {{grain}});

create view visible_{{grain}}ly with (security_barrier) as
    select s.account_id, s.org_id, s.level, s.entity_id, s.{{grain}}, s.row_count, {_NAMES}, s.reach
      from {{relation}} s
     where s.{_OURS.format("s")}
       and not exists (select from metrics_marks k
                        where k.account_id = s.account_id and k.grain = '{{grain}}' and k.since = s.{{grain}})
     union all
    select m.account_id, m.org_id, m.level, m.entity_id, k.since, count(*), {_SUMS}, max(m.reach)
      from metrics_marks k join metrics m on m.account_id = k.account_id and m.day between k.since and k.until
     where k.grain = '{{grain}}' and m.{_OURS.format("m")}
     group by 1, 2, 3, 4, 5;
grant select on visible_{{grain}}ly to adloom_dashboard, adloom_cli;
"""

_KNOWN_AS_STORED = """
create or replace function sums_are_stored() returns boolean language sql stable parallel safe
    set search_path = pg_catalog, pg_temp as $$ select true $$
"""

# Neighbouring weeks or months are summed at once, a year at most, so that the rows are read once.
# Days that are not over everywhere are left to the rows: their sums would be out of date as soon as they are made.
_TEND = """
create or replace procedure tend_metrics(job_id integer, config jsonb) language plpgsql as $$
declare
    quiet interval := coalesce(config ->> 'quiet', '{quiet}')::interval;
    old interval := coalesce(config ->> 'compress_after', '{old}')::interval;
    stale record;
    tokens uuid[];
    piece regclass;
begin
    -- One at a time, the job and whoever does not wait for it; the lock ends with the session.
    perform pg_advisory_lock(hashtext('tend_metrics'));
    for stale in
        select r.grain, min(r.since) as since, max(r.until) as until from (
            select b.*, count(*) filter (where b.is_first) over (partition by b.grain order by b.since) as run from (
                select m.grain, m.since, m.until,
                       m.since is distinct from 1 + lag(m.until) over before
                       or extract(year from m.since) <> extract(year from lag(m.since) over before) as is_first
                  from public.metrics_marks m
                 where m.until < current_date - 1
                 group by m.grain, m.since, m.until having min(m.marked_at) < clock_timestamp() - quiet
                window before as (partition by m.grain order by m.since)) b) r
         group by r.grain, r.run order by 2 desc, 1
    loop
        tokens := array(select m.token from public.metrics_marks m
                         where m.grain = stale.grain and m.since between stale.since and stale.until);
        commit;
        if stale.grain = 'week' then
            call {extension}.refresh_continuous_aggregate(
                'public.metrics_weekly', stale.since, stale.until + 1, force => true);
        else
            call {extension}.refresh_continuous_aggregate(
                'public.metrics_monthly', stale.since, stale.until + 1, force => true);
        end if;
        delete from public.metrics_marks m using (
            select k.token from public.metrics_marks k
             where k.grain = stale.grain and k.since between stale.since and stale.until and k.token = any (tokens)
               for update skip locked) settled
         where m.grain = stale.grain and m.since between stale.since and stale.until and m.token = settled.token;
        commit;
    end loop;
    -- What is marked is still being written or waits to be summed; it is compressed another time.
    for piece in
        select format('%I.%I', c.chunk_schema, c.chunk_name)::regclass from timescaledb_information.chunks c
         where c.hypertable_schema = 'public' and c.hypertable_name = 'metrics' and c.range_end < current_date - old
           and not exists (select from public.metrics_marks m
                            where m.since < c.range_end and m.until >= c.range_start
                              and m.marked_at > clock_timestamp() - quiet)
         order by c.range_start
    loop
        begin
            -- Of this and a sync that writes there it is this that gives up, before the server sees a deadlock.
            set local lock_timeout = '500ms';
            perform {extension}.compress_chunk(piece, if_not_compressed => true);
        exception when lock_not_available or deadlock_detected or serialization_failure then
            raise log 'adloom: % is in use and will be compressed another time', piece;
        end;
        commit;
    end loop;
    perform pg_advisory_unlock(hashtext('tend_metrics'));
end
$$;
"""


def storing(extension: str) -> list[str]:
    """Statements, for the owner, that turn the views of sums into stored ones. MARK_WHAT_IS_THERE belongs to them.

    `extension`: the schema that TimescaleDB is in. The triggers' lock keeps writers out until the marks are there.
    """
    steps = [COMPRESSION]
    for grain, (relation, width) in GRAINS.items():
        steps += _STORED.format(grain=grain, relation=relation, width=width, extension=extension).split(";\n")
    return [
        *(step for step in steps if step.strip()),
        _MARK,
        _TRIGGERS,
        _KNOWN_AS_STORED,
        _TEND.format(extension=extension, quiet=QUIET_FOR, old=COMPRESS_AFTER),
    ]
