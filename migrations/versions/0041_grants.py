"""What a log-in at a platform gave us, for how long, and which of its accounts were chosen."""

from alembic import op

revision = "0041"
down_revision = "0040"

COLUMNS = """
-- The account by whose rights this one is read: Google's login-customer-id.
alter table ad_accounts add column login_id text;
grant update (login_id) on ad_accounts to adloom_sync;

-- Fernet ciphertext of PKCE's verifier; whether the person will choose accounts; the connection that is to be mended;
-- what is asked for beyond reading.
alter table oauth_states
    add column verifier bytea,
    add column account_choice text not null default 'all' check (account_choice in ('all', 'chosen')),
    add column mends uuid,
    add column extras text[] not null default '{}';

alter table connections
    -- A person's own log-in, or a token of a machine that an administrator pasted.
    add column token_kind text not null default 'user' check (token_kind in ('user', 'system_user')),
    -- Which accounts are synced: all that are found, or those a person chose; null in chosen_at: has not yet.
    add column account_choice text not null default 'all' check (account_choice in ('all', 'chosen')),
    add column chosen_at timestamptz,
    add column extras text[] not null default '{}',
    -- Why it broke: our code and the platform's sentence, beside its own code. And when a person took it back here.
    add column broken_reason text,
    add column broken_detail text,
    add column revoked_at timestamptz,
    -- The platform's time: when the token was renewed, when that was last tried and what came of it.
    add column refreshed_at timestamptz,
    add column refresh_tried_at timestamptz,
    add column refresh_error text,
    -- The person was warned so many days before the token's end.
    add column warned_days integer;
grant update (broken_reason, broken_detail) on connections to adloom_sync;
"""

TABLES = """
-- Which log-in reaches which account. An account is read by one of them, ad_accounts.connection_id; another that
-- reaches it too takes over when the first one ends. Business clock.
create table account_grants (
    connection_id uuid not null references connections on delete cascade,
    account_id bigint not null references ad_accounts on delete cascade,
    org_id uuid not null references organisations,
    login_id text,
    seen_at timestamptz not null,
    lost_at timestamptz,
    primary key (connection_id, account_id)
);
create index account_grants_account on account_grants (account_id);

-- What a platform sends us by webhook because of a connection. A page has a token of its own: Fernet ciphertext.
create table connection_subscriptions (
    connection_id uuid not null references connections on delete cascade,
    target text not null check (target in ('page', 'account')),
    external_id text not null,
    org_id uuid not null references organisations,
    name text not null,
    ciphertext bytea,
    fields text[] not null default '{}',
    subscribed_at timestamptz,
    error_code text,
    error_detail text,
    updated_at timestamptz not null default now(),
    primary key (connection_id, target, external_id)
);

call isolate('account_grants', true);
call isolate('connection_subscriptions', false);
call open_to_definer('connection_tokens', 'select (connection_id)');

grant select, insert, update on account_grants to adloom_sync;
grant select on account_grants to adloom_oauth_callback, adloom_dashboard, adloom_cli;
grant select, insert, update, delete on connection_subscriptions to adloom_oauth_callback;
grant select (connection_id, target, external_id, org_id, name, fields, subscribed_at, error_code, error_detail,
              updated_at) on connection_subscriptions to adloom_dashboard;
grant delete on connection_tokens to adloom_oauth_callback;
grant insert on mail_outbox to adloom_oauth_callback;
"""

FUNCTIONS = """
-- Claims a connection whose token ends soon and can be renewed: two ticks never claim the same one.
create function claim_expiring_connections(business_now timestamptz, within interval, every interval, most integer)
    returns table (org_id uuid, connection_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update connections c set refresh_tried_at = business_now
     where c.connection_id in (
        select d.connection_id from connections d
         where d.platform = 'meta' and d.status = 'active' and d.token_expires_at between business_now
           and business_now + within
           and (d.refresh_tried_at is null or d.refresh_tried_at <= business_now - every)
         order by d.token_expires_at
         limit most
         for update of d skip locked
     )
    returning c.org_id, c.connection_id
$$;

-- Claims a connection of whose end its administrators are to hear now: each of them once for each of the days.
create function claim_warnings(business_now timestamptz, days integer, most integer)
    returns table (org_id uuid, connection_id uuid)
    language sql security definer set search_path = public, pg_temp as $$
    update connections c set warned_days = days
     where c.connection_id in (
        select d.connection_id from connections d
         where d.status = 'active' and d.token_expires_at between business_now
           and business_now + days * interval '1 day'
           and (d.warned_days is null or d.warned_days > days)
         order by d.token_expires_at
         limit most
         for update of d skip locked
     )
    returning c.org_id, c.connection_id
$$;

-- Of the organisation at hand only.
create function administrators() returns table (user_id uuid, email text, name text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select u.user_id, u.email, u.name
      from memberships m join users u on u.user_id = m.user_id
     where m.org_id = app_org() and m.role in ('admin', 'owner')
     order by u.email
$$;

create function organisation_name() returns text
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.name from organisations o where o.org_id = app_org()
$$;

-- Whether anybody else here lives by the log-in of the same person: taking it back at the platform ends theirs too.
create function is_shared_grant(of_connection uuid) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (
        select from connections own join connections other
               on other.platform = own.platform and other.external_user_id = own.external_user_id
              and other.connection_id <> own.connection_id and other.status = 'active'
         where own.connection_id = of_connection and own.org_id = app_org())
$$;

-- Taken back by a person, but its token is still here: the platform has not been told yet.
create function connections_to_forget(most integer) returns table (org_id uuid, connection_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select c.org_id, c.connection_id from connections c join connection_tokens t on t.connection_id = c.connection_id
     where c.status = 'revoked' order by c.revoked_at limit most
$$;
"""

