"""The learning journal: what the reader has said, what each did, and a key that takes any of it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from triage.core.errors import TriageError
from triage.core.journal import Entry, notes
from triage.tui.cells import clip, line
from triage.tui.loader import Loader
from triage.tui.messages import Learned, sentence
from triage.tui.screens.picker import Picker
from triage.tui.writer import Write

SHOWN = 200
"""The newest so many: every move of the cursor draws all of them."""
WHEN_CELLS = 14
HINT = "u undo or redo  Esc close"


class JournalScreen(Picker):
    """The events, newest first. `write` puts something into the queue of marks and says so."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("u", "choose", "undo or redo", show=False)]

    def __init__(self, loader: Loader, write: Callable[[Write, str], str]) -> None:
        super().__init__()
        self._loader = loader
        self._write = write
        self._entries: list[Entry] | None = None
        self._said = "Looking it up …"

    def on_mount(self) -> None:
        """Asks for the events."""
        self._load()

    def _load(self) -> None:
        self._loader.ask(self, lambda backend: backend.journal(SHOWN), self._show, failed=self._failed)

    def _show(self, entries: list[Entry]) -> None:
        before = self._entries
        if before is None:
            self._said = ""
        elif before and entries and self.cursor < len(before):
            # An undo is a line of its own, at the top: the cursor stays on what it was put on.
            here = before[self.cursor].id
            self.cursor = next((n for n, each in enumerate(entries) if each.id == here), 0)
        self._entries = entries
        self.redraw()

    def _failed(self, error: TriageError) -> None:
        self._said = sentence(error)
        self.redraw()

    @on(Learned)
    def learned(self, message: Learned) -> None:
        """Something was said, from here or just before."""
        self._said = message.said
        self._load()

    def redraw(self) -> None:
        """Draws the events, and below them what was done or what can be done."""
        super().redraw()
        self.page.border_subtitle = Content(clip(line(self._said), 60) or HINT)

    def head(self, width: int) -> Content:
        """The title."""
        nothing = "\nYou have said nothing yet.\n" if self._entries == [] else ""
        return Content.assemble(
            ("What you have said, and what it did\n", "bold $accent"), clip(nothing, width)
        )

    def rows(self, width: int) -> list[Content]:
        """Each event with its time and words; below it what came of it."""
        return [self._row(entry, width) for entry in self._entries or ()]

    def _row(self, entry: Entry, width: int) -> Content:
        when = f"{entry.at.astimezone():%d %b %H:%M}".ljust(WHEN_CELLS)
        counts = entry.undone_by is None and not entry.over
        said = clip(line(entry.says), max(width - WHEN_CELLS, 2))
        came = clip(notes(entry) or "nothing to move yet", max(width - WHEN_CELLS, 2))
        return Content.assemble(
            (when, "$foreground 68%"),
            (said, "" if counts else "$foreground 68% strike"),
            "\n" + " " * WHEN_CELLS,
            (came, "$foreground 68%"),
        )

    def action_choose(self) -> None:
        """Takes back what the event under the cursor says, or brings it back."""
        if self._entries:
            entry = self._entries[self.cursor]
            self._said = self._write(lambda backend: backend.turn_back(entry.id), "changed")
            self.redraw()
