"""Connections to ad platforms, their encrypted tokens, log-in states, ad accounts and platform pauses."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
create table oauth_states (
    state_hash bytea primary key check (length(state_hash) = 32),
    org_id uuid not null references organisations,
    platform text not null check (platform in ('google', 'meta', 'tiktok')),
    user_id uuid references users,
    redirect_uri text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index oauth_states_expiry on oauth_states (expires_at);

create table connections (
    connection_id uuid primary key,
    org_id uuid not null references organisations,
    platform text not null check (platform in ('google', 'meta', 'tiktok')),
    external_user_id text not null,
    name text not null,
    status text not null default 'active' check (status in ('active', 'broken', 'revoked')),
    scopes text[] not null default '{}',
    token_expires_at timestamptz,
    broken_code text,
    broken_at timestamptz,
    connected_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, platform, external_user_id)
);

-- Fernet ciphertext only: the keys are outside the database.
create table connection_tokens (
    connection_id uuid primary key references connections on delete cascade,
    org_id uuid not null references organisations,
    ciphertext bytea not null,
    updated_at timestamptz not null default now()
);

create table ad_accounts (
    account_id bigint generated always as identity primary key,
    org_id uuid not null references organisations,
    connection_id uuid not null references connections,
    platform text not null check (platform in ('google', 'meta', 'tiktok')),
    external_id text not null,
    name text not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    timezone text not null,
    status text not null default 'active' check (status in ('active', 'paused', 'archived', 'deleted')),
    sync_enabled boolean not null default true,
    -- What the next tick looks at; business clock.
    next_due_at timestamptz,
    last_synced_at timestamptz,
    -- Real time: the platform asked us to stay away until then.
    blocked_until timestamptz,
    error_code text,
    error_detail text,
    error_at timestamptz,
    created_at timestamptz not null default now(),
    unique (org_id, platform, external_id)
);
create index ad_accounts_due on ad_accounts (platform, next_due_at) where sync_enabled;

-- The deployment's: an app-wide limit of a platform pauses every account of every organisation.
create table platform_pauses (
    platform text primary key,
    paused_until timestamptz not null
);
alter table platform_pauses enable row level security;
alter table platform_pauses force row level security;
create policy backup on platform_pauses for select to adloom_backup using (true);
grant select on platform_pauses to adloom_backup;

call isolate('oauth_states', false);
call isolate('connections', false);
call isolate('connection_tokens', false);
call isolate('ad_accounts', true);

call open_to_definer('oauth_states', 'select, update, delete');
call open_to_definer('connections', 'select');
call open_to_definer('ad_accounts', 'select, update');
call open_to_definer('platform_pauses', 'select, insert, update');

grant select, insert, update on oauth_states, connections, connection_tokens to adloom_oauth_callback;
grant select, update on ad_accounts to adloom_oauth_callback;
grant select on connections, connection_tokens to adloom_sync_meta;
grant update (status, broken_code, broken_at, updated_at) on connections to adloom_sync_meta;
grant select, insert, update on ad_accounts to adloom_sync_meta;
grant select on connections, ad_accounts to adloom_dashboard, adloom_cli;
"""

FUNCTIONS = """
-- Single use: the first call of two gets the row.
create function claim_oauth_state(hash bytea)
    returns table (org_id uuid, platform text, user_id uuid, redirect_uri text)
    language sql security definer set search_path = public, pg_temp as $$
    update oauth_states s set used_at = now()
     where s.state_hash = hash and s.used_at is null and s.expires_at > now()
    returning s.org_id, s.platform, s.user_id, s.redirect_uri
$$;

create function purge_oauth_states() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (delete from oauth_states where expires_at < now() - interval '1 day' returning 1)
    select count(*) from gone
$$;

-- Claims accounts whose time has come and sets their next time, so that two ticks never claim the same one.
create function claim_due_accounts(of_platform text, business_now timestamptz, every interval, most integer)
    returns table (org_id uuid, account_id bigint)
    language sql security definer set search_path = public, pg_temp as $$
    update ad_accounts a set next_due_at = business_now + every
     where a.account_id in (
        select d.account_id
          from ad_accounts d join connections c on c.connection_id = d.connection_id
         where d.platform = of_platform and d.sync_enabled and c.status = 'active'
           and (d.next_due_at is null or d.next_due_at <= business_now)
           and (d.blocked_until is null or d.blocked_until <= now())
         order by d.next_due_at nulls first
         limit most
         for update of d skip locked
     )
    returning a.org_id, a.account_id
$$;

create function platform_paused_until(of_platform text) returns timestamptz
    language sql stable security definer set search_path = public, pg_temp as $$
    select paused_until from platform_pauses where platform = of_platform and paused_until > now()
$$;

create function pause_platform(of_platform text, until timestamptz) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into platform_pauses as p (platform, paused_until) values (of_platform, until)
    on conflict (platform) do update set paused_until = greatest(p.paused_until, excluded.paused_until)
$$;

revoke all on function claim_oauth_state(bytea), purge_oauth_states(),
    claim_due_accounts(text, timestamptz, interval, integer), platform_paused_until(text),
    pause_platform(text, timestamptz) from public;
grant execute on function claim_oauth_state(bytea), purge_oauth_states() to adloom_oauth_callback;
grant execute on function claim_due_accounts(text, timestamptz, interval, integer), platform_paused_until(text),
    pause_platform(text, timestamptz) to adloom_sync_meta;
"""

DEFINERS = (
    "claim_oauth_state(bytea)",
    "purge_oauth_states()",
    "claim_due_accounts(text, timestamptz, interval, integer)",
    "platform_paused_until(text)",
    "pause_platform(text, timestamptz)",
)


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in DEFINERS:
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    for function in DEFINERS:
        op.execute(f"drop function {function}")
    for table in ("platform_pauses", "ad_accounts", "connection_tokens", "connections", "oauth_states"):
        op.execute(f"drop table {table} cascade")
