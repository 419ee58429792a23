"""What the services need before they start: the role that owns the database, its migrations, the bucket."""

from __future__ import annotations

from adloom.errors import Unavailable
from adloom.settings import StorageSettings, load
from adloom.storage import Storage
from infra.deployment import migrate
from infra.deployment.secrets import ADMIN
from infra.faasd import machine
from infra.faasd.choices import Choices
from infra.faasd.errors import MachineFault

_STORAGE_S = 60.0


def prepare(choices: Choices) -> None:
    make_admin(choices.postgres_port)
    if migrate.main():
        raise MachineFault("The migrations failed; the lines above say why.")
    make_bucket(choices)


def make_admin(port: int) -> None:
    """The role that migrations use, with the password of our secrets. Its text is in no command line and no log."""
    password = machine.secret("postgres-password").replace("'", "''")
    statements = f"""\
select 'create role {ADMIN}' where not exists (select from pg_roles where rolname = '{ADMIN}') \\gexec
alter role {ADMIN} superuser login password '{password}';
"""
    psql = ["runuser", "--user", "postgres", "--", "psql", "--no-psqlrc", "--quiet", "--port", str(port)]
    machine.run([*psql, "--set", "ON_ERROR_STOP=1", "--dbname", "postgres"], text=statements)


def make_bucket(choices: Choices) -> None:
    """The bucket, if it is not there. A server that is just starting is waited for."""
    storage = Storage(load(StorageSettings, "admin"))
    last: list[Unavailable] = []

    def made() -> bool:
        try:
            storage.make_bucket()
        except Unavailable as error:
            last[:] = [error]
            return False
        return True

    try:
        machine.wait_for("not", made, _STORAGE_S)
    except MachineFault:
        raise MachineFault(
            f"{choices.s3_url}: {last[0].detail}. See that it runs, that the keys in /etc/adloom/secrets are its keys, "
            f"and that they may use the bucket {choices.s3_bucket}."
        ) from last[0]
