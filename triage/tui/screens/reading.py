"""The text of one item on a screen of its own, where there is no room for it beside the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.screen import Screen

from triage.core.items import Item
from triage.tui.widgets.bars import KeyBar, StatusBar
from triage.tui.widgets.reader import Reader


class ReadingScreen(Screen[None]):
    """Shows `item`. Marks go to it, wherever the cursor of the list beneath has been moved to."""

    AUTO_FOCUS = "Reader"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (9, "-tall")]  # noqa: RUF012

    def __init__(self, item: Item, *, state_of: Callable[[Item], str], now: Callable[[], datetime]) -> None:
        super().__init__()
        self.item = item
        self.reader = Reader(state_of=state_of, now=now)
        self.status_bar = StatusBar()

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield self.reader
        yield self.status_bar
        yield KeyBar("back", "like", "dislike", "next_highlight", "next_item", "why", "help")

    def on_screen_resume(self) -> None:
        """A dialog is closed: the terminal's cursor comes back to the text."""
        self.reader.lead_cursor()
