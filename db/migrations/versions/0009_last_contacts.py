"""Last contacts: an index that ends with a user's last contact on any channel."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEX = "contact_log_tenant_id_commerce_user_id_contacted_at_idx"


def upgrade() -> None:
    """Apply."""
    op.create_index(op.f(INDEX), "contact_log", ["tenant_id", "commerce_user_id", "contacted_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f(INDEX))
