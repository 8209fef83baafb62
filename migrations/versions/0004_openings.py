"""What is opened, which digests are seen; until when an event holds, for whom, what it did; links.

Also without an index that nothing looks into, which every new item had to be entered in, and with a search
index that keeps no second copy of the texts.

Revision: 4
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from alembic import op

from triage.store import search

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("until", sa.DateTime(), nullable=True))
    op.add_column("event", sa.Column("scope", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("step", sa.Integer(), nullable=True))
    with op.batch_alter_table("event") as event:
        event.add_column(sa.Column("stamp", sa.DateTime(), nullable=True))
    _stamp(op.get_bind())
    with op.batch_alter_table("event") as event:
        event.alter_column("stamp", existing_type=sa.DateTime(), nullable=False)
    op.create_index(op.f("ix_event_stamp"), "event", ["stamp"], unique=False)
    op.add_column("item_text", sa.Column("links", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "opening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("digest_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_opening_item_id_item"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["digest_id"], ["digest.id"], name=op.f("fk_opening_digest_id_digest"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening")),
    )
    op.create_index(op.f("ix_opening_item_id"), "opening", ["item_id"], unique=False)
    op.create_index(op.f("ix_opening_at"), "opening", ["at"], unique=False)
    op.drop_index(op.f("ix_item_content_hash"), "item")
    op.create_table(
        "effect",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("together", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_effect_event_id_event")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_effect")),
    )
    op.add_column("digest", sa.Column("seen_at", sa.DateTime(), nullable=True))
    # Whatever the index is by then: a later step that changes it builds it once more.
    search.rebuild(op.get_bind())
    op.execute("PRAGMA user_version = 4")


def _stamp(connection: sa.Connection) -> None:
    """Gives every event the time it was said, or a microsecond after the one before, whichever is later."""
    event = sa.table(
        "event", sa.column("id", sa.Integer), sa.column("at", sa.DateTime), sa.column("stamp", sa.DateTime)
    )
    newest: datetime | None = None
    for event_id, at in connection.execute(sa.select(event.c.id, event.c.at).order_by(event.c.id)).all():
        newest = at if newest is None else max(at, newest + timedelta(microseconds=1))
        connection.execute(event.update().where(event.c.id == event_id).values(stamp=newest))


def downgrade() -> None:
    raise NotImplementedError("a backup is made before every upgrade: restore it")
