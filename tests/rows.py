"""One row of two organisations in every table, for tests that look at all of them."""

from __future__ import annotations

import uuid

import psycopg


def fill(connection: psycopg.Connection) -> tuple[uuid.UUID, uuid.UUID]:
    """One row of each organisation in each table, made by the superuser, who is above row security."""
    found = (uuid.uuid4(), uuid.uuid4())
    for number, org in enumerate(found, start=1):
        for statement in ROWS.strip().split(";\n"):
            connection.execute(statement.format(org=f"'{org}'", n=number, h="\\x" + f"{number:02x}" * 32))
    connection.commit()
    return found


ROWS = """
insert into organisations (org_id, name) values ({org}, 'Org {n}');
insert into users (user_id, org_id, email, name) values ({org}, {org}, 'person{n}@example.com', 'Person');
insert into memberships (org_id, user_id, role) values ({org}, {org}, 'owner');
insert into user_credentials (user_id, org_id, password_hash) values ({org}, {org}, 'hash');
insert into sessions values ({org}, {org}, {org}, '{h}', now(), now(), now() + '1 day', now() + '1 day', null);
insert into operator_keys (key_hash, name) values ('{h}', 'key {n}');
insert into api_keys (key_id, org_id, made_by, name, token_hash, prefix, last_four, scopes, role, account_scope,
                      per_minute, expires_at)
    values ({org}, {org}, {org}, 'key {n}', '{h}', 'ab12cd34', 'wxyz', '{{runs:write}}', 'editor', '*', 100, now());
insert into rate_limits (limit_key, hits, expires_at) values ('{h}', array[now()], now() + '1 minute');
insert into known_devices (device_id, user_id, token_hash, expires_at) values ({org}, {org}, '{h}', now() + '1 day');
insert into oauth_states values ('{h}', {org}, 'meta', null, 'http://x', now(), now(), null);
insert into connections (connection_id, org_id, platform, external_user_id, name)
    values ({org}, {org}, 'meta', 'x', 'x');
insert into connection_tokens values ({org}, {org}, 'secret');
insert into ad_accounts (account_id, org_id, connection_id, platform, external_id, name, currency, timezone)
    overriding system value values ({n}, {org}, {org}, 'meta', 'x', 'x', 'EUR', 'UTC');
insert into account_grants values ({org}, {n}, {org}, null, now());
insert into connection_subscriptions (connection_id, target, external_id, org_id, name)
    values ({org}, 'page', 'x', {org}, 'x');
insert into platform_pauses values ('platform{n}', now());
insert into rates (day, currency, per_eur, source, valid_from) values ('2026-01-0{n}', 'USD', 1.1, 'x', now());
insert into rate_loads (name) values ('load {n}');
insert into budgets (platform, scope) values ('platform{n}', 'app');
insert into budget_calls values ('platform{n}', now(), 'sync', 1);
insert into paces values ('platform{n}', '15 minutes', 'usual', 'basic', null, 1, now(), now());
insert into entities (account_id, org_id, level, external_id, name, status, first_seen_at, run_id)
    values ({n}, {org}, 'ad', 'x', 'x', 'active', now(), 1);
insert into entity_changes (account_id, org_id, level, external_id, field, seen_at, run_id)
    values ({n}, {org}, 'ad', 'x', 'name', now(), 1);
insert into sync_runs
    (org_id, account_id, kind, api_version, query, timezone, currency, started_at, business_at, outcome)
    values ({org}, {n}, 'metrics', 'v1', '{{}}', 'UTC', 'EUR', now(), now(), 'succeeded');
insert into sync_windows (org_id, account_id, since, until) values ({org}, {n}, '2026-01-01', '2026-01-02');
insert into reconciliations values ({n}, {org}, '2026-01-01', 'ad', 1, 1, 1, 1, 1, 1, 'match', null, now(), 1);
insert into metrics (account_id, org_id, level, entity_id, day, valid_from, run_id)
    values ({n}, {org}, 'ad', 'x', '2026-01-01', now(), 1);
insert into metrics_hourly (account_id, org_id, level, entity_id, day, hour, run_id)
    values ({n}, {org}, 'campaign', 'x', '2026-01-01', 13, 1);
insert into metrics_marks (account_id, org_id, grain, since, until)
    values ({n}, {org}, 'week', '2025-12-29', '2026-01-04') on conflict do nothing;
insert into restatements (account_id, org_id, level, entity_id, day, valid_from, valid_to, run_id, replaced_by_run_id)
    values ({n}, {org}, 'ad', 'x', '2026-01-01', now() - interval '1 day', now(), 1, 2);
insert into authenticators (user_id, org_id, pending) values ({org}, {org}, 'sealed');
insert into recovery_codes (user_id, org_id, code_hash) values ({org}, {org}, '{h}');
insert into login_challenges (token_hash, org_id, user_id, purpose, password_mark, expires_at)
    values ('{h}', {org}, {org}, 'code', 'mark', now());
insert into invitations (invitation_id, org_id, email, role, token_hash, expires_at)
    values ({org}, {org}, 'guest{n}@example.com', 'viewer', '{h}', now());
insert into mailed_links (token_hash, org_id, user_id, purpose, email, expires_at)
    values ('{h}', {org}, {org}, 'reset', 'person{n}@example.com', now());
insert into registrations (token_hash, email, expires_at) values ('{h}', 'new{n}@example.com', now());
insert into sso_identities (identity_id, org_id, user_id, provider, issuer, subject)
    values ({org}, {org}, {org}, 'oidc', 'https://id.example', 'subject{n}');
insert into sso_states (state_hash, browser_hash, provider, target, expires_at)
    values ('{h}', '{h}', 'oidc', '/', now());
insert into mail_outbox (mail_id, org_id, address, template, data, sent_at)
    values ({org}, {org}, 'person{n}@example.com', 'x', '{{}}', now());
insert into audit_chains (chain, org_id, position) values ({org}, {org}, 1);
insert into audit_events (chain, position, org_id, recorded_at, action, actor_kind, record, hash)
    values ({org}, 1, {org}, now(), 'session.opened', 'system', '{{}}', '{h}');
insert into audit_heads values ({n}, 'audit/heads/{n}', '{h}', now());
insert into audit_duties (duty) values ('duty {n}');
insert into outbox (event_id, org_id, subject, envelope) values ({org}, {org}, 'adloom.x.y', '{{}}');
insert into inbox (function, event_id, org_id) values ('x', {org}, {org});
insert into dead_letters (org_id, function, event_id, subject, envelope, attempts, last_error)
    values ({org}, 'x', {org}, 'x', '{{}}', 1, 'x')
"""
