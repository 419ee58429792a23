"""The audit trail: one chain of events per organisation, one for the deployment."""

from alembic import op

revision = "0035"
down_revision = "0031"


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute("reset role")


def downgrade() -> None:
    pass
