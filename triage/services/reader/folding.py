"""Which items a reader sees folded under which: the stored stories, less what the reader has split.

Owns the reading of both from the database. Needs no numbers, so every listing can use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from triage.core import feedback
from triage.core.feedback import Event
from triage.core.stories import Stories
from triage.store import stories as store


def around(connection: Connection, events: Sequence[Event], ids: Sequence[int]) -> Stories:
    """The stories that some items tell, with everybody who tells them."""
    return Stories(store.around(connection, ids), feedback.parted(events))


def recent(connection: Connection, events: Sequence[Event], since: datetime) -> Stories:
    """The stories that several items tell, one of them first seen since then."""
    return Stories(store.retold(connection, since), feedback.parted(events))


def settled(
    connection: Connection, events: Sequence[Event], stories: Stories, until: datetime | None = None
) -> frozenset[int]:
    """The items of some stories that need not be read, because another copy was marked (before `until`)."""
    ids = [item_id for members in stories for item_id in members]
    return stories.settled(events, store.first_seen(connection, ids), until)


def settled_by_marks(connection: Connection, events: Sequence[Event], until: datetime) -> frozenset[int]:
    """All items that need not be read, because another copy was marked before `until`."""
    return settled(connection, events, around(connection, events, list(feedback.labels(events))), until)
