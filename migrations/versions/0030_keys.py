"""API keys of other systems; operator keys that can be taken back."""

from alembic import op

revision = "0030"
down_revision = "0027"

TABLES = """
create table api_keys (
    key_id uuid primary key,
    org_id uuid not null references organisations,
    -- Null: the operator. A member's key can do no more than the member can at that moment.
    made_by uuid references users,
    name text not null check (length(name) between 1 and 200),
    token_hash bytea not null unique check (length(token_hash) = 32),
    -- What is shown of the token, so that people can tell their keys apart.
    prefix text not null check (length(prefix) = 8),
    last_four text not null check (length(last_four) = 4),
    scopes text[] not null check (cardinality(scopes) > 0),
    role text not null check (role in ('owner', 'admin', 'editor', 'approver', 'viewer')),
    account_scope text not null check (account_scope ~ '^([*]|[0-9]+(,[0-9]+)*)$'),
    per_minute integer not null check (per_minute between 1 and 1000),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    ended_because text check (ended_because in ('revoked', 'maker_left')),
    check ((revoked_at is null) = (ended_because is null))
);
create index api_keys_org on api_keys (org_id);

alter table operator_keys
    add column key_id uuid not null default gen_random_uuid() unique,
    -- Empty for a key that was registered before it was kept.
    add column last_four text not null default '' check (length(last_four) <= 4),
    add column last_used_at timestamptz;

call isolate('api_keys', false);
call open_to_definer('api_keys', 'select, update, delete');
grant update on operator_keys to adloom_definer;

grant select, insert, update (revoked_at, ended_because) on api_keys to adloom_auth;
"""

OLD = """
drop function principal_by_token(bytea, interval);
drop function register_operator_key(bytea, text);
"""

PRINCIPALS = """
-- Who holds this token: a person's session or the operator. Real time, not the business clock.
create function principal_by_token(hash bytea, idle interval)
    returns table (kind text, session_id uuid, key_id uuid, user_id uuid, org_id uuid, role text, account_scope text,
                   expires_at timestamptz, authenticated_at timestamptz)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- One write a minute at most, so that reading pages does not write a row each time.
    update sessions s set last_used_at = now(), idle_expires_at = now() + idle
     where s.token_hash = hash and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
       and s.last_used_at < now() - interval '1 minute';
    return query
    select 'user', s.session_id, null::uuid, s.user_id, s.org_id, m.role, m.account_scope,
           least(s.expires_at, s.idle_expires_at), s.authenticated_at
      from sessions s join memberships m on m.org_id = s.org_id and m.user_id = s.user_id
     where s.token_hash = hash and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now();
    if found then
        return;
    end if;
    update operator_keys k set last_used_at = now()
     where k.key_hash = hash and k.revoked_at is null
       and coalesce(k.last_used_at < now() - interval '1 minute', true);
    return query
    select 'operator', null::uuid, k.key_id, null::uuid, null::uuid, 'owner', '*', null::timestamptz, null::timestamptz
      from operator_keys k where k.key_hash = hash and k.revoked_at is null;
end
$$;

-- The API key of this token, and what its maker may do now: without a membership of the maker there is no key.
create function principal_by_key(hash bytea)
    returns table (key_id uuid, org_id uuid, scopes text[], per_minute integer, expires_at timestamptz, role text,
                   account_scope text, makers_role text, makers_account_scope text)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update api_keys k set last_used_at = now()
     where k.token_hash = hash and k.revoked_at is null and k.expires_at > now()
       and coalesce(k.last_used_at < now() - interval '1 minute', true);
    return query
    select k.key_id, k.org_id, k.scopes, k.per_minute, k.expires_at, k.role, k.account_scope,
           case when k.made_by is null then 'owner' else m.role end,
           case when k.made_by is null then '*' else m.account_scope end
      from api_keys k left join memberships m on m.org_id = k.org_id and m.user_id = k.made_by
     where k.token_hash = hash and k.revoked_at is null and k.expires_at > now()
       and (k.made_by is null or m.user_id is not null);
end
$$;
"""

