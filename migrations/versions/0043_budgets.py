"""Calls that a platform still allows, shared by all processes; cadences and why; days that are set aside."""

from alembic import op

revision = "0043"
down_revision = "0042"

COLUMNS = """
alter table ad_accounts
    -- Calls of one sync of the last days, and of one that reads all that may have moved; as measured.
    add column sync_calls real,
    add column night_calls real;

alter table sync_windows
    -- Business clock: these days failed again and again; those behind them go on.
    add column aside_at timestamptz,
    add column error_code text,
    add column error_detail text;
"""

TABLES = """
-- The deployment's, real time. Of an app, and of its accounts by the platform's id: until when the platform wants no
-- calls, how much of a quota it says is used up, and the next moment at which a call may be made.
create table budgets (
    platform text not null,
    scope text not null check (scope in ('app', 'account')),
    key text not null default '',
    closed_until timestamptz,
    percent real not null default 0,
    heard_at timestamptz,
    next_at timestamptz,
    primary key (platform, scope, key)
);

-- Calls that were given out, by ten minutes.
create table budget_calls (
    platform text not null,
    counted_at timestamptz not null,
    purpose text not null,
    calls integer not null check (calls >= 0),
    primary key (platform, counted_at, purpose)
);

-- How often a platform's accounts are synced, and why. Business clock.
create table paces (
    platform text primary key,
    every interval not null,
    reason text not null check (reason in ('usual', 'quota', 'load')),
    tier text not null,
    calls_allowed integer,
    calls_needed integer not null,
    since timestamptz not null,
    noted_at timestamptz not null
);
"""
NAMES = ("budgets", "budget_calls", "paces")

