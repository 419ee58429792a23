"""Who logs in by which identity provider."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute("reset role")


def downgrade() -> None:
    pass
