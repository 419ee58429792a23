"""The step between Postgres and everything else: the database, its migrations, the login roles' passwords.

    python -m infra.deployment.migrate

It needs the secret admin-database-url, and the secrets <process>-database-url of the roles that shall log in.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adloom.db.migrate import set_passwords, upgrade
from adloom.settings import AdminDatabaseSettings, load, secrets_folder

_CONNECT_TIMEOUT_S = 10


def main() -> int:
    url = load(AdminDatabaseSettings, "admin").admin_database_url.get_secret_value()
    create_database(url)
    upgrade(url)
    set_passwords(url, role_passwords(secrets_folder()))
    return 0


def create_database(admin_url: str) -> None:
    """Make the database that the URL names, unless it is there."""
    name = str(conninfo_to_dict(admin_url)["dbname"])
    server = make_conninfo(admin_url, dbname="postgres", connect_timeout=_CONNECT_TIMEOUT_S)
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def role_passwords(folder: Path) -> dict[str, str]:
    """Role -> password, read from the files `<process>-database-url`."""
    files = [path for path in folder.glob("*-database-url") if path.name != "admin-database-url"]
    parsed = [conninfo_to_dict(path.read_text(encoding="utf-8").strip()) for path in files]
    return {str(one["user"]): str(one["password"]) for one in parsed}


if __name__ == "__main__":
    sys.exit(main())
