"""Roles, and the functions by which the database keeps organisations apart.

The connecting role needs CREATEROLE and the database's ownership (a superuser has both). Everything made after this
migration belongs to adloom_owner, who cannot log in.
"""

from alembic import op
from sqlalchemy import text

revision = "0001"
down_revision = None

# Neither may log in: the one owns tables, the other owns what must look across organisations.
OWNERS = ("adloom_owner", "adloom_definer")
LOGINS = (
    "adloom_auth",
    "adloom_oauth_callback",
    "adloom_sync_meta",
    "adloom_dashboard",
    "adloom_connector",
    "adloom_cli",
    "adloom_backup",
)

CREATE_ROLES = """
do $$
declare
    name text;
begin
    -- Roles belong to the server, not to the database: another database of ours may have made them already.
    foreach name in array array[{roles}] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit', name);
        end if;
    end loop;
    execute format('grant adloom_owner to %I with set true, inherit true', current_user);
    execute format('grant adloom_definer to %I with set true, inherit true', current_user);
    execute format('revoke all on database %I from public', current_database());
    foreach name in array array[{logins}] loop
        execute format('grant connect on database %I to %I', current_database(), name);
    end loop;
    execute format('grant temporary on database %I to adloom_sync_meta', current_database());
    execute format('grant create on schema public to adloom_owner');
    execute format('grant usage on schema public to public');
    execute format('revoke create on schema public from public');
end
$$
"""

# The settings are text that anyone with a connection could have filled with anything: what does not look like an id
# counts as not set, and nothing is visible.
ISOLATION = """
create function app_org() returns uuid language sql stable parallel safe
    set search_path = pg_catalog, pg_temp as $$
    select case when current_setting('app.org_id', true)
                     ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
                then current_setting('app.org_id', true)::uuid end
$$;

create function app_all_accounts() returns boolean language sql stable parallel safe
    set search_path = pg_catalog, pg_temp as $$
    select coalesce(current_setting('app.account_scope', true) = '*', false)
$$;

create function app_accounts() returns bigint[] language sql stable parallel safe
    set search_path = pg_catalog, pg_temp as $$
    select case when current_setting('app.account_scope', true) ~ '^[0-9]{1,18}(,[0-9]{1,18})*$'
                then string_to_array(current_setting('app.account_scope', true), ',')::bigint[]
                else array[]::bigint[] end
$$;

-- Forces row security on a table of ours. `per_account` narrows it to the account scope too.
create procedure isolate(target regclass, per_account boolean) language plpgsql as $$
declare
    rule text := 'org_id = (select app_org())';
begin
    if per_account then
        rule := rule || ' and ((select app_all_accounts()) or account_id = any ((select app_accounts())::bigint[]))';
    end if;
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy tenant on %s using (%s) with check (%s)', target, rule, rule);
    execute format('create policy backup on %s for select to adloom_backup using (true)', target);
    execute format('grant select on %s to adloom_backup', target);
end
$$;

-- Opens a table to the SECURITY DEFINER functions, which look across organisations.
create procedure open_to_definer(target regclass, privileges text) language plpgsql as $$
begin
    execute format('create policy definer on %s to adloom_definer using (true) with check (true)', target);
    execute format('grant %s on %s to adloom_definer', privileges, target);
end
$$;
revoke all on procedure isolate(regclass, boolean), open_to_definer(regclass, text) from public;
"""


def quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def upgrade() -> None:
    roles = CREATE_ROLES.format(roles=quoted(OWNERS + LOGINS), logins=quoted(LOGINS))
    op.execute(roles)
    op.execute("set local role adloom_owner")
    op.execute(ISOLATION)
    op.execute("reset role")
    op.execute("grant usage on schema public to adloom_definer")


def downgrade() -> None:
    op.execute("drop procedure isolate(regclass, boolean)")
    op.execute("drop procedure open_to_definer(regclass, text)")
    op.execute("drop function app_org()")
    op.execute("drop function app_all_accounts()")
    op.execute("drop function app_accounts()")
    for role in (*LOGINS, *OWNERS):
        op.execute(f"drop owned by {role}")
        # A role that another database on this server still needs stays.
        op.execute(
            text(f"""do $$ begin drop role {role};
                 exception when dependent_objects_still_exist then null; end $$""")
        )
