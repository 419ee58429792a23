"""The audit trail: one chain of events per organisation, one for the deployment."""

from alembic import op

revision = "0035"
down_revision = "0031"

TABLES = """
-- The end of each chain: what the next event builds on. `archived` is the last position whose event is in S3 only.
-- The row changes with every event, so half of its page is left free for the next version.
create table audit_chains (
    chain text primary key check (chain = 'deployment' or chain = org_id::text),
    org_id uuid unique references organisations,
    position bigint not null default 0,
    hash bytea not null default decode(repeat('00', 32), 'hex') check (length(hash) = 32),
    last_at timestamptz,
    archived bigint not null default 0 check (archived <= position),
    archived_hash bytea not null default decode(repeat('00', 32), 'hex') check (length(archived_hash) = 32),
    archived_until timestamptz
) with (fillfactor = 50);

-- `record` is the exact text whose hash counts: hash = sha256(hash of the event before || record). The columns beside
-- it repeat what stands in it, for the search.
create table audit_events (
    chain text not null,
    position bigint not null check (position > 0),
    org_id uuid,
    recorded_at timestamptz not null,
    action text not null,
    actor_kind text not null,
    actor_id text,
    target_kind text,
    target_id text,
    record text not null,
    hash bytea not null check (length(hash) = 32),
    primary key (chain, position),
    check (chain = coalesce(org_id::text, 'deployment'))
);
create index audit_events_time on audit_events (chain, recorded_at);

-- Every file of signed heads that was stored, so that one that is gone is missed.
create table audit_heads (
    sequence bigint primary key check (sequence > 0),
    object_key text not null unique,
    file_hash bytea not null check (length(file_hash) = 32),
    made_at timestamptz not null
);

-- How signing heads and archiving went last; `problem` is why the latest try did not.
create table audit_duties (
    duty text primary key,
    done_at timestamptz,
    problem text,
    problem_since timestamptz
);

call isolate('audit_events', false);
alter table audit_chains enable row level security;
alter table audit_chains force row level security;
alter table audit_heads enable row level security;
alter table audit_heads force row level security;
alter table audit_duties enable row level security;
alter table audit_duties force row level security;
create policy backup on audit_chains for select to adloom_backup using (true);
create policy backup on audit_heads for select to adloom_backup using (true);
create policy backup on audit_duties for select to adloom_backup using (true);
grant select on audit_chains, audit_heads, audit_duties to adloom_backup;
call open_to_definer('audit_chains', 'select, insert, update');
call open_to_definer('audit_events', 'select, insert, delete');
call open_to_definer('audit_heads', 'select, insert');
call open_to_definer('audit_duties', 'select, insert, update');

-- The deployment's own events are nobody's tenant rows: they show where a transaction asks for them by name.
create policy deployment on audit_events for select to adloom_auth
    using (org_id is null and current_setting('app.audit_chain', true) = 'deployment');
grant select on audit_events to adloom_auth;
"""

