"""The step between Postgres and everything else: the database, its migrations, the login roles' passwords.

    python -m infra.deployment.migrate

It needs the secret admin-database-url, and the secrets <process>-database-url of the roles that shall log in.
"""

from __future__ import annotations

import sys

from adloom.audit.administration import upgrade
from adloom.db.migrate import create_database, role_passwords, set_passwords
from adloom.settings import AdminDatabaseSettings, load, secrets_folder


def main() -> int:
    url = load(AdminDatabaseSettings, "admin").admin_database_url.get_secret_value()
    create_database(url)
    upgrade(url)
    set_passwords(url, role_passwords(secrets_folder()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
