"""How long a text was before the reader: looked at about once a second, paused while nobody is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from triage.core.errors import TriageError
from triage.core.items import Item
from triage.tui.screens.reading import ReadingScreen

if TYPE_CHECKING:
    from triage.tui.app import TriageApp
    from triage.tui.backend import Backend

LOOK_SECONDS = 1.0
"""Between two looks at which text is open."""
IDLE_S = 120.0
"""Without a key or the mouse for so long, nobody is reading: a long screen of text takes about a minute."""
MOST_S = 3600.0
"""Of one opening."""
STEP_S = 5.0
"""What one look adds at most: after a longer time the machine was asleep."""


class Stopwatch:
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


class Dwell:
    """Has it remembered how long each text was open. Looks at the screen, once a second."""

    def __init__(self, app: TriageApp) -> None:
        self._app = app
        self._stopwatch = Stopwatch()

    def touch(self) -> None:
        """The reader did something."""
        self._stopwatch.touch()

    def look(self) -> None:
        """An item whose text is left is remembered, with the time that it was open."""
        item = self._open_item()
        if (left := self._stopwatch.look(item.id if item is not None else None)) is not None:
            self._app.loader.opened(*left)

    def end(self, backend: Backend) -> None:
        """The same for what is open when the reader leaves, at once; a failure keeps nobody from leaving."""
        if (left := self._stopwatch.look(None)) is not None:
            with contextlib.suppress(TriageError):
                backend.opened(*left)

    def _open_item(self) -> Item | None:
        """The item whose text is open, under whatever dialog; beside the list, only while it has focus."""
        stack = self._app.screen_stack
        shown = next((screen for screen in reversed(stack) if not isinstance(screen, ModalScreen)), None)
        if isinstance(shown, ReadingScreen):
            return shown.item
        base = self._app.base
        return base.reader.item if shown is base and base.reader.has_focus else None