FUNCTIONS = """
-- Append an event: `body` is a JSON object without what stands first in each record. The chain's row is locked until
-- the transaction ends, so that positions have no gaps; take it as the last lock of a transaction.
create function audit_append(org uuid, body text) returns table (event_position bigint, event_hash bytea)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    name constant text := coalesce(org::text, 'deployment');
    parsed constant jsonb := body::jsonb;
    head audit_chains%rowtype;
    at timestamptz;
    full_record text;
begin
    if jsonb_typeof(parsed) <> 'object' or left(body, 2) <> '{"' or octet_length(body) > 65536
       or parsed ?| array['v', 'chain', 'position', 'at', 'role'] or parsed->>'action' is null
       or parsed->'actor'->>'kind' is null then
        raise exception 'no audit event: %', left(body, 80) using errcode = 'check_violation';
    end if;
    select * into head from audit_chains c where c.chain = name for update;
    if not found then
        insert into audit_chains (chain, org_id) values (name, org) on conflict do nothing;
        select * into strict head from audit_chains c where c.chain = name for update;
    end if;
    at := greatest(clock_timestamp(), head.last_at);
    full_record := format('{"v":1,"chain":"%s","position":%s,"at":"%s","role":%s,', name, head.position + 1,
                          to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), to_json(session_user::text))
                   || substr(body, 2);
    event_position := head.position + 1;
    event_hash := sha256(head.hash || convert_to(full_record, 'UTF8'));
    insert into audit_events values (name, event_position, org, at, parsed->>'action', parsed->'actor'->>'kind',
        parsed->'actor'->>'id', parsed->'target'->>'kind', parsed->'target'->>'id', full_record, event_hash);
    update audit_chains c set position = event_position, hash = event_hash, last_at = at where c.chain = name;
    return next;
end
$$;

create function audit_chain_ends()
    returns table (chain text, org_id uuid, last_position bigint, hash bytea, last_at timestamptz, archived bigint,
                   archived_hash bytea, archived_until timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select c.chain, c.org_id, c.position, c.hash, c.last_at, c.archived, c.archived_hash, c.archived_until
      from audit_chains c order by c.chain
$$;

-- The events after a position, whatever organisation they are of: to verify, to sign, to archive, to export.
create function audit_slice(name text, after bigint, most integer)
    returns table (event_position bigint, recorded_at timestamptz, action text, actor_kind text, actor_id text,
                   target_kind text, target_id text, record text, hash bytea)
    language sql stable security definer set search_path = public, pg_temp as $$
    select e.position, e.recorded_at, e.action, e.actor_kind, e.actor_id, e.target_kind, e.target_id, e.record, e.hash
      from audit_events e where e.chain = name and e.position > after order by e.position limit most
$$;

-- What is archived leaves the database: never an event of the last ninety days, and only up to the very event that the
-- stored file ends with. How many left.
create function audit_forget(name text, until_position bigint, until_hash bytea) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    last audit_events%rowtype;
    gone bigint;
begin
    perform 1 from audit_chains c where c.chain = name for update;
    select * into last from audit_events e where e.chain = name and e.position = until_position;
    if not found or last.hash <> until_hash or last.recorded_at > now() - interval '90 days' then
        raise exception 'the event % of the chain % may not leave', until_position, name
            using errcode = 'check_violation';
    end if;
    delete from audit_events e where e.chain = name and e.position <= until_position;
    get diagnostics gone = row_count;
    update audit_chains c set archived = until_position, archived_hash = until_hash, archived_until = last.recorded_at
     where c.chain = name;
    return gone;
end
$$;

create function audit_last_head() returns table (sequence bigint, object_key text, file_hash bytea, made_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select h.sequence, h.object_key, h.file_hash, h.made_at from audit_heads h order by h.sequence desc limit 1
$$;

create function audit_stored_heads(after bigint, most integer)
    returns table (sequence bigint, object_key text, file_hash bytea, made_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select h.sequence, h.object_key, h.file_hash, h.made_at from audit_heads h
     where h.sequence > after order by h.sequence limit most
$$;

create function audit_note_head(number bigint, stored_as text, hash_of_file bytea, at timestamptz) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into audit_heads (sequence, object_key, file_hash, made_at) values (number, stored_as, hash_of_file, at)
$$;

create function audit_note_duty(name text, why text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into audit_duties as d (duty, done_at, problem, problem_since)
        values (name, case when why is null then now() end, why, case when why is not null then now() end)
    on conflict (duty) do update
       set done_at = case when why is null then now() else d.done_at end, problem = why,
           problem_since = case when why is not null then coalesce(d.problem_since, now()) end
$$;

create function audit_duty_states()
    returns table (duty text, done_at timestamptz, problem text, problem_since timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select d.duty, d.done_at, d.problem, d.problem_since from audit_duties d order by d.duty
$$;
"""

WRITERS = "adloom_auth, adloom_oauth_callback, adloom_sync_meta, adloom_connector, adloom_cli"
KEEPERS = "adloom_auth, adloom_cli"
NEW = {
    "audit_append(uuid, text)": WRITERS,
    "audit_chain_ends()": KEEPERS,
    "audit_slice(text, bigint, integer)": KEEPERS,
    "audit_forget(text, bigint, bytea)": KEEPERS,
    "audit_last_head()": KEEPERS,
    "audit_stored_heads(bigint, integer)": KEEPERS,
    "audit_note_head(bigint, text, bytea, timestamptz)": KEEPERS,
    "audit_note_duty(text, text)": KEEPERS,
    "audit_duty_states()": KEEPERS,
}


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(TABLES)
    # As it stands: the text has colons that are no parameters.
    op.get_bind().exec_driver_sql(FUNCTIONS.replace("%", "%%"))
    for function, roles in NEW.items():
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to {roles}")
    op.execute("reset role")
    op.execute("grant create on schema public to adloom_definer")
    for function in NEW:
        op.execute(f"alter function {function} owner to adloom_definer")
    op.execute("revoke create on schema public from adloom_definer")


def downgrade() -> None:
    """The trail that was not archived yet is gone."""
    for function in NEW:
        op.execute(f"drop function {function}")
    for table in ("audit_duties", "audit_heads", "audit_events", "audit_chains"):
        op.execute(f"drop table {table} cascade")
