"""Runs migrations one transaction each, with time limits, under an advisory lock.

The connection comes from `adloom.db.migrate`, which is the only caller.
"""

from alembic import context
from sqlalchemy import Connection, text

# A migration that waits for a lock makes everybody behind it wait too: better fail and be run again.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def run(connection: Connection) -> None:
    context.configure(connection=connection, transaction_per_migration=True)
    connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"set statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
