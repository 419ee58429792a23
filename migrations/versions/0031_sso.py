"""Who logs in by which identity provider."""

from alembic import op

revision = "0031"
down_revision = "0030"

TABLES = """
-- A person at an identity provider, known by issuer and subject and by nothing else: `email` is what the provider said
-- when it was linked, for people to tell their identities apart. It belongs to the log-in, so to the person's home.
create table sso_identities (
    identity_id uuid primary key,
    org_id uuid not null references organisations,
    user_id uuid not null references users,
    provider text not null check (provider in ('google', 'oidc', 'sandbox')),
    issuer text not null check (length(issuer) between 1 and 500),
    subject text not null check (length(subject) between 1 and 255),
    email text not null default '' check (length(email) <= 320),
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    unique (issuer, subject)
);
create index sso_identities_user on sso_identities (user_id);

-- A browser on its way to a provider and back. Nonce and code verifier are made of the state and of the browser's
-- cookie, so that nothing here opens anything. A log-in belongs to nobody yet, so no login role sees this.
create table sso_states (
    state_hash bytea primary key check (length(state_hash) = 32),
    browser_hash bytea not null check (length(browser_hash) = 32),
    provider text not null check (provider in ('google', 'oidc', 'sandbox')),
    target text not null check (length(target) <= 2000),
    -- The browser as it is known from earlier log-ins: its cookie does not come along with a visit from elsewhere.
    device_hash bytea check (length(device_hash) = 32),
    -- Of somebody who is logged in and links an identity.
    user_id uuid references users,
    session_id uuid,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    check ((user_id is null) = (session_id is null))
);
create index sso_states_expiry on sso_states (expires_at);
alter table sso_states enable row level security;
alter table sso_states force row level security;
create policy backup on sso_states for select to adloom_backup using (true);
grant select on sso_states to adloom_backup;

call isolate('sso_identities', false);
call open_to_definer('sso_identities', 'select');
call open_to_definer('sso_states', 'select, insert, update, delete');
grant select, insert, update, delete on sso_identities to adloom_auth;

-- Between the two steps of a log-in: a password was right, or an identity was shown.
alter table login_challenges
    alter column password_mark drop not null,
    add column identity_id uuid references sso_identities on delete cascade,
    add check ((password_mark is null) <> (identity_id is null));
"""

CHALLENGE = """
-- A log-in that waits for its second step. What the first step gave must still be good: the password the one that was
-- given, the identity linked.
create function challenge_by_token(hash bytea)
    returns table (org_id uuid, user_id uuid, purpose text, email text, by_identity boolean)
    language sql stable security definer set search_path = public, pg_temp as $$
    select c.org_id, c.user_id, c.purpose, u.email, c.identity_id is not null
      from login_challenges c
      join users u on u.user_id = c.user_id
      join memberships m on m.user_id = c.user_id and m.org_id = c.org_id
     where c.token_hash = hash and c.used_at is null and c.expires_at > now()
       and (exists (select from user_credentials p where p.user_id = c.user_id
                       and sha256(convert_to(p.password_hash, 'UTF8')) = c.password_mark)
            or exists (select from sso_identities i
                        where i.identity_id = c.identity_id and i.user_id = c.user_id))
$$;
"""

CHALLENGE_BEFORE = """
create function challenge_by_token(hash bytea)
    returns table (org_id uuid, user_id uuid, purpose text, email text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select c.org_id, c.user_id, c.purpose, u.email
      from login_challenges c
      join users u on u.user_id = c.user_id
      join user_credentials p on p.user_id = c.user_id
           and sha256(convert_to(p.password_hash, 'UTF8')) = c.password_mark
      join memberships m on m.user_id = c.user_id and m.org_id = c.org_id
     where c.token_hash = hash and c.used_at is null and c.expires_at > now()
$$;
"""

FUNCTIONS = """
create function begin_sso(hash bytea, browser bytea, by_provider text, goes_to text, device bytea, person uuid,
                          session uuid, life interval) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into sso_states (state_hash, browser_hash, provider, target, device_hash, user_id, session_id, expires_at)
        values (hash, browser, by_provider, goes_to, device, person, session, now() + life)
$$;

-- Single use: the first call of two gets the row. One of another browser or provider, or for somebody whose session has
-- ended meanwhile, gets nothing and uses nothing up.
create function claim_sso(hash bytea, browser bytea, by_provider text)
    returns table (target text, device_hash bytea, user_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update sso_states t set used_at = now()
     where t.state_hash = hash and t.browser_hash = browser and t.provider = by_provider
       and t.used_at is null and t.expires_at > now()
       and (t.session_id is null or exists (
            select from sessions s join memberships m on m.org_id = s.org_id and m.user_id = s.user_id
             where s.session_id = t.session_id and s.user_id = t.user_id and s.revoked_at is null
               and s.expires_at > now() and s.idle_expires_at > now()))
    returning t.target, t.device_hash, t.user_id
$$;

-- Whose identity it is, and the organisation that the person logs in to: the home, or the first one joined. Null for
-- somebody who is a member of none any more.
create function person_by_identity(by_issuer text, by_subject text)
    returns table (identity_id uuid, user_id uuid, home uuid, org_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select i.identity_id, i.user_id, u.org_id,
           (select m.org_id from memberships m where m.user_id = i.user_id
             order by (m.org_id = u.org_id) desc, m.created_at limit 1)
      from sso_identities i join users u on u.user_id = i.user_id
     where i.issuer = by_issuer and i.subject = by_subject
$$;

create function purge_sso() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (delete from sso_states where expires_at < now() - interval '1 day' returning 1)
    select count(*) from gone
$$;
"""

NEW = (
    "begin_sso(bytea, bytea, text, text, bytea, uuid, uuid, interval)",
    "claim_sso(bytea, bytea, text)",
    "person_by_identity(text, text)",
    "purge_sso()",
)
CHALLENGE_BY_TOKEN = "challenge_by_token(bytea)"  # noqa: S105 - a function's name


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute("reset role")
    op.execute(f"drop function {CHALLENGE_BY_TOKEN}")
    _make(CHALLENGE, (CHALLENGE_BY_TOKEN,))
    _make(FUNCTIONS, NEW)


def downgrade() -> None:
    for function in (*NEW, CHALLENGE_BY_TOKEN):
        op.execute(f"drop function {function}")
    op.execute("delete from login_challenges where identity_id is not null")
    op.execute("set local role adloom_owner")
    op.execute("alter table login_challenges drop column identity_id, alter column password_mark set not null")
    op.execute("drop table sso_states cascade")
    op.execute("drop table sso_identities cascade")
    op.execute("reset role")
    _make(CHALLENGE_BEFORE, (CHALLENGE_BY_TOKEN,))


def _make(functions: str, signatures: tuple[str, ...]) -> None:
    op.execute("set local role adloom_owner")
    op.execute(functions)
    for signature in signatures:
        op.execute(f"revoke all on function {signature} from public")
        op.execute(f"grant execute on function {signature} to adloom_auth")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for signature in signatures:
        op.execute(f"alter function {signature} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")
