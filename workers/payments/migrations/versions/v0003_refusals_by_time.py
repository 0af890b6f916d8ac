"""Find the refused transitions of a day without reading those of years."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index that the gauges read by."""
    op.get_bind().exec_driver_sql(
        "CREATE INDEX refusals_by_time ON refused_transitions (shop_id, at)"
    )


def downgrade() -> None:
    """Drop it."""
    op.get_bind().exec_driver_sql("DROP INDEX refusals_by_time")
