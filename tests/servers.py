"""A server that somebody names for tests, instead of the session's own."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adloom.db import migrate

# The URL of a role that may do everything on a server that is for tests only: its login roles get new passwords.
VARIABLE = "ADLOOM_TEST_DATABASE_URL"


@dataclass
class Server:
    """The admin's URL, and passwords that the login roles get when the first database is there."""

    admin: str
    passwords: dict[str, str] = field(default_factory=dict)

    def url(self, database: str, role: str | None = None) -> str:
        found = conninfo_to_dict(self.admin)
        user, password = (role, self.passwords[role]) if role else (found["user"], found.get("password") or "")
        port = found.get("port") or 5432
        return f"postgresql://{user}:{password}@{found['host']}:{port}/{database}"


def named() -> Server | None:
    """The server that the environment names, with log-ins for all roles; None when it names none."""
    if not (url := os.environ.get(VARIABLE)):
        return None
    server = Server(url, {role: secrets.token_hex(16) for role in migrate.LOGIN_ROLES})
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True) as connection:
        at_work = connection.execute(
            "select count(*) from pg_stat_activity where usename = any (%s)", (list(migrate.LOGIN_ROLES),)
        ).fetchone()
        if at_work != (0,):
            raise RuntimeError(f"Somebody works with Adloom on the server of {VARIABLE}: its log-ins would be lost.")
        connection.execute(f"create database {name} template template0".encode())
        try:
            migrate.upgrade(server.url(name))
            migrate.set_passwords(server.url(name), server.passwords)
        finally:
            connection.execute(f"drop database {name} with (force)".encode())
    return server
