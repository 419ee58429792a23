"""Nobody sees or changes what is another organisation's, whoever logs in. Generated from the catalogue itself."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import psycopg
import pytest
from sqlalchemy import text

from adloom.db import Database
from adloom.db.migrate import LOGIN_ROLES
from tests.rows import ROWS, fill

ROLES = [role for role in LOGIN_ROLES if role != "adloom_backup"]
GARBAGE = "'; drop table users; --"

RELATIONS = """
select c.relname, c.relkind, c.relrowsecurity and c.relforcerowsecurity as secured,
       coalesce(c.reloptions @> array['security_barrier=true'], false) as barrier, c.relowner::regrole::text as owner
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm', 'f')
 order by c.relname
"""
POLICIES = """
select polname, polrelid::regclass::text as relation,
       coalesce(polroles::regrole[]::text[], '{}') as roles from pg_policy
"""
GRANTS = """
select distinct table_name, grantee, privilege_type from information_schema.role_table_grants
 where table_schema = 'public'
union
select distinct table_name, grantee, privilege_type from information_schema.role_column_grants
 where table_schema = 'public'
"""


@pytest.fixture(scope="module")
def filled(postgres, request):
    """Two organisations with rows in every table."""
    with psycopg.connect(postgres.admin_url) as connection:
        return fill(connection)


def relations(connection: psycopg.Connection) -> dict[str, tuple[str, bool, bool, str]]:
    return {name: rest for name, *rest in connection.execute(RELATIONS)}


def test_every_relation_is_owned_by_a_role_that_cannot_log_in(postgres):
    with psycopg.connect(postgres.admin_url) as connection:
        owners = {name: owner for name, (*_, owner) in relations(connection).items() if name != "alembic_version"}
        can_log_in = dict(connection.execute("select rolname, rolcanlogin from pg_roles"))
        above = connection.execute(
            "select rolname from pg_roles where rolname = any (%s) and (rolsuper or rolbypassrls or rolcreaterole)",
            ([*LOGIN_ROLES, "adloom_owner", "adloom_definer"],),
        ).fetchall()
    assert owners
    assert {owner for owner in owners.values() if can_log_in[owner]} == set()
    assert above == []


def test_a_relation_with_a_grant_has_a_policy_or_is_a_barrier_view(postgres):
    assert unguarded(postgres.admin_url) == set()


def test_a_granted_table_without_a_policy_would_be_found(empty_database):
    from adloom.db import migrate

    migrate.upgrade(empty_database.admin_url)
    with psycopg.connect(empty_database.admin_url) as connection:
        connection.execute("create table leak (org_id uuid)")
        connection.execute("grant select on leak to adloom_dashboard")
        connection.execute("create view leaky_view as select * from metrics")
        connection.execute("grant select on leaky_view to adloom_cli")
    assert unguarded(empty_database.admin_url) == {"leak", "leaky_view"}


def unguarded(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = relations(connection)
        granted = {table for table, grantee, _ in connection.execute(GRANTS) if grantee in (*ROLES, "PUBLIC")}
        tenant = {relation for name, relation, _ in connection.execute(POLICIES) if name == "tenant"}
    return {
        name for name in granted if not (found[name][2] if found[name][0] == "v" else found[name][1] and name in tenant)
    }


def selectable(connection: psycopg.Connection, role: str) -> list[str]:
    return [
        name
        for name in relations(connection)
        if connection.execute("select has_any_column_privilege(%s, %s::text, 'select')", (role, name)).fetchone()
        == (True,)
    ]


@pytest.mark.parametrize(
    ("role", "org", "scope"),
    [
        (role, org, scope)
        for role, (org, scope) in product(
            ROLES,
            [
                (None, "*"),
                ("", "*"),
                (GARBAGE, "*"),
                (str(uuid.UUID(int=7)), "*"),
                ("first", None),
                ("first", GARBAGE),
                ("first", "2"),
            ],
        )
    ],
)
def test_no_role_reads_rows_outside_of_its_scope(postgres, filled, role, org, scope):
    with psycopg.connect(postgres.url(role.removeprefix("adloom_").replace("_", "-"))) as connection:
        for name in selectable(connection, role):
            settings = {"app.org_id": str(filled[0]) if org == "first" else org, "app.account_scope": scope}
            enter(connection, settings)
            narrowed = org == "first"
            count = connection.execute(f"select count(*) from {name}").fetchone()
            # A connection tells whose log-in it is: it goes with its accounts.
            per_account = name == "connections" or (
                "account_id" in columns(connection, name) and name not in ("outbox", "dead_letters")
            )
            if not narrowed or per_account:
                assert count == (0,), f"{role} reads {name} with {settings}"
            connection.rollback()


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_its_own_rows_only(postgres, filled, role):
    with psycopg.connect(postgres.url(role.removeprefix("adloom_").replace("_", "-"))) as connection:
        for name in selectable(connection, role):
            enter(connection, {"app.org_id": str(filled[0]), "app.account_scope": "*"})
            found = connection.execute(f"select org_id from {name}").fetchall()
            assert found == [(filled[0],)], f"{role} reads {name}"
            connection.rollback()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("org", [None, GARBAGE, "other"])
def test_no_role_writes_rows_of_another_organisation(postgres, filled, role, org):
    with psycopg.connect(postgres.url(role.removeprefix("adloom_").replace("_", "-"))) as connection:
        granted = {(table, kind) for table, grantee, kind in connection.execute(GRANTS) if grantee == role}
        for table, kind in sorted(granted):
            enter(connection, {"app.org_id": str(filled[1]) if org == "other" else org, "app.account_scope": "*"})
            if kind == "INSERT":
                assert refuses_insert(connection, table, filled[0]), f"{role} inserts into {table} as {org}"
            elif kind == "UPDATE":
                assert (
                    changes(
                        connection,
                        f"update {table} set {update_of(connection, table, role)} where org_id = '{filled[0]}'",
                    )
                    == 0
                )
            elif kind == "DELETE":
                # TimescaleDB 2.19 cannot plan a plain `=` beside the view's own condition on the same column.
                wanted = f"org_id = any (array['{filled[0]}']::uuid[])"
                assert changes(connection, f"delete from {table} where {wanted}") == 0
            connection.rollback()


def enter(connection: psycopg.Connection, settings: dict[str, str | None]) -> None:
    for name, value in settings.items():
        if value is not None:
            connection.execute("select set_config(%s, %s, true)", (name, value))


def columns(connection: psycopg.Connection, relation: str) -> list[str]:
    return [
        row[0]
        for row in connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            (relation,),
        )
    ]


def refuses_insert(connection: psycopg.Connection, table: str, org: uuid.UUID) -> bool:
    """A copy of the foreign row is refused by the policy; other refusals would prove nothing."""
    rows = ROWS.strip().split(";\n")
    # Two tables are written through their barrier views.
    behind = {"visible_metrics": "metrics", "visible_hourly": "metrics_hourly"}.get(table, table)
    statement = next(row for row in rows if row.split()[2] == behind)
    sql = statement.format(org=f"'{org}'", n=1, h="\\x" + "01" * 32).replace(f"into {behind} ", f"into {table} ")
    # Another key: a duplicate would be refused before the policy is asked.
    sql = sql.replace("'ad', 'x'", "'ad', 'y'").replace("'campaign', 'x'", "'campaign', 'y'")
    try:
        with connection.transaction():
            connection.execute(sql)
    except psycopg.errors.InsufficientPrivilege:  # what row security raises
        return True
    except psycopg.errors.WithCheckOptionViolation:
        return True
    return False


def update_of(connection: psycopg.Connection, table: str, role: str) -> str:
    """An assignment of a column that this role may update to itself."""
    for column in columns(connection, table):
        if connection.execute(
            "select has_column_privilege(%s, %s::text, %s, 'update')", (role, table, column)
        ).fetchone() == (True,):
            identity = connection.execute(
                "select attidentity = 'a' from pg_attribute where attrelid = %s::regclass and attname = %s",
                (table, column),
            ).fetchone()
            if identity == (False,):
                return f"{column} = {column}"
    raise AssertionError(f"{role} may update no column of {table}")


def changes(connection: psycopg.Connection, statement: str) -> int:
    with connection.transaction():
        return connection.execute(statement).rowcount


def test_definer_functions_cannot_be_called_by_anyone_and_have_a_fixed_search_path(postgres):
    with psycopg.connect(postgres.admin_url) as connection:
        found = connection.execute(
            "select proname, proowner::regrole::text, proconfig, has_function_privilege('public', oid, 'execute')"
            " from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert len(found) >= 15
    for name, owner, config, public in found:
        assert owner == "adloom_definer", name
        assert any(item.startswith("search_path=public, pg_temp") for item in config or []), name
        assert not public, name


def test_the_backup_role_reads_everything_and_writes_nothing(postgres, filled):
    with psycopg.connect(postgres.url("backup")) as connection, psycopg.connect(postgres.admin_url) as admin:
        for name, (kind, *_) in relations(connection).items():
            if kind == "r" and name != "alembic_version":
                (there,) = admin.execute(f"select count(*) from {name}").fetchone()
                assert there >= 2, name
                assert connection.execute(f"select count(*) from {name}").fetchone() == (there,), name
        granted = {kind for _, grantee, kind in connection.execute(GRANTS) if grantee == "adloom_backup"}
    assert granted == {"SELECT"}


def test_interleaved_requests_of_two_organisations_over_a_pool_of_one_never_mix(
    postgres, filled, connect: Callable[..., Database]
):
    database = connect("dashboard", pool_size=1)

    def read(number: int) -> bool:
        org = filled[number % 2]
        with database.tenant(org) as connection:
            seen = connection.execute(text("select distinct org_id from visible_metrics")).scalars().all()
        with database.system() as connection:
            outside = connection.execute(text("select count(*) from visible_metrics")).scalar_one()
        return seen == [org] and outside == 0

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(read, range(500)))
    assert answers == [True] * 500
