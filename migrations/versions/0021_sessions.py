"""What a session is used from, when its person last proved who it is, and whose sessions there are."""

from alembic import op

revision = "0021"
down_revision = "0020"

COLUMNS = """
alter table sessions
    add column authenticated_at timestamptz not null default now(),
    add column methods text[] not null default '{}',
    add column device text not null default '' check (length(device) <= 200),
    add column address text not null default '' check (length(address) <= 64),
    add column place text not null default '' check (length(place) <= 200),
    add column device_id uuid references known_devices on delete set null,
    add column ended_because text
        check (ended_because in ('logout', 'revoked', 'admin', 'switched', 'role', 'password'));
create index sessions_person on sessions (user_id);
-- A member who is taken out of an organisation.
grant delete on memberships to adloom_auth;
"""

OLD = """
drop function principal_by_token(bytea, interval);
"""

PRINCIPAL = """
-- Who holds this token: a person's session or the operator. Real time, not the business clock.
create function principal_by_token(hash bytea, idle interval)
    returns table (kind text, session_id uuid, user_id uuid, org_id uuid, role text, account_scope text,
                   expires_at timestamptz, authenticated_at timestamptz)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- One write a minute at most, so that reading pages does not write a row each time.
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

FUNCTIONS = """
-- The sessions of a person that are alive, in whatever organisation.
create function sessions_of_person(person uuid)
    returns table (session_id uuid, org_id uuid, organisation text, device text, address text, place text,
                   created_at timestamptz, last_used_at timestamptz, expires_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select s.session_id, s.org_id, o.name, s.device, s.address, s.place, s.created_at, s.last_used_at,
           least(s.expires_at, s.idle_expires_at)
      from sessions s join organisations o on o.org_id = s.org_id
     where s.user_id = person and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
     order by s.last_used_at desc, s.session_id
$$;

-- End the sessions of a person: one (`only_this`), or all but one (`all_but`), or all. Which ended, and where.
create function end_sessions(person uuid, only_this uuid, all_but uuid, because text)
    returns table (session_id uuid, org_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update sessions s set revoked_at = now(), ended_because = because
     where s.user_id = person and s.revoked_at is null and s.expires_at > now() and s.idle_expires_at > now()
       and (only_this is null or s.session_id = only_this) and s.session_id is distinct from all_but
    returning s.session_id, s.org_id
$$;

-- Where a person is a member.
create function organisations_of_person(person uuid)
    returns table (org_id uuid, name text, role text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.org_id, o.name, m.role from memberships m join organisations o on o.org_id = m.org_id
     where m.user_id = person order by o.name, o.org_id
$$;

-- The hash of a person's password, for the step-up only: the session may be in another organisation than the password.
create function password_of_person(person uuid)
    returns table (email text, password_hash text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select u.email, c.password_hash from users u join user_credentials c on c.user_id = u.user_id
     where u.user_id = person
$$;
"""

NEW = (
    "sessions_of_person(uuid)",
    "end_sessions(uuid, uuid, uuid, text)",
    "organisations_of_person(uuid)",
    "password_of_person(uuid)",
)
PRINCIPAL_BY_TOKEN = "principal_by_token(bytea, interval)"  # noqa: S105 - a function's name

BEFORE = PRINCIPAL.replace(", authenticated_at timestamptz", "").replace(", s.authenticated_at", "")
BEFORE = BEFORE.replace("'*', null, null", "'*', null")


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMNS)
    op.execute("reset role")
    op.execute(OLD)
    _make(PRINCIPAL, (PRINCIPAL_BY_TOKEN,), "adloom_auth, adloom_oauth_callback, adloom_sync_meta")
    _make(FUNCTIONS, NEW, "adloom_auth")


def downgrade() -> None:
    for function in NEW:
        op.execute(f"drop function {function}")
    op.execute(OLD)
    _make(BEFORE, (PRINCIPAL_BY_TOKEN,), "adloom_auth, adloom_oauth_callback, adloom_sync_meta")
    op.execute("set local role adloom_owner")
    op.execute("drop index sessions_person")
    for column in ("authenticated_at", "methods", "device", "address", "place", "device_id", "ended_because"):
        op.execute(f"alter table sessions drop column {column}")
    op.execute("revoke delete on memberships from adloom_auth")
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
