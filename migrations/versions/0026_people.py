"""The second factor, and what people are mailed links for: invitations, verification, reset, registration."""

from alembic import op

revision = "0026"
down_revision = "0025"

TABLES = """
alter table users
    add column email_verified_at timestamptz,
    -- The owner that the sandbox's demo starts with: alone needs no second factor, and only beside a sandbox.
    add column demo boolean not null default false;

-- These belong to the person, so they are kept in the person's home organisation. Secrets are Fernet ciphertext.
-- `pending` is one that was shown and not confirmed yet; `last_step` the thirty seconds of the last code, which is not
-- taken again, nor an earlier one.
create table authenticators (
    user_id uuid primary key references users,
    org_id uuid not null references organisations,
    secret bytea,
    confirmed_at timestamptz,
    pending bytea,
    last_step bigint,
    wrong_codes integer not null default 0,
    locked_until timestamptz,
    check ((secret is null) = (confirmed_at is null))
);

create table recovery_codes (
    user_id uuid not null references users,
    org_id uuid not null references organisations,
    code_hash bytea not null check (length(code_hash) = 32),
    created_at timestamptz not null default now(),
    used_at timestamptz,
    primary key (user_id, code_hash)
);

-- Between the two steps of a log-in: somebody gave the right password.
create table login_challenges (
    token_hash bytea primary key check (length(token_hash) = 32),
    org_id uuid not null references organisations,
    user_id uuid not null references users,
    purpose text not null check (purpose in ('code', 'enrol')),
    -- Of the hash of the password that was right: a challenge does not outlive its change.
    password_mark bytea not null,
    wrong integer not null default 0,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index login_challenges_expiry on login_challenges (expires_at);

create table invitations (
    invitation_id uuid primary key,
    org_id uuid not null references organisations,
    email text not null check (email = lower(email) and length(email) between 3 and 320),
    role text not null check (role in ('owner', 'admin', 'editor', 'approver', 'viewer')),
    account_scope text not null default '*' check (account_scope ~ '^([*]|[0-9]+(,[0-9]+)*)$'),
    token_hash bytea not null unique check (length(token_hash) = 32),
    invited_by uuid references users,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz
);
-- One open invitation per address: a new one takes the place of the old one.
create unique index invitations_open on invitations (org_id, email) where accepted_at is null and revoked_at is null;

create table mailed_links (
    token_hash bytea primary key check (length(token_hash) = 32),
    org_id uuid not null references organisations,
    user_id uuid not null references users,
    purpose text not null check (purpose in ('reset', 'verify')),
    email text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index mailed_links_user on mailed_links (user_id, purpose);

-- Somebody asked for an organisation of their own; there is none yet, so no login role sees this.
create table registrations (
    token_hash bytea primary key check (length(token_hash) = 32),
    email text not null check (email = lower(email) and length(email) between 3 and 320),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
alter table registrations enable row level security;
alter table registrations force row level security;
create policy backup on registrations for select to adloom_backup using (true);
grant select on registrations to adloom_backup;

call isolate('authenticators', false);
call isolate('recovery_codes', false);
call isolate('login_challenges', false);
call isolate('invitations', false);
call isolate('mailed_links', false);
call open_to_definer('authenticators', 'select');
call open_to_definer('login_challenges', 'select, delete');
call open_to_definer('invitations', 'select, delete');
call open_to_definer('mailed_links', 'select, insert, update, delete');
call open_to_definer('registrations', 'select, insert, update, delete');

grant select, insert, update on authenticators, login_challenges, invitations, mailed_links to adloom_auth;
grant select, insert, update, delete on recovery_codes to adloom_auth;
grant delete on authenticators to adloom_auth;
"""