FUNCTIONS = """
-- Give out up to `wanted` calls, but no fewer than `fewest`; none when the platform wants none, that would be more than
-- `per_day` in the last 24 hours, or than `share` of this purpose, or the next free moment is further ahead than
-- `most_ahead`. `wait_s` is until the first of them, `retry_at` when to ask again, `counted_at` where they are counted.
create function take_calls_at(
    of_platform text, of_account text, of_purpose text, wanted integer, fewest integer, per_day integer,
    share integer, per_second double precision, most_ahead interval, at timestamptz)
    returns table (granted integer, wait_s double precision, retry_at timestamptz, counted_at timestamptz,
                   load_percent real, refused_by text)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- A call is made within two minutes of being given out, so that ten minutes of them count for twelve more.
    counts_for constant interval := interval '24 hours 12 minutes';
    used bigint;
    used_here bigint;
    -- Whoever needs more than there can be takes all of it.
    needed_now constant integer := greatest(1, least(fewest, take_calls_at.share, per_day));
    first_at timestamptz;
begin
    granted := wanted; wait_s := 0; counted_at := date_bin('10 minutes', at, 'epoch');
    select coalesce(max(b.percent), 0) into load_percent
      from budgets b
     where b.platform = of_platform and b.heard_at > at - interval '5 minutes'
       and ((b.scope = 'app' and b.key = '') or (b.scope = 'account' and b.key = of_account));
    select x.scope, x.until into refused_by, retry_at
      from (select 'app' as scope, p.paused_until as until from platform_pauses p where p.platform = of_platform
            union all
            select b.scope, b.closed_until from budgets b
             where b.platform = of_platform
               and ((b.scope = 'app' and b.key = '') or (b.scope = 'account' and b.key = of_account))) x
     where x.until > at order by x.until desc limit 1;
    if found then
        granted := 0;
        return next;
        return;
    end if;
    if per_day is null and per_second is null then
        return next;
        return;
    end if;
    if per_day is null then
        -- Moments are soon over: after a crash of the server nobody misses them.
        perform set_config('synchronous_commit', 'off', true);
    end if;
    -- Whoever takes calls of this app has this row until the end of the transaction.
    -- A moment further ahead than any that is given out was noted by a clock that has been set back since.
    insert into budgets as b (platform, scope, key, next_at) values (of_platform, 'app', '', at)
    on conflict (platform, scope, key) do update
       set next_at = case when b.next_at > at + interval '10 minutes' then at else greatest(b.next_at, at) end
    returning b.next_at into first_at;
    if per_day is not null then
        delete from budget_calls c where c.platform = of_platform and c.counted_at <= at - counts_for;
        select coalesce(sum(c.calls), 0), coalesce(sum(c.calls) filter (where c.purpose = of_purpose), 0)
          into used, used_here from budget_calls c where c.platform = of_platform;
        granted := least(wanted, per_day - used, share - used_here);
        if granted < needed_now then
            granted := 0;
            refused_by := 'budget';
            select min(s.counted_at) + counts_for into retry_at
              from (select c.counted_at, sum(sum(c.calls)) over w as gone,
                           sum(sum(c.calls) filter (where c.purpose = of_purpose)) over w as gone_here
                      from budget_calls c where c.platform = of_platform
                     group by c.counted_at window w as (order by c.counted_at)) s
             where s.gone >= used + needed_now - per_day
               and coalesce(s.gone_here, 0) >= used_here + needed_now - share;
            retry_at := coalesce(retry_at, at + counts_for);
            return next;
            return;
        end if;
    end if;
    if per_second is not null then
        if first_at > at + most_ahead then
            granted := 0; refused_by := 'pace'; retry_at := first_at;
            return next;
            return;
        end if;
        wait_s := extract(epoch from first_at - at);
        update budgets b set next_at = first_at + granted / per_second * interval '1 second'
         where b.platform = of_platform and b.scope = 'app' and b.key = '';
    end if;
    if per_day is not null then
        insert into budget_calls as c (platform, counted_at, purpose, calls)
        values (of_platform, take_calls_at.counted_at, of_purpose, granted)
        on conflict on constraint budget_calls_pkey do update set calls = c.calls + excluded.calls;
    end if;
    return next;
end
$$;

create function take_calls(
    of_platform text, of_account text, of_purpose text, wanted integer, fewest integer, per_day integer,
    share integer, per_second double precision, most_ahead interval)
    returns table (granted integer, wait_s double precision, retry_at timestamptz, counted_at timestamptz,
                   load_percent real, refused_by text)
    language sql security definer set search_path = public, pg_temp as $$
    select * from take_calls_at(
        of_platform, of_account, of_purpose, wanted, fewest, per_day, share, per_second, most_ahead,
        clock_timestamp())
$$;

-- Calls that were not made after all.
create function give_back_calls(of_platform text, of_purpose text, of_time timestamptz, unused integer) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update budget_calls c set calls = greatest(0, c.calls - unused)
     where c.platform = of_platform and c.purpose = of_purpose and c.counted_at = of_time
$$;

-- What the platform's headers say, for every process to hear.
create function note_load(
    of_platform text, of_scope text, of_key text, said double precision, closed_for interval) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into budgets as b (platform, scope, key, percent, heard_at, closed_until)
    values (of_platform, of_scope, of_key, said, clock_timestamp(),
            case when closed_for > interval '0' then clock_timestamp() + closed_for end)
    on conflict (platform, scope, key) do update
       set percent = excluded.percent, heard_at = excluded.heard_at,
           closed_until = coalesce(excluded.closed_until, b.closed_until);
end
$$;

-- What it takes to sync every account of a platform once, of all organisations; how busy the app is said to be.
create function sync_demand(of_platform text, first_sync double precision, first_night double precision)
    returns table (accounts bigint, sync_calls double precision, night_calls double precision, load_percent real)
    language sql stable security definer set search_path = public, pg_temp as $$
    select count(*), coalesce(sum(coalesce(a.sync_calls, first_sync)), 0),
           coalesce(sum(coalesce(a.night_calls, first_night)), 0),
           coalesce((select b.percent from budgets b where b.platform = of_platform and b.scope = 'app' and b.key = ''
                        and b.heard_at > now() - interval '15 minutes'), 0)
      from ad_accounts a join connections c on c.connection_id = a.connection_id
     where a.platform = of_platform and a.sync_enabled and c.status = 'active'
$$;

create function note_pace(
    of_platform text, new_every interval, new_reason text, new_tier text, allowed integer, needed integer,
    business_now timestamptz) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into paces as p values (of_platform, new_every, new_reason, new_tier, allowed, needed, business_now,
                                   business_now)
    on conflict (platform) do update
       set every = excluded.every, reason = excluded.reason, tier = excluded.tier, noted_at = excluded.noted_at,
           calls_allowed = excluded.calls_allowed, calls_needed = excluded.calls_needed,
           since = case when p.every = excluded.every then p.since else excluded.since end
$$;

create function sync_paces()
    returns table (platform text, every interval, reason text, tier text, calls_allowed integer, calls_needed integer,
                   since timestamptz, noted_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select * from paces
$$;
"""

