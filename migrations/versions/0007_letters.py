"""Dead letters are written, asked for and marked by functions that name the moment they speak of."""

from alembic import op

revision = "0007"
down_revision = "0006"

# One unsendable event would keep everything behind it from being sent: the writer's transaction fails instead. The
# broker takes 1 MB.
CHECKS = """
alter table outbox add constraint subject_is_one check (subject ~ '^adloom[.][a-z_]+[.][a-z_]+$');
alter table outbox add constraint envelope_is_small check (octet_length(envelope::text) <= 524288);
"""

FUNCTIONS = """
drop function dead_letters_to_replay(integer);
drop function dead_letter_replayed(bigint);

-- An event dies once per function: dying again, after a replay that was not marked yet, it is the same letter, to be
-- asked for again.
create function bury_event(
    in_function text, in_event_id uuid, in_org_id uuid, in_account_id bigint, in_subject text, in_envelope jsonb,
    in_attempts integer, in_status integer, in_error text)
    returns bigint language sql security definer set search_path = public, pg_temp as $$
    insert into dead_letters
        (function, event_id, org_id, account_id, subject, envelope, attempts, last_status, last_error)
    values (in_function, in_event_id, in_org_id, in_account_id, in_subject, in_envelope,
        in_attempts, in_status, in_error)
    on conflict (function, event_id) where replayed_at is null do update
       set attempts = excluded.attempts, last_status = excluded.last_status, last_error = excluded.last_error,
           dead_at = now(), replay_requested_at = null
    returning letter_id
$$;

create function dead_letters_to_replay(most integer)
    returns table (letter_id bigint, function text, event_id uuid, envelope jsonb, requested_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select d.letter_id, d.function, d.event_id, d.envelope, d.replay_requested_at from dead_letters d
     where d.replay_requested_at is not null and d.replayed_at is null order by d.letter_id limit most
$$;

-- Marks the request that was seen and no later one.
create function dead_letter_replayed(id bigint, requested timestamptz) returns boolean
    language sql security definer set search_path = public, pg_temp as $$
    with marked as (
        update dead_letters set replayed_at = now()
         where letter_id = id and replay_requested_at = requested and replayed_at is null returning 1)
    select exists (select from marked)
$$;
"""

DEFINERS = {
    "bury_event(text, uuid, uuid, bigint, text, jsonb, integer, integer, text)",
    "dead_letters_to_replay(integer)",
    "dead_letter_replayed(bigint, timestamptz)",
}

BEFORE = """
drop function bury_event(text, uuid, uuid, bigint, text, jsonb, integer, integer, text);
drop function dead_letters_to_replay(integer);
drop function dead_letter_replayed(bigint, timestamptz);
alter table outbox drop constraint subject_is_one, drop constraint envelope_is_small;
revoke insert on dead_letters from adloom_definer;
grant insert on dead_letters to adloom_connector;

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
"""

BEFORE_DEFINERS = {"dead_letters_to_replay(integer)", "dead_letter_replayed(bigint)"}


def give_to_definer(functions: set[str]) -> None:
    op.execute("grant create on schema public to adloom_definer")
    for function in sorted(functions):
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adloom_connector")
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def upgrade() -> None:
    op.execute(CHECKS)
    op.execute(FUNCTIONS)
    op.execute("grant insert on dead_letters to adloom_definer")
    op.execute("revoke insert on dead_letters from adloom_connector")
    give_to_definer(DEFINERS)


def downgrade() -> None:
    op.execute(BEFORE)
    give_to_definer(BEFORE_DEFINERS)
