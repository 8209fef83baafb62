"""Groups new items into stories, as they come in, and keeps the groups.

Owns the window of items that newcomers are compared with, and the transactions. Runs in the model worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from model.particulars import Particulars, is_answer, particulars
from model.stories import Report, Stories, wholes
from triage.core.crash import crash_point
from triage.services.ranker.vectors import Vectors
from triage.store import passages
from triage.store import stories as store
from triage.store.chunks import CHUNK
from triage.store.engine import Database
from triage.store.stories import StoryRow

WINDOW = timedelta(days=30)
"""What came in earlier is told no more: reports of an event come within days, copies within weeks."""
MAX_ITEMS = 20_000
"""The newest items of the window, which are compared with each other: as many as are ranked."""
BATCH = CHUNK
"""Items a transaction: a second of work, so that little is done again after a kill."""


class Grouping:
    """Holds what the items of the window are compared by, from the first new item on."""

    def __init__(self, database: Database, vectors: Vectors) -> None:
        self._database = database
        self.vectors = vectors
        self._known: Stories | None = None

    def group_new(self, now: datetime) -> int:
        """Finds the story of every item that has none yet; how many there were.

        Another process may be doing the same: what it stored first stands, and is learned of here with the
        next new item.
        """
        with self._database.read() as connection:
            stories = store.newest(connection, now - WINDOW, MAX_ITEMS)
        waiting = [item_id for item_id, story in stories.items() if story is None]
        if not waiting:
            return 0
        known, done = self._caught_up([i for i, story in stories.items() if story is not None]), 0
        for start in range(0, len(waiting), BATCH):
            ids = waiting[start : start + BATCH]
            with self._database.read() as connection:
                new = store.ungrouped(connection, ids)
            reports = self._reports(new)
            found = known.add(
                [report for report, item in zip(reports, new, strict=True) if not item.personal]
            )
            rows = [
                (item.id, found.get(item.id, item.id), report.particulars.to_bytes())
                for report, item in zip(reports, new, strict=True)
            ]
            with self._database.write() as connection:
                open_ids = {item.id for item in store.ungrouped(connection, ids)}
                store.put(connection, (row for row in rows if row[0] in open_ids))
                crash_point("stories:written")
            done += len(new)
        return done

    def _caught_up(self, old: Sequence[int]) -> Stories:
        """The items of the window as they are stored; those that are known already are not read again."""
        if self._known is None or len(self._known) > 2 * MAX_ITEMS:
            self._known = Stories()
        known = self._known
        with self._database.read() as connection:
            stored = store.grouped(connection, [item_id for item_id in old if item_id not in known])
        missing = [item for item in stored if not item.personal]
        known.add(self._reports(missing), {item.id: item.story for item in missing if item.story is not None})
        return known

    def _reports(self, items: Sequence[StoryRow]) -> list[Report]:
        vectors = self._wholes(items)
        return [
            Report(
                id=item.id,
                particulars=_particulars(item),
                vector=vectors[n],
                published=(item.published_at or item.first_seen_at).timestamp(),
                kind=item.kind,
                source=str(item.source_id),
                people=frozenset(item.people),
                identifiers={kind: str(name) for kind, name in item.identifiers.items()},
                parent=item.parent_id,
                answers=is_answer(item.title),
            )
            for n, item in enumerate(items)
        ]

    def _wholes(self, items: Sequence[StoryRow]) -> NDArray[np.float32]:
        if self.vectors.weights is None:
            return np.zeros((len(items), 1), dtype=np.float32)
        with self._database.read() as connection:
            parts = passages.of_items(connection, [item.id for item in items])
        found = [parts.get(item.id, []) for item in items]
        values = self.vectors.rows([part.vector_row for each in found for part in each])
        return wholes(values, [len(each) for each in found])


def _particulars(item: StoryRow) -> Particulars:
    if item.particulars is not None:
        return Particulars.from_bytes(item.particulars)
    return particulars(item.title, item.text or "")
