"""Know when a payer's address was told, so that an older telling does not come back over it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the instant; rows of before have none, and take the next telling."""
    op.get_bind().exec_driver_sql("ALTER TABLE payers ADD COLUMN told_at timestamptz")


def downgrade() -> None:
    """Drop it."""
    op.get_bind().exec_driver_sql("ALTER TABLE payers DROP COLUMN told_at")
