"""A dialog with a cursor over rows: what the menus and the why screen share."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Region

from triage.tui.screens.dialog import Dialog
from triage.tui.widgets.item_row import CURSOR

LEAD = 2
"""Cells before a row, for the cursor."""


class Picker(Dialog):
    """Rows of one or more lines, between a head and a foot. What choosing one does is for its children."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self._tops: list[int] = []

    def head(self, width: int) -> Content:
        """What stands above the rows."""
        raise NotImplementedError

    def rows(self, width: int) -> list[Content]:
        """The rows; no line of theirs is longer than `width` cells."""
        raise NotImplementedError

    def foot(self, width: int) -> Content:
        """What stands below the rows."""
        del width
        return Content("")

    def action_choose(self) -> None:
        """Chooses the row under the cursor."""
        raise NotImplementedError

    def content(self, width: int) -> Content:
        """The page; remembers where each row begins."""
        head, rows = self.head(width), self.rows(max(width - LEAD, 1))
        self.cursor = min(max(self.cursor, 0), max(len(rows) - 1, 0))
        lines = [head] if head else []
        top, self._tops = len(head.wrap(width)) if head else 0, []
        for number, row in enumerate(rows):
            self._tops.append(top)
            lead = Content.styled(CURSOR, "$accent") if number == self.cursor else Content(" ")
            for part in row.split("\n"):
                lines.append(Content.assemble(lead, " ", part))
                top += 1
        self._tops.append(top)
        foot = self.foot(width)
        return Content("\n").join([*lines, *([foot] if foot else [])])

    def redraw(self) -> None:
        """Draws the page and keeps the row under the cursor in sight."""
        super().redraw()
        self.call_after_refresh(self._reveal)

    def _reveal(self) -> None:
        self._scroll_to_cursor()
        if len(self._tops) > 1:
            # The terminal's own cursor is not drawn; screen readers follow it.
            self.app.cursor_position = self.body.region.offset + Offset(0, self._tops[self.cursor])

    def _scroll_to_cursor(self) -> None:
        if len(self._tops) > 1:
            # The head belongs to the first row, the foot to the last one.
            first, last = self.cursor == 0, self.cursor == len(self._tops) - 2
            top = 0 if first else self._tops[self.cursor]
            bottom = self.body.size.height if last else self._tops[self.cursor + 1]
            if bottom - top <= self.page.size.height:
                self.page.scroll_to_region(Region(0, top, 1, bottom - top), animate=False, force=True)
            else:
                self.page.scroll_to_region(
                    Region(0, self._tops[self.cursor], 1, 1), animate=False, force=True
                )

    def action_move(self, lines: int) -> None:
        """Moves the cursor."""
        self.cursor += lines
        self.redraw()

    def action_page(self, pages: float) -> None:
        """Moves the cursor by a share of the page."""
        self.action_move(int(self.page.size.height * pages / 2) or (1 if pages > 0 else -1))

    def action_top(self) -> None:
        """To the first row."""
        self.action_move(-self.cursor)

    def action_bottom(self) -> None:
        """To the last row."""
        self.action_move(len(self._tops))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a row; a second one chooses it."""
        if event.widget is not self.body:
            return
        row = bisect_right(self._tops, event.y) - 1
        if 0 <= row < len(self._tops) - 1:
            self.cursor = row
            self.redraw()
            if event.chain > 1:
                self.action_choose()
