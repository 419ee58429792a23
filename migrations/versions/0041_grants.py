"""What a log-in at a platform gave us, for how long, and which of its accounts were chosen."""

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
