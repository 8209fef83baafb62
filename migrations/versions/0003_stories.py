"""Which items tell the same story.

Revision: 3
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_story",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("story", sa.Integer(), nullable=False),
        sa.Column("particulars", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_item_story_item_id_item"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_story")),
    )
    op.create_index(op.f("ix_item_story_story"), "item_story", ["story"], unique=False)
    op.execute("PRAGMA user_version = 3")


def downgrade() -> None:
    raise NotImplementedError("a backup is made before every upgrade: restore it")
