"""The index of messages for search, with the messages that are there.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hubbub.log.indexing import index_everything

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_docs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("room_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_docs")),
        sa.UniqueConstraint("room_id", "seq", name="uq_search_docs_room_id_seq"),
    )
    # No places of words in a text (detail=none), which would make it twice as large: what is found is looked at anyway.
    op.execute(
        "CREATE VIRTUAL TABLE search_index USING fts5(text, content='search_docs', content_rowid='id',"
        " tokenize='trigram case_sensitive 1', detail='none', columnsize=0)"
    )
    index_everything(op.get_bind())


def downgrade() -> None:
    raise NotImplementedError("Go back by restoring the copy that was kept before the upgrade.")
