"""The last texts opened, and the one that is wanted now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.core.readings import Reading


KEPT = 16
"""Readings kept; the longest text allowed is 200 KB."""


class Readings:
    """A small cache that lets only the newest wish through.

    However fast the cursor moves, one load runs at a time, and after it only the item that is wanted by
    then is loaded: a slow database is never asked for a text that nobody waits for.
    """

    def __init__(self, load: Callable[[int], object]) -> None:
        """Creates it; `load` starts the load of an item, which ends in a call of `loaded`."""
        self._load = load
        self._kept: OrderedDict[int, Reading] = OrderedDict()
        self._wanted: int | None = None
        self._loading: int | None = None
        self._stale = False

    def get(self, item_id: int) -> Reading | None:
        """The reading of an item, if it is kept."""
        return self._kept.get(item_id)

    def want(self, item_id: int | None) -> None:
        """The reader looks at this item now, or at none."""
        self._wanted = item_id
        self._next()

    def loaded(self, item_id: int, reading: Reading | None) -> None:
        """A load ended, with None for a failure."""
        self._loading = None
        if self._stale:
            self._stale = False
        elif reading is not None:
            self._kept[item_id] = reading
            self._kept.move_to_end(item_id)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        if reading is None and item_id == self._wanted:
            self._wanted = None
        self._next()

    def forget(self) -> None:
        """What counts in a text has changed with the profile: every reading has to be loaded again."""
        self._kept.clear()
        self._stale = self._loading is not None

    def _next(self) -> None:
        if self._wanted is None or self._loading is not None or self._wanted in self._kept:
            return
        self._loading = self._wanted
        self._load(self._wanted)