# A time that is further away than any of ours was written by a clock that has been set back since, or when the cadence
# was longer than it is now.
CLAIM = """
create or replace function claim_due_accounts(
    of_platform text, business_now timestamptz, every interval, most integer)
    returns table (org_id uuid, account_id bigint)
    language sql security definer set search_path = public, pg_temp as $$
    update ad_accounts a set next_due_at = business_now + every
     where a.account_id in (
        select d.account_id
          from ad_accounts d join connections c on c.connection_id = d.connection_id
         where d.platform = of_platform and d.sync_enabled and c.status = 'active'
           and (d.next_due_at is null or d.next_due_at <= business_now or d.next_due_at > business_now + {longest})
           and (d.blocked_until is null or d.blocked_until <= now())
         order by d.next_due_at nulls first
         limit most
         for update of d skip locked
     )
    returning a.org_id, a.account_id
$$;
"""
# A turn is at most one and a half cadences away, and what only a person can mend is left alone for an hour.
LONGEST = "greatest(every * 2, interval '2 hours')"
LONGEST_BEFORE = "interval '1 day'"

# Who may call what; nobody but its own wrapper calls take_calls_at.
CALLERS = {
    "take_calls_at(text, text, text, integer, integer, integer, integer, double precision, interval, timestamptz)": "",
    "take_calls(text, text, text, integer, integer, integer, integer, double precision, interval)": "adloom_sync",
    "give_back_calls(text, text, timestamptz, integer)": "adloom_sync",
    "note_load(text, text, text, double precision, interval)": "adloom_sync",
    "sync_demand(text, double precision, double precision)": "adloom_sync",
    "note_pace(text, interval, text, text, integer, integer, timestamptz)": "adloom_sync",
    "sync_paces()": "adloom_sync, adloom_dashboard, adloom_cli",
}


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMNS)
    op.execute(TABLES)
    for table in NAMES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy backup on {table} for select to adloom_backup using (true)")
        op.execute(f"grant select on {table} to adloom_backup")
        op.execute(f"call open_to_definer('{table}', 'select, insert, update, delete')")
    op.execute(FUNCTIONS)
    for function, callers in CALLERS.items():
        op.execute(f"revoke all on function {function} from public")
        if callers:
            op.execute(f"grant execute on function {function} to {callers}")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in CALLERS:
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")
    # It belongs to the definer's role by now.
    op.execute(CLAIM.format(longest=LONGEST))


def downgrade() -> None:
    op.execute(CLAIM.format(longest=LONGEST_BEFORE))
    for function in reversed(CALLERS):
        op.execute(f"drop function {function}")
    for table in NAMES:
        op.execute(f"drop table {table} cascade")
    op.execute("set local role adloom_owner")
    op.execute("alter table sync_windows drop column aside_at, drop column error_code, drop column error_detail")
    op.execute("alter table ad_accounts drop column sync_calls, drop column night_calls")
    op.execute("reset role")
