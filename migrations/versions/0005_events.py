"""The outbox, the inbox and the dead letters of events."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
-- Written in the transaction of the change it tells of; `position` is the order within an account.
create table outbox (
    position bigint generated always as identity primary key,
    event_id uuid not null unique,
    org_id uuid not null,
    account_id bigint,
    subject text not null,
    envelope jsonb not null,
    created_at timestamptz not null default now(),
    published_at timestamptz
);
create index outbox_unpublished on outbox (position) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

-- An event that is noted here has had its effect in that function.
create table inbox (
    function text not null,
    event_id uuid not null,
    org_id uuid not null,
    received_at timestamptz not null default now(),
    primary key (function, event_id)
);

create table dead_letters (
    letter_id bigint generated always as identity primary key,
    org_id uuid not null,
    account_id bigint,
    function text not null,
    event_id uuid not null,
    subject text not null,
    envelope jsonb not null,
    attempts integer not null,
    last_status integer,
    last_error text not null,
    dead_at timestamptz not null default now(),
    replay_requested_at timestamptz,
    replayed_at timestamptz
);
create index dead_letters_replay on dead_letters (letter_id)
    where replay_requested_at is not null and replayed_at is null;
create unique index dead_letters_open on dead_letters (function, event_id) where replayed_at is null;

call isolate('outbox', false);
call isolate('inbox', false);
call isolate('dead_letters', false);
call open_to_definer('outbox', 'select, update, delete');
call open_to_definer('inbox', 'select, delete');
call open_to_definer('dead_letters', 'select, update');

grant insert on outbox to adloom_auth, adloom_oauth_callback, adloom_sync_meta;
grant select, insert on inbox to adloom_auth, adloom_oauth_callback, adloom_sync_meta;
grant select, insert on dead_letters to adloom_connector;
grant select on dead_letters to adloom_dashboard, adloom_cli;
grant update (replay_requested_at) on dead_letters to adloom_cli;

create function tell_outbox() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_notify('adloom_outbox', '');
    return null;
end
$$;
create trigger tell after insert on outbox for each statement execute function tell_outbox();
create trigger tell after update of replay_requested_at on dead_letters
    for each statement execute function tell_outbox();
"""

FUNCTIONS = """
create function outbox_batch(most integer)
    returns table (event_id uuid, subject text, envelope jsonb)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.event_id, o.subject, o.envelope from outbox o
     where o.published_at is null order by o.position limit most
$$;

create function outbox_mark_published(ids uuid[]) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update outbox set published_at = now() where event_id = any (ids) and published_at is null
$$;

create function dead_letters_to_replay(most integer)
    returns table (letter_id bigint, function text, subject text, envelope jsonb)
    language sql stable security definer set search_path = public, pg_temp as $$
    select d.letter_id, d.function, d.subject, d.envelope from dead_letters d
     where d.replay_requested_at is not null and d.replayed_at is null order by d.letter_id limit most
$$;

create function dead_letter_replayed(id bigint) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update dead_letters set replayed_at = now() where letter_id = id and replayed_at is null
$$;

-- The inbox must remember longer than any redelivery can come: the stream keeps events for 7 days, dead letters can be
-- replayed for 90.
create function purge_events() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with sent as (delete from outbox where published_at < now() - interval '14 days' returning 1),
         seen as (delete from inbox where received_at < now() - interval '120 days' returning 1)
    select (select count(*) from sent) + (select count(*) from seen)
$$;

revoke all on function outbox_batch(integer), outbox_mark_published(uuid[]), dead_letters_to_replay(integer),
    dead_letter_replayed(bigint), purge_events() from public;
grant execute on function outbox_batch(integer), outbox_mark_published(uuid[]), dead_letters_to_replay(integer),
    dead_letter_replayed(bigint), purge_events() to adloom_connector;
"""

DEFINERS = (
    "outbox_batch(integer)",
    "outbox_mark_published(uuid[])",
    "dead_letters_to_replay(integer)",
    "dead_letter_replayed(bigint)",
    "purge_events()",
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
    for table in ("dead_letters", "inbox", "outbox"):
        op.execute(f"drop table {table} cascade")
    op.execute("drop function tell_outbox()")
