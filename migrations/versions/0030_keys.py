"""API keys of other systems; operator keys that can be taken back."""

from alembic import op

revision = "0030"
down_revision = "0026"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute("reset role")


def downgrade() -> None:
    pass
