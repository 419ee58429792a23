"""Exchange rates, as they were known at any time, and when they were last asked for."""

from alembic import op

revision = "0044"
down_revision = "0043"

# The deployment's, of no organisation: reached by the functions below alone.
TABLES = """
-- Units of a currency per euro on a day, as a source said from valid_from to valid_to; business clock. At most one
-- version per UTC day, as with restatements.
create table rates (
    day date not null,
    currency text not null check (currency ~ '^[A-Z]{3}$' and currency <> 'EUR'),
    per_eur numeric not null check (per_eur > 0),
    source text not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null default 'infinity',
    primary key (currency, day, valid_from),
    check (valid_from < valid_to)
);
create unique index rates_present on rates (currency, day) where valid_to = 'infinity';

-- One row, `rates`: when they are to be asked for again, and how that went last. Business clock.
create table rate_loads (
    name text primary key,
    next_due_at timestamptz,
    tried_at timestamptz,
    loaded_at timestamptz,
    error text
);

alter table rates enable row level security;
alter table rates force row level security;
alter table rate_loads enable row level security;
alter table rate_loads force row level security;
create policy backup on rates for select to adloom_backup using (true);
create policy backup on rate_loads for select to adloom_backup using (true);
grant select on rates, rate_loads to adloom_backup;
call open_to_definer('rates', 'select, insert, update');
call open_to_definer('rate_loads', 'select, insert, update');
"""

FUNCTIONS = """
-- The rates of every day, each the last one that there was by then; known at an instant, or now. A currency that had
-- none for a year has none any more.
create function exchange_rates(in_currencies text[], since date, until date, as_of timestamptz)
    returns table (day date, currency text, per_eur numeric)
    language sql stable security definer set search_path = public, pg_temp as $$
    select d.day::date, c.currency, r.per_eur
      from generate_series(since::timestamp, until::timestamp, interval '1 day') as d (day)
     cross join (select distinct u.currency from unnest(in_currencies) as u (currency)) c
     cross join lateral (
        select 1::numeric as per_eur where c.currency = 'EUR'
        union all (
        select k.per_eur from rates k
         where k.currency = c.currency and k.day <= d.day::date and k.day > d.day::date - 366
           and k.valid_from < coalesce(as_of, 'infinity') and k.valid_to >= coalesce(as_of, 'infinity')
         order by k.day desc limit 1)
     ) r
$$;

-- Takes in what a source says, and returns how many rates were new or other ones.
create function store_rates(
    in_days date[], in_currencies text[], in_rates numeric[], in_source text, business_now timestamptz)
    returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    corrected bigint;
    added bigint;
begin
    -- What was said today, or by a clock that has been set back since, is corrected where it stands.
    update rates r set per_eur = s.per_eur, source = in_source
      from unnest(in_days, in_currencies, in_rates) as s (day, currency, per_eur)
     where r.currency = s.currency and r.day = s.day and r.valid_to = 'infinity'
       and (r.per_eur, r.source) is distinct from (s.per_eur, in_source)
       and r.valid_from >= date_trunc('day', business_now, 'UTC');
    get diagnostics corrected = row_count;
    update rates r set valid_to = business_now
      from unnest(in_days, in_currencies, in_rates) as s (day, currency, per_eur)
     where r.currency = s.currency and r.day = s.day and r.valid_to = 'infinity'
       and (r.per_eur, r.source) is distinct from (s.per_eur, in_source);
    insert into rates (day, currency, per_eur, source, valid_from)
    select s.day, s.currency, s.per_eur, in_source, business_now
      from unnest(in_days, in_currencies, in_rates) as s (day, currency, per_eur)
     where not exists (
        select from rates r where r.currency = s.currency and r.day = s.day and r.valid_to = 'infinity');
    get diagnostics added = row_count;
    return corrected + added;
end
$$;

-- Of several ticks one loads. No wait is a day long: a later time was written by a clock that has been set back since.
create function claim_rates(business_now timestamptz, again_after interval) returns boolean
    language sql security definer set search_path = public, pg_temp as $$
    with claimed as (
        insert into rate_loads as l (name, next_due_at, tried_at)
        values ('rates', business_now + again_after, business_now)
        on conflict (name) do update set next_due_at = excluded.next_due_at, tried_at = excluded.tried_at
         where l.next_due_at is null or l.next_due_at <= business_now
            or l.next_due_at > business_now + interval '1 day'
        returning 1)
    select exists (select from claimed)
$$;

create function rates_loaded(business_now timestamptz, next_after interval, in_error text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update rate_loads set next_due_at = business_now + next_after, error = in_error,
           loaded_at = case when in_error is null then business_now else loaded_at end
     where name = 'rates'
$$;

create function rates_known()
    returns table (first date, last date, currencies text[], sources text[], loaded_at timestamptz,
                   tried_at timestamptz, error text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select min(r.day), max(r.day), coalesce(array_agg(distinct r.currency) filter (where r.day is not null), '{}'),
           coalesce(array_agg(distinct r.source) filter (where r.day is not null), '{}'),
           l.loaded_at, l.tried_at, l.error
      from (select 1) one left join rate_loads l on l.name = 'rates' left join rates r on r.valid_to = 'infinity'
     group by l.name
$$;
"""

READERS = ("exchange_rates(text[], date, date, timestamptz)", "rates_known()")
WRITERS = (
    "store_rates(date[], text[], numeric[], text, timestamptz)",
    "claim_rates(timestamptz, interval)",
    "rates_loaded(timestamptz, interval, text)",
)


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for function in (*READERS, *WRITERS):
        op.execute(f"revoke all on function {function} from public")
    for function in READERS:
        op.execute(f"grant execute on function {function} to adloom_sync, adloom_dashboard, adloom_cli")
    for function in WRITERS:
        op.execute(f"grant execute on function {function} to adloom_sync")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in (*READERS, *WRITERS):
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    for function in (*READERS, *WRITERS):
        op.execute(f"drop function {function}")
    op.execute("drop table rates")
    op.execute("drop table rate_loads")
