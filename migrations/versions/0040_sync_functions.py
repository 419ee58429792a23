"""The sync functions of all platforms share one role's rights and log in by a role each."""

from alembic import op
from sqlalchemy import text

revision = "0040"
down_revision = "0035"

GROUP = "adloom_sync"
LOGINS = ("adloom_sync_google", "adloom_sync_tiktok")
OLD = "adloom_sync_meta"

CREATE_ROLES = f"""
do $$
declare
    name text;
begin
    -- Roles belong to the server, not to the database: another database of ours may have made them already.
    foreach name in array array['{GROUP}', '{LOGINS[0]}', '{LOGINS[1]}'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit', name);
        end if;
    end loop;
    foreach name in array array['{OLD}', '{LOGINS[0]}', '{LOGINS[1]}'] loop
        -- Their rights without their name: nobody becomes the group.
        execute format('grant {GROUP} to %I with inherit true, set false', name);
        execute format('grant connect on database %I to %I', current_database(), name);
        -- A right of its own in this database keeps the role, with its password, when another database is taken down.
        execute format('grant usage on schema public to %I', name);
    end loop;
end
$$
"""

# Everything that `old` may do, `new` may do from here on, and `old` no more by itself: on tables and views, columns,
# functions and the database, and by the policies that name it.
HAND_OVER = """
do $$
declare
    old constant oid := '{old}'::regrole;
    one record;
begin
    for one in
        select format('%s on %s', a.privilege_type, c.oid::regclass) as what
          from pg_class c cross join aclexplode(c.relacl) a
         where a.grantee = old and c.relkind in ('r', 'v', 'm', 'p', 'f')
        union all
        select format('%s (%I) on %s', a.privilege_type, t.attname, t.attrelid::regclass)
          from pg_attribute t cross join aclexplode(t.attacl) a where a.grantee = old
        union all
        select format('%s on %s %s', a.privilege_type, case p.prokind when 'p' then 'procedure' else 'function' end,
                      p.oid::regprocedure)
          from pg_proc p cross join aclexplode(p.proacl) a where a.grantee = old
    loop
        execute format('grant %s to {new}', one.what);
        execute format('revoke %s from {old}', one.what);
    end loop;
    for one in
        select p.polname, p.polrelid::regclass as relation,
               (select string_agg(quote_ident(case r when old then '{new}' else r::regrole::text end), ', ')
                  from unnest(p.polroles) r) as roles
          from pg_policy p where old = any (p.polroles)
    loop
        execute format('alter policy %I on %s to %s', one.polname, one.relation, one.roles);
    end loop;
end
$$
"""
TEMPORARY = """
do $$ begin
    execute format('grant temporary on database %I to {to}', current_database());
    execute format('revoke temporary on database %I from {of}', current_database());
end $$
"""


def upgrade() -> None:
    op.execute(CREATE_ROLES)
    op.execute(HAND_OVER.format(old=OLD, new=GROUP))
    op.execute(TEMPORARY.format(to=GROUP, of=OLD))


def downgrade() -> None:
    op.execute(HAND_OVER.format(old=GROUP, new=OLD))
    op.execute(TEMPORARY.format(to=OLD, of=GROUP))
    op.execute(f"revoke {GROUP} from {OLD}")
    op.execute(f"revoke usage on schema public from {OLD}")
    for role in (*LOGINS, GROUP):
        op.execute(f"drop owned by {role}")
        # A role that another database on this server still needs stays.
        op.execute(
            text(f"""do $$ begin drop role {role};
                 exception when dependent_objects_still_exist then null; end $$""")
        )