# Links in mails that wait, of every organisation and of none: what a new key has to close again.
LINKS = """
create function sealed_links(most integer) returns table (mail_id uuid, link bytea)
    language sql stable security definer set search_path = public, pg_temp as $$
    select m.mail_id, m.link from mail_outbox m where m.link is not null order by m.mail_id limit most
$$;

create function reseal_link(id uuid, old bytea, new bytea) returns boolean
    language sql security definer set search_path = public, pg_temp as $$
    with changed as (update mail_outbox set link = new where mail_id = id and link = old returning 1)
    select exists (select from changed)
$$;
"""

# Not for the definer: whoever calls it sees their organisation's rows only.
HAND_OVER = """
-- Accounts that a connection no longer reaches go on by another one that does; their ids.
create function hand_over_accounts(of_connection uuid) returns setof bigint
    language sql set search_path = public, pg_temp as $$
    update ad_accounts a
       set connection_id = heir.connection_id, login_id = heir.login_id, error_code = null, error_detail = null,
           error_at = null, next_due_at = null
      from (select distinct on (g.account_id) g.account_id, g.connection_id, g.login_id
              from account_grants g join connections c on c.connection_id = g.connection_id
             where c.status = 'active' and g.lost_at is null and g.connection_id <> of_connection
             order by g.account_id, g.seen_at desc, g.connection_id) heir
     where a.account_id = heir.account_id and a.connection_id = of_connection
       and (exists (select from connections c where c.connection_id = of_connection and c.status <> 'active')
            or exists (select from account_grants g
                        where g.account_id = a.account_id and g.connection_id = of_connection
                          and g.lost_at is not null))
    returning a.account_id
$$;
revoke all on function hand_over_accounts(uuid) from public;
grant execute on function hand_over_accounts(uuid) to adloom_sync, adloom_oauth_callback;
"""

DEFINERS = (
    "claim_expiring_connections(timestamptz, interval, interval, integer)",
    "claim_warnings(timestamptz, integer, integer)",
    "administrators()",
    "organisation_name()",
    "is_shared_grant(uuid)",
    "connections_to_forget(integer)",
)
OF_LINKS = ("sealed_links(integer)", "reseal_link(uuid, bytea, bytea)")


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMNS)
    op.execute(TABLES)
    op.execute("grant update (refresh_tried_at, warned_days) on connections to adloom_definer")
    op.execute(FUNCTIONS)
    op.execute(LINKS)
    op.execute(HAND_OVER)
    for role, functions in (("adloom_oauth_callback", DEFINERS), ("adloom_auth", OF_LINKS)):
        for function in functions:
            op.execute(f"revoke all on function {function} from public")
            op.execute(f"grant execute on function {function} to {role}")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in (*DEFINERS, *OF_LINKS):
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    op.execute("drop function hand_over_accounts(uuid)")
    for function in (*DEFINERS, *OF_LINKS):
        op.execute(f"drop function {function}")
    op.execute("set local role adloom_owner")
    op.execute("drop table connection_subscriptions, account_grants")
    op.execute(
        "alter table connections drop column token_kind, drop column account_choice, drop column chosen_at,"
        " drop column extras, drop column broken_reason, drop column broken_detail, drop column revoked_at,"
        " drop column refreshed_at, drop column refresh_tried_at, drop column refresh_error, drop column warned_days"
    )
    op.execute(
        "alter table oauth_states drop column verifier, drop column account_choice, drop column mends,"
        " drop column extras"
    )
    op.execute("alter table ad_accounts drop column login_id")
    op.execute("drop policy definer on connection_tokens")
    op.execute("revoke select (connection_id) on connection_tokens from adloom_definer")
    op.execute("revoke insert on mail_outbox from adloom_oauth_callback")
    op.execute("revoke delete on connection_tokens from adloom_oauth_callback")
    op.execute("reset role")
