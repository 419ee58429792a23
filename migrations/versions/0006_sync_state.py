"""What the sync remembers of an account between its slices."""

from alembic import op

revision = "0006"
down_revision = "0005"

COLUMNS = """
alter table ad_accounts
    -- The only event that may go on with this account's work by itself: an older one of its kind is out of date.
    add column continuation uuid,
    -- The account's local day on which the restatement window was last asked for.
    add column restated_on date;
"""


def upgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute(COLUMNS)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local role adloom_owner")
    op.execute("alter table ad_accounts drop column continuation, drop column restated_on")
    op.execute("reset role")
