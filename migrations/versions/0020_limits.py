"""Limits counted for all processes together, and the browsers that a person has logged in with."""

from alembic import op

revision = "0020"
down_revision = "0012"

TABLES = """
-- One row per key, the times of its hits in it: a hit is one statement, and the row's lock makes it exact. Rows change
-- with every hit, so half of each page is left free for the next version of them.
create table rate_limits (
    limit_key bytea primary key check (length(limit_key) = 32),
    hits timestamptz[] not null,
    expires_at timestamptz not null
) with (fillfactor = 50);

-- Whoever tries passwords from such a browser is counted apart from everybody else.
create table known_devices (
    device_id uuid primary key,
    user_id uuid not null references users on delete cascade,
    token_hash bytea not null check (length(token_hash) = 32),
    name text not null default '' check (length(name) <= 200),
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create unique index known_devices_token on known_devices (token_hash);
create index known_devices_user on known_devices (user_id);

-- Both are the deployment's: no login role sees them, the functions below use them.
alter table rate_limits enable row level security;
alter table rate_limits force row level security;
alter table known_devices enable row level security;
alter table known_devices force row level security;
create policy backup on rate_limits for select to adloom_backup using (true);
create policy backup on known_devices for select to adloom_backup using (true);
grant select on rate_limits, known_devices to adloom_backup;
call open_to_definer('rate_limits', 'select, insert, update, delete');
call open_to_definer('known_devices', 'select, insert, update, delete');
"""

FUNCTIONS = """
-- Count a hit in a moving window; false, and not counted, when the limit is used up. `lasting` hits survive a crash of
-- the server; the others are on disk a moment later, so that they cost a request no wait for it.
create function take_rate_limit(key bytea, most integer, span interval, amount integer, lasting boolean)
    returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not lasting then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    insert into rate_limits as r (limit_key, hits, expires_at)
    select key, array_fill(clock_timestamp(), array[amount]), clock_timestamp() + span where amount <= most
    on conflict (limit_key) do update
       set hits = array(select h from unnest(r.hits) h where h > clock_timestamp() - span)
                  || array_fill(clock_timestamp(), array[amount]),
           expires_at = clock_timestamp() + span
     where (select count(*) from unnest(r.hits) h where h > clock_timestamp() - span) + amount <= most;
    return found;
end
$$;

-- The seconds since the oldest hit in the window and how many there are.
create function rate_limit_window(key bytea, span interval)
    returns table (age double precision, hits integer)
    language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(extract(epoch from clock_timestamp() - min(h)), 0)::double precision, count(h)::integer
      from rate_limits r, unnest(r.hits) h
     where r.limit_key = key and h > clock_timestamp() - span
$$;

create function forget_rate_limit(key bytea) returns void
    language sql security definer set search_path = public, pg_temp as $$
    delete from rate_limits r where r.limit_key = key
$$;

create function purge_rate_limits() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (delete from rate_limits r where r.expires_at < now() returning 1) select count(*) from gone
$$;

-- The browser, when this very person has logged in with it before.
create function known_device(address text, hash bytea) returns uuid
    language sql stable security definer set search_path = public, pg_temp as $$
    select d.device_id from known_devices d join users u on u.user_id = d.user_id
     where d.token_hash = hash and u.email = lower(address) and d.expires_at > now()
$$;

-- The person logged in with this browser: one that is known to be the person's lives on, any other gets a token of its
-- own. `news` is `known`, `first` (the person's first browser of all) or `new`.
create function remember_device(person uuid, hash bytea, new_hash bytea, device text, life interval)
    returns table (device_id uuid, news text)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return query
    update known_devices d set last_used_at = now(), expires_at = now() + life, name = device
     where d.token_hash = hash and d.user_id = person and d.expires_at > now()
    returning d.device_id, 'known';
    if found then
        return;
    end if;
    return query
    insert into known_devices as d (device_id, user_id, token_hash, name, expires_at)
    values (gen_random_uuid(), person, new_hash, device, now() + life)
    returning d.device_id,
              case when exists (select from known_devices o where o.user_id = person) then 'new' else 'first' end;
end
$$;

create function forget_devices(person uuid, but uuid) returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from known_devices d where d.user_id = person and d.device_id is distinct from but returning 1
    )
    select count(*) from gone
$$;

create function purge_devices() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (delete from known_devices d where d.expires_at < now() returning 1) select count(*) from gone
$$;
"""

LIMITS = (
    "take_rate_limit(bytea, integer, interval, integer, boolean)",
    "rate_limit_window(bytea, interval)",
    "forget_rate_limit(bytea)",
)
DEVICES = (
    "purge_rate_limits()",
    "known_device(text, bytea)",
    "remember_device(uuid, bytea, bytea, text, interval)",
    "forget_devices(uuid, uuid)",
    "purge_devices()",
)
FUNCTIONS_WITH_ROUTES = "adloom_auth, adloom_oauth_callback, adloom_sync_meta"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for function in LIMITS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to {FUNCTIONS_WITH_ROUTES}")
    for function in DEVICES:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adloom_auth")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in LIMITS + DEVICES:
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    for function in LIMITS + DEVICES:
        op.execute(f"drop function {function}")
    for table in ("known_devices", "rate_limits"):
        op.execute(f"drop table {table} cascade")
