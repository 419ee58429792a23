"""Organisations, people, credentials, sessions and operator keys."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
create table organisations (
    org_id uuid primary key,
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null default now()
);

-- A person's home organisation manages the login; memberships say where else the person may go.
create table users (
    user_id uuid primary key,
    org_id uuid not null references organisations,
    email text not null check (email = lower(email) and length(email) between 3 and 320),
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null default now()
);
create unique index users_email on users (email);
create index users_org on users (org_id);

create table memberships (
    org_id uuid not null references organisations,
    user_id uuid not null references users,
    role text not null check (role in ('owner', 'admin', 'editor', 'approver', 'viewer')),
    account_scope text not null default '*' check (account_scope ~ '^([*]|[0-9]+(,[0-9]+)*)$'),
    created_at timestamptz not null default now(),
    primary key (org_id, user_id)
);
create index memberships_user on memberships (user_id);

create table user_credentials (
    user_id uuid primary key references users,
    org_id uuid not null references organisations,
    password_hash text not null,
    updated_at timestamptz not null default now()
);

create table sessions (
    session_id uuid primary key,
    org_id uuid not null references organisations,
    user_id uuid not null references users,
    token_hash bytea not null check (length(token_hash) = 32),
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    idle_expires_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create unique index sessions_token on sessions (token_hash);
create index sessions_user on sessions (org_id, user_id);
create index sessions_expiry on sessions (expires_at);

-- The deployment's, not an organisation's: no login role sees it, functions below use it.
create table operator_keys (
    key_hash bytea primary key check (length(key_hash) = 32),
    name text not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
alter table operator_keys enable row level security;
alter table operator_keys force row level security;
create policy backup on operator_keys for select to adloom_backup using (true);
grant select on operator_keys to adloom_backup;

call isolate('organisations', false);
call isolate('users', false);
call isolate('memberships', false);
call isolate('user_credentials', false);
call isolate('sessions', false);
-- A member whose home is elsewhere is visible, not changeable.
create policy members on users for select using (
    exists (select from memberships m where m.user_id = users.user_id and m.org_id = (select app_org()))
);

call open_to_definer('organisations', 'select');
call open_to_definer('users', 'select');
call open_to_definer('memberships', 'select');
call open_to_definer('user_credentials', 'select');
call open_to_definer('sessions', 'select, update, delete');
call open_to_definer('operator_keys', 'select, insert');

grant select, insert, update on organisations, users, memberships, user_credentials, sessions to adloom_auth;
grant select on organisations, users, memberships to adloom_dashboard, adloom_cli;
grant select on organisations to adloom_oauth_callback, adloom_sync_meta, adloom_connector;
"""

FUNCTIONS = """
-- Who holds this token: a person's session or the operator. Real time, not the business clock.
create function principal_by_token(hash bytea, idle interval)
    returns table (kind text, session_id uuid, user_id uuid, org_id uuid, role text, account_scope text,
                   expires_at timestamptz)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- One write a minute at most, so that reading pages does not write a row each time.
    update sessions s set last_used_at = now(), idle_expires_at = now() + idle
     where s.token_hash = hash and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
       and s.last_used_at < now() - interval '1 minute';
    return query
    select 'user', s.session_id, s.user_id, s.org_id, m.role, m.account_scope,
           least(s.expires_at, s.idle_expires_at)
      from sessions s join memberships m on m.org_id = s.org_id and m.user_id = s.user_id
     where s.token_hash = hash and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
    union all
    select 'operator', null, null, null, 'owner', '*', null
      from operator_keys k where k.key_hash = hash and k.revoked_at is null;
end
$$;

-- The password's hash and where the person belongs, for the log-in only.
create function login_by_email(address text)
    returns table (user_id uuid, org_id uuid, organisation text, name text, role text, password_hash text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select u.user_id, m.org_id, o.name, u.name, m.role, c.password_hash
      from users u
      join user_credentials c on c.user_id = u.user_id
      join memberships m on m.user_id = u.user_id
      join organisations o on o.org_id = m.org_id
     where u.email = lower(address)
     order by (m.org_id = u.org_id) desc, m.created_at
     limit 1
$$;

create function email_is_taken(address text) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from users where email = lower(address))
$$;

-- True once: until the first organisation is there, set-up is open.
create function needs_setup() returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select not exists (select from organisations)
$$;

create function all_organisations() returns table (org_id uuid, name text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.org_id, o.name from organisations o order by o.created_at, o.org_id
$$;

create function register_operator_key(hash bytea, key_name text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into operator_keys (key_hash, name) values (hash, key_name) on conflict (key_hash) do nothing
$$;

-- Sessions that ended a week ago help nobody; a week lets a person see what ended.
create function purge_sessions() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from sessions s
         where least(s.expires_at, s.idle_expires_at, s.revoked_at) < now() - interval '7 days' returning 1
    )
    select count(*) from gone
$$;

revoke all on function principal_by_token(bytea, interval), login_by_email(text), email_is_taken(text), needs_setup(),
    all_organisations(), register_operator_key(bytea, text), purge_sessions() from public;
grant execute on function principal_by_token(bytea, interval)
    to adloom_auth, adloom_oauth_callback, adloom_sync_meta;
grant execute on function login_by_email(text), email_is_taken(text), needs_setup(),
    register_operator_key(bytea, text), purge_sessions() to adloom_auth;
grant execute on function all_organisations() to adloom_auth, adloom_oauth_callback, adloom_sync_meta, adloom_cli;
"""

DEFINERS = (
    "principal_by_token(bytea, interval)",
    "login_by_email(text)",
    "email_is_taken(text)",
    "needs_setup()",
    "all_organisations()",
    "register_operator_key(bytea, text)",
    "purge_sessions()",
)


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    op.execute("reset role")
    # A new owner needs the right to create in the schema for the moment of the change.
    op.execute("grant create on schema public to adloom_definer")
    for function in DEFINERS:
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    for function in DEFINERS:
        op.execute(f"drop function {function}")
    for table in ("operator_keys", "sessions", "user_credentials", "memberships", "users", "organisations"):
        op.execute(f"drop table {table} cascade")
