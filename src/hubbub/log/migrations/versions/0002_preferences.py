"""What clients keep for a user.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("preferences", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Go back by restoring the copy that was kept before the upgrade.")
