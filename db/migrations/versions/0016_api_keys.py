"""API keys: machines may send one in place of a token."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
oldest_code = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    time = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "key_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the key's text. A key is looked up by it."
        ),
        sa.Column(
            "key_prefix",
            sa.Text(),
            nullable=False,
            comment="The beginning of the key's text, by which people recognize it.",
        ),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", time, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", time, nullable=True),
        sa.Column("last_used_at", time, nullable=True, comment="Written at most once a minute."),
        sa.CheckConstraint("octet_length(key_hash) = 32", name=op.f("api_keys_key_hash_check")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("api_keys_pkey")),
    )
    op.create_index(op.f("api_keys_key_hash_idx"), "api_keys", ["key_hash"], unique=True)


def downgrade() -> None:
    """Take back."""
    op.drop_table("api_keys")