FUNCTIONS = """
-- The key's id, and whether it is new; null for one that was revoked, and stays so however often a start registers it.
create function register_operator_key(hash bytea, key_name text, four text)
    returns table (key_id uuid, made boolean)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return query
    insert into operator_keys as k (key_hash, name, last_four) values (hash, key_name, four)
        on conflict (key_hash) do nothing returning k.key_id, true;
    if found then
        return;
    end if;
    update operator_keys k set last_four = four where k.key_hash = hash and k.last_four = '';
    return query
    select case when k.revoked_at is null then k.key_id end, false from operator_keys k where k.key_hash = hash;
end
$$;

create function all_operator_keys()
    returns table (key_id uuid, name text, last_four text, created_at timestamptz, last_used_at timestamptz,
                   revoked_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select k.key_id, k.name, k.last_four, k.created_at, k.last_used_at, k.revoked_at
      from operator_keys k order by k.created_at, k.key_id
$$;

-- Its name, when there was such a key that was not revoked yet.
create function revoke_operator_key(wanted uuid) returns table (name text)
    language sql security definer set search_path = public, pg_temp as $$
    update operator_keys k set revoked_at = now() where k.key_id = wanted and k.revoked_at is null returning k.name
$$;

-- Three months let people see which key ended, and why.
create function purge_api_keys() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from api_keys k where least(k.expires_at, k.revoked_at) < now() - interval '90 days' returning 1
    )
    select count(*) from gone
$$;
"""

# What was there before.
BEFORE = """
create function principal_by_token(hash bytea, idle interval)
    returns table (kind text, session_id uuid, user_id uuid, org_id uuid, role text, account_scope text,
                   expires_at timestamptz, authenticated_at timestamptz)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update sessions s set last_used_at = now(), idle_expires_at = now() + idle
     where s.token_hash = hash and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
       and s.last_used_at < now() - interval '1 minute';
    return query
    select 'user', s.session_id, s.user_id, s.org_id, m.role, m.account_scope,
           least(s.expires_at, s.idle_expires_at), s.authenticated_at
      from sessions s join memberships m on m.org_id = s.org_id and m.user_id = s.user_id
     where s.token_hash = hash and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
    union all
    select 'operator', null, null, null, 'owner', '*', null, null
      from operator_keys k where k.key_hash = hash and k.revoked_at is null;
end
$$;
"""
REGISTER_BEFORE = """
create function register_operator_key(hash bytea, key_name text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into operator_keys (key_hash, name) values (hash, key_name) on conflict (key_hash) do nothing
$$;
"""

PRINCIPAL_BY_TOKEN = "principal_by_token(bytea, interval)"  # noqa: S105 - a function's name
OF_EVERYBODY = (PRINCIPAL_BY_TOKEN, "principal_by_key(bytea)")
OF_AUTH = (
    "register_operator_key(bytea, text, text)",
    "all_operator_keys()",
    "revoke_operator_key(uuid)",
    "purge_api_keys()",
)
FUNCTIONS_WITH_ROUTES = "adloom_auth, adloom_oauth_callback, adloom_sync_meta"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute("reset role")
    op.execute(OLD)
    _make(PRINCIPALS, OF_EVERYBODY, FUNCTIONS_WITH_ROUTES)
    _make(FUNCTIONS, OF_AUTH, "adloom_auth")


def downgrade() -> None:
    for function in (*OF_EVERYBODY, *OF_AUTH):
        op.execute(f"drop function {function}")
    _make(BEFORE, (PRINCIPAL_BY_TOKEN,), FUNCTIONS_WITH_ROUTES)
    _make(REGISTER_BEFORE, ("register_operator_key(bytea, text)",), "adloom_auth")
    op.execute("set local role adloom_owner")
    op.execute("drop table api_keys cascade")
    op.execute("revoke update on operator_keys from adloom_definer")
    for column in ("key_id", "last_four", "last_used_at"):
        op.execute(f"alter table operator_keys drop column {column}")
    op.execute("reset role")


def _make(functions: str, signatures: tuple[str, ...], grantees: str) -> None:
    op.execute("set local role adloom_owner")
    op.execute(functions)
    for signature in signatures:
        op.execute(f"revoke all on function {signature} from public")
        op.execute(f"grant execute on function {signature} to {grantees}")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for signature in signatures:
        op.execute(f"alter function {signature} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")
