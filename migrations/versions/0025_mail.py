"""The outbox of mails."""

from alembic import op

revision = "0025"
down_revision = "0022"

TABLES = """
-- What a mail says is data without credentials; its link is Fernet ciphertext and goes when the mail has gone. Mails
-- that belong to no organisation (somebody asks for a password who has no account) are seen by functions only.
create table mail_outbox (
    mail_id uuid primary key,
    org_id uuid references organisations,
    user_id uuid references users,
    address text not null check (length(address) between 3 and 320),
    template text not null,
    data jsonb not null,
    link bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    -- Not before this: now, or when the next attempt is due. Pushed forward by whoever takes the mail to send it.
    due_at timestamptz not null default now(),
    attempts integer not null default 0,
    sent_at timestamptz,
    provider_id text,
    failed_at timestamptz,
    error text
);
create index mail_outbox_due on mail_outbox (due_at) where sent_at is null and failed_at is null;
create index mail_outbox_done on mail_outbox (created_at);

call isolate('mail_outbox', false);
call open_to_definer('mail_outbox', 'select, insert, update, delete');
grant insert on mail_outbox to adloom_auth;
"""

FUNCTIONS = """
-- Takes mails to send: the row is the taker's until `lease` has passed, so that two never send the same one and what a
-- dead process had taken is sent by the next. A mail whose link no longer works is given up.
create function claim_mails(most integer, lease interval)
    returns table (mail_id uuid, address text, template text, data jsonb, link bytea, attempts integer)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update mail_outbox m set failed_at = now(), error = 'its link had expired', link = null
     where m.sent_at is null and m.failed_at is null and m.expires_at < now();
    return query
    update mail_outbox m set due_at = now() + lease, attempts = m.attempts + 1
     where m.mail_id in (
        select d.mail_id from mail_outbox d
         where d.sent_at is null and d.failed_at is null and d.due_at <= now()
         order by d.due_at limit most for update skip locked
     )
    returning m.mail_id, m.address, m.template, m.data, m.link, m.attempts;
end
$$;

create function mail_sent(id uuid, provider text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update mail_outbox set sent_at = now(), provider_id = provider, link = null, error = null
     where mail_id = id and sent_at is null
$$;

-- Without `again` nobody tries any more.
create function mail_failed(id uuid, reason text, again timestamptz) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update mail_outbox
       set error = reason, due_at = coalesce(again, due_at),
           failed_at = case when again is null then now() end,
           link = case when again is null then null else link end
     where mail_id = id and sent_at is null
$$;

-- A month lets people see what was sent; longer nobody needs to know to whom we wrote.
create function purge_mails() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (delete from mail_outbox where created_at < now() - interval '30 days' returning 1)
    select count(*) from gone
$$;

revoke all on function claim_mails(integer, interval), mail_sent(uuid, text), mail_failed(uuid, text, timestamptz),
    purge_mails() from public;
grant execute on function claim_mails(integer, interval), mail_sent(uuid, text), mail_failed(uuid, text, timestamptz),
    purge_mails() to adloom_auth;
"""

DEFINERS = (
    "claim_mails(integer, interval)",
    "mail_sent(uuid, text)",
    "mail_failed(uuid, text, timestamptz)",
    "purge_mails()",
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
    op.execute("drop table mail_outbox cascade")
