"""The first screen: the digest as a list, with the text beside it where there is room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from triage.core import ending, words
from triage.core.items import Digest
from triage.tui.session import Session
from triage.tui.widgets.bars import KeyBar, StatusBar, TitleBar
from triage.tui.widgets.end_card import CardLine, end_card, message_card
from triage.tui.widgets.item_list import ItemList
from triage.tui.widgets.reader import Reader
from triage.tui.widgets.search_box import FilterBox, SearchBox

WIDE = 100
"""Columns from which on the text stands beside the list."""
KEYS = ("like", "dislike", "undo", "open", "help", "leave", "search")
"""The actions in the key bar; on a narrow screen the last ones give way."""


class DigestScreen(Screen[None]):
    """List, text, and the lines around them. The app decides what they show."""

    AUTO_FOCUS = "ItemList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (9, "-tall")]  # noqa: RUF012

    def __init__(self, session: Session, *, now: Callable[[], datetime], demo: bool) -> None:
        super().__init__()
        self._session = session
        self._demo = demo
        self._trouble = ""
        self.title_bar = TitleBar()
        self.list = ItemList(state_of=session.state_of, now=now)
        self.reader = Reader(state_of=session.state_of, now=now)
        self.status_bar = StatusBar()

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield self.title_bar
        with Horizontal():
            yield self.list
            yield self.reader
        yield self.status_bar
        yield KeyBar(*KEYS)

    @property
    def wide(self) -> bool:
        """Whether the text stands beside the list."""
        return self.app.size.width >= WIDE

    def on_screen_resume(self) -> None:
        """A dialog is closed: the terminal's cursor comes back to the list, or the text beside it."""
        self.list.lead_cursor()
        self.reader.lead_cursor()

    def on_resize(self) -> None:
        """The text comes and goes with the room for it."""
        if not self.wide and self.reader.has_focus:
            self.list.focus()
        self.list.announce()

    def show(self, *, select: int | None = None, trouble: str = "") -> None:
        """Shows what the session holds.

        Args:
            select: The id of the item to put the cursor on; otherwise it stays where it is.
            trouble: Why there is no digest, if there is none.
        """
        session = self._session
        if session.narrowed:
            self.title_bar.show("only", f"“{session.narrowed}”", "Esc shows all")
        elif session.query is not None:
            self.title_bar.show("search", f"“{session.query}”", "Esc goes back")
        elif session.digest is not None:
            self.title_bar.show("triage", *self._title(session.digest))
        else:
            self.title_bar.show("triage")
        self._trouble = trouble
        self.list.show(session.sections(), self._card, select=select)

    def open_search(self) -> None:
        """Opens the line in which a search is typed, or goes to it."""
        boxes = self.query(SearchBox)
        if not boxes:
            self.mount(
                SearchBox(placeholder="words, from: tag: is: after: -not @saved", compact=True),
                before=self.status_bar,
            )
            boxes = self.query(SearchBox)
        boxes.first().offer(self._session.saved)
        boxes.first().focus()

    def offer_saved(self, saved: dict[str, str]) -> None:
        """Keeps the names of saved searches at hand, for the search line and the palette."""
        self._session.saved = saved
        for box in self.query(SearchBox):
            box.offer(saved)

    def open_filter(self) -> None:
        """Opens the line that narrows the list while one types, or goes to it."""
        boxes = self.query(FilterBox)
        if not boxes:
            self.mount(FilterBox(self._session.narrowed), before=self.status_bar)
            boxes = self.query(FilterBox)
        boxes.first().focus()

    @on(FilterBox.Changed)
    def narrow(self, event: FilterBox.Changed) -> None:
        """Shows what has the words."""
        if isinstance(event.input, FilterBox):
            event.stop()
            self._session.narrowed = event.value.strip()
            self.show()

    @on(FilterBox.Submitted)
    def narrowed(self, event: FilterBox.Submitted) -> None:
        """Back to the list, which stays narrow; to the app it would be a search."""
        if isinstance(event.input, FilterBox):
            event.stop()
            event.input.remove()
            self.list.focus()

    def widen(self) -> bool:
        """Shows everything again; says whether there was less."""
        boxes = self.query(FilterBox)
        was_narrow = bool(boxes) or bool(self._session.narrowed)
        boxes.remove()
        self._session.narrowed = ""
        if was_narrow:
            self.show()
            self.list.focus()
        return was_narrow

    def close_search(self) -> bool:
        """Closes that line; says whether it was open."""
        boxes = self.query(SearchBox)
        was_open = bool(boxes)
        boxes.remove()
        self.list.focus()
        return was_open

    def _title(self, digest: Digest) -> tuple[str, str]:
        day = ending.title(digest)
        left = f"{day} · demo" if self._demo or digest.demo else day
        return left, f"{words.minutes(digest.minutes)} of reading"

    def _card(self, width: int) -> list[CardLine]:
        session = self._session
        if session.narrowed:
            return message_card("That is all with these words.", "Esc shows the rest again.", width)
        if session.query is not None and session.results:
            return message_card("That is all.", "Esc goes back to the digest.", width)
        if session.query is not None:
            return message_card("Nothing found.", "No item matches. Esc goes back.", width)
        if session.digest is not None:
            return end_card(session.digest, width, demo=self._demo or session.digest.demo)
        if self._trouble:
            return message_card("There is no digest yet.", self._trouble, width)
        return message_card("One moment.", "The digest is being put together.", width)
