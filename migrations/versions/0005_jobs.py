"""What the daemon did last and when, what it notified the reader of, and which hosts were asked.

Revision: 5
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_notification_item_id_item"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index(op.f("ix_notification_item_id"), "notification", ["item_id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("host", sa.String(length=300), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("ahead_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("host", "day", "purpose", name=op.f("pk_contact")),
    )
    op.create_index(
        op.f("ix_item_revised_at"),
        "item",
        ["revised_at"],
        unique=False,
        sqlite_where=sa.text("revised_at IS NOT NULL"),
    )
    op.execute("PRAGMA user_version = 5")


def downgrade() -> None:
    raise NotImplementedError("a backup is made before every upgrade: restore it")
