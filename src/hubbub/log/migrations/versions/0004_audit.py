"""The audit log.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("visit", sa.Boolean(), nullable=False),
        sa.Column("who", sa.String(length=64), server_default="", nullable=False),
        sa.Column("about", sa.String(length=64), server_default="", nullable=False),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.Column("detail", sa.String(length=200), server_default="", nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_visit_id", "audit", ["visit", "id"])
    # What `hubbub restore` left in a copy that was made before there was this table.
    op.execute(
        "INSERT INTO audit (at, until, kind, visit, address, count)"
        " SELECT CAST(value AS BIGINT), CAST(value AS BIGINT), 'restored', false, 'command line', 1"
        " FROM meta WHERE key = 'restored_at'"
    )
    op.execute("DELETE FROM meta WHERE key = 'restored_at'")


def downgrade() -> None:
    raise NotImplementedError("Go back by restoring the copy that was kept before the upgrade.")
