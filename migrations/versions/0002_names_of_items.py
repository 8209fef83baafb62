"""Several names for one item, parts of a mail, full texts, and what a reader sets for a source.

Revision: 2
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(length=16), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_identity_item_id_item"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_identity")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_identity_item_id"), "identity", ["item_id"], unique=False)
    op.create_table(
        "full_text",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(), nullable=True),
        sa.Column("next_try_at", sa.DateTime(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("served", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_full_text_item_id_item"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_full_text")),
    )
    op.create_index(op.f("ix_full_text_next_try_at"), "full_text", ["next_try_at"], unique=False)
    op.create_table(
        "host",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("wait_until", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host")),
    )
    # Columns with a default, because there are rows; the program always gives a value.
    op.add_column("source", sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("source", sa.Column("paused", sa.Text(), nullable=True))
    op.add_column("source", sa.Column("failing_since", sa.DateTime(), nullable=True))
    op.add_column("source", sa.Column("polling", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("item", sa.Column("flags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("item", sa.Column("edition", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("item") as batch:
        batch.add_column(sa.Column("parent_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_item_parent_id_item"), "item", ["parent_id"], ["id"], ondelete="SET NULL"
        )
        batch.create_index(op.f("ix_item_parent_id"), ["parent_id"], unique=False)
    _name_what_is_there()
    op.execute("PRAGMA user_version = 2")


def _name_what_is_there() -> None:
    """Every item is known by its key, so that the next poll finds it; other names come with that poll.

    The hash is that of `triage.core.identity.digest` as of this step.
    """
    import hashlib

    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, source_id, key FROM item"))
    names = [
        {"scope": source, "name": hashlib.sha256(f"key\0{key}".encode()).digest()[:16], "item_id": item}
        for item, source, key in rows
    ]
    if names:
        connection.execute(
            sa.text("INSERT INTO identity (scope, name, item_id) VALUES (:scope, :name, :item_id)"), names
        )


def downgrade() -> None:
    raise NotImplementedError("a backup is made before every upgrade: restore it")
