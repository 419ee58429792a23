"""Backups read the migration a database is at, and where its sequences stand."""

from alembic import op

revision = "0011"
down_revision = "0010"

# alembic made its table before there was a role to grant it to.
GRANTS = """
grant select on alembic_version to adloom_backup;
grant select on all sequences in schema public to adloom_backup;
"""
LATER = "alter default privileges for role adloom_owner in schema public"


def upgrade() -> None:
    op.execute(GRANTS)
    op.execute(f"{LATER} grant select on sequences to adloom_backup")


def downgrade() -> None:
    op.execute(f"{LATER} revoke select on sequences from adloom_backup")
    op.execute("revoke select on all sequences in schema public from adloom_backup")
    op.execute("revoke select on alembic_version from adloom_backup")