FUNCTIONS = """
-- A person, wherever a session of theirs is: where the log-in is kept, and whether it needs a second factor.
create function person_of(person uuid)
    returns table (home uuid, email text, name text, confirmed_at timestamptz, privileged boolean, demo boolean)
    language sql stable security definer set search_path = public, pg_temp as $$
    select u.org_id, u.email, u.name, a.confirmed_at,
           exists (select from memberships m where m.user_id = u.user_id and m.role in ('owner', 'admin')), u.demo
      from users u left join authenticators a on a.user_id = u.user_id
     where u.user_id = person
$$;

-- A log-in that waits for its second step. The password must still be the one that was given.
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

create function invitation_by_token(hash bytea)
    returns table (invitation_id uuid, org_id uuid, organisation text, email text, role text, account_scope text,
                   inviter text, has_account boolean)
    language sql stable security definer set search_path = public, pg_temp as $$
    select i.invitation_id, i.org_id, o.name, i.email, i.role, i.account_scope, coalesce(u.name, 'Adloom'),
           exists (select from users p where p.email = i.email)
      from invitations i join organisations o on o.org_id = i.org_id left join users u on u.user_id = i.invited_by
     where i.token_hash = hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$$;

create function mailed_link_by_token(hash bytea, wanted text)
    returns table (org_id uuid, user_id uuid, email text, name text, current_email text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select l.org_id, l.user_id, l.email, u.name, u.email from mailed_links l join users u on u.user_id = l.user_id
     where l.token_hash = hash and l.purpose = wanted and l.used_at is null and l.expires_at > now()
$$;

-- Somebody forgot a password. Whether there is an account decides which mail is written and nothing else: the same
-- work is done, and only the mailbox learns of it.
create function ask_for_reset(address text, hash bytea, sealed bytea, life interval, valid text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    person record;
begin
    select u.user_id, u.org_id, u.email, u.name into person from users u where u.email = lower(address);
    if person.user_id is null then
        insert into mail_outbox (mail_id, address, template, data, expires_at)
            values (gen_random_uuid(), lower(address), 'no_account', '{}', now() + life);
        insert into registrations (token_hash, email, expires_at, used_at) values (hash, lower(address), now(), now());
    else
        insert into mail_outbox (mail_id, org_id, user_id, address, template, data, link, expires_at)
            values (gen_random_uuid(), person.org_id, person.user_id, person.email, 'reset_password',
                    jsonb_build_object('name', person.name, 'valid', valid), sealed, now() + life);
        insert into mailed_links (token_hash, org_id, user_id, purpose, email, expires_at)
            values (hash, person.org_id, person.user_id, 'reset', person.email, now() + life);
    end if;
end
$$;

create function ask_to_register(address text, hash bytea, sealed bytea, sealed_login bytea, life interval, valid text)
    returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    known boolean := exists (select from users u where u.email = lower(address));
begin
    insert into registrations (token_hash, email, expires_at, used_at)
        values (hash, lower(address), now() + life, case when known then now() end);
    insert into mail_outbox (mail_id, address, template, data, link, expires_at)
        values (gen_random_uuid(), lower(address), case when known then 'registered_already' else 'registration' end,
                case when known then '{}' else jsonb_build_object('valid', valid) end,
                case when known then sealed_login else sealed end, now() + life);
end
$$;

create function registration_by_token(hash bytea) returns table (email text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select r.email from registrations r where r.token_hash = hash and r.used_at is null and r.expires_at > now()
$$;

create function claim_registration(hash bytea) returns table (email text)
    language sql security definer set search_path = public, pg_temp as $$
    update registrations r set used_at = now()
     where r.token_hash = hash and r.used_at is null and r.expires_at > now() returning r.email
$$;

-- Who is invited and has an account is a person of another organisation, whom only this function sees.
create function user_by_email(address text) returns table (user_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select u.user_id from users u where u.email = lower(address)
$$;

create function purge_links() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with challenges as (delete from login_challenges where expires_at < now() - interval '1 day' returning 1),
         links as (delete from mailed_links where expires_at < now() - interval '7 days' returning 1),
         asked as (delete from registrations where expires_at < now() - interval '7 days' returning 1),
         invited as (delete from invitations where expires_at < now() - interval '90 days' returning 1)
    select (select count(*) from challenges) + (select count(*) from links) + (select count(*) from asked)
           + (select count(*) from invited)
$$;
"""

NEW = (
    "person_of(uuid)",
    "challenge_by_token(bytea)",
    "invitation_by_token(bytea)",
    "mailed_link_by_token(bytea, text)",
    "ask_for_reset(text, bytea, bytea, interval, text)",
    "ask_to_register(text, bytea, bytea, bytea, interval, text)",
    "registration_by_token(bytea)",
    "claim_registration(bytea)",
    "user_by_email(text)",
    "purge_links()",
)
MADE = ("registrations", "mailed_links", "invitations", "login_challenges", "recovery_codes", "authenticators")


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for function in NEW:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adloom_auth")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in NEW:
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    for function in NEW:
        op.execute(f"drop function {function}")
    for table in MADE:
        op.execute(f"drop table {table} cascade")
    op.execute("alter table users drop column email_verified_at, drop column demo")
