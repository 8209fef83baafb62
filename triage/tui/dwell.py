"""How long an item was before the reader: looked at about once a second, paused while nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

IDLE_S = 120.0
"""Without a key or the mouse for so long, nobody is reading: a long screen of text takes about a minute."""
MOST_S = 3600.0
"""Of one opening."""
STEP_S = 5.0
"""What one look adds at most: after a longer time the machine was asleep."""


class Dwell:
    """A stopwatch for one item at a time."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._item: int | None = None
        self._seconds = 0.0
        self._looked = self._touched = clock()

    def touch(self) -> None:
        """The reader did something."""
        self._touched = self._clock()

    def look(self, item_id: int | None) -> tuple[int, float] | None:
        """Says which item is open now, None for none; returns (item, seconds) of one that has been closed."""
        now = self._clock()
        if self._item is not None and now - self._touched < IDLE_S:
            self._seconds = min(self._seconds + min(now - self._looked, STEP_S), MOST_S)
        self._looked = now
        if item_id == self._item:
            return None
        ended = None if self._item is None else (self._item, round(self._seconds, 1))
        self._item, self._seconds = item_id, 0.0
        return ended
