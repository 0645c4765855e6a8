"""Traces: the spans of an activity's creation and of its mark, which later traces are linked to."""

from alembic import op

revision = "0024"
down_revision = "0023"
oldest_code = "0022"
branch_labels = None
depends_on = None

COMMENTS = {
    "traceparent": "The span of the call that has created it.",
    "mark_traceparent": "The span of the step that has marked it.",
}


def upgrade() -> None:
    """Apply."""
    for column, comment in COMMENTS.items():
        op.execute(f"ALTER TABLE scheduled_activities ADD COLUMN {column} text")
        op.execute(f"COMMENT ON COLUMN scheduled_activities.{column} IS '{comment}'")


def downgrade() -> None:
    """Take back."""
    for column in COMMENTS:
        op.drop_column("scheduled_activities", column)
