"""The list of items: lanes, two lines an item, and a card as its last row.

A virtual list. It draws the lines on screen and no others, so a hundred thousand items cost what forty
cost (Textual's DataTable and OptionList take 9 s for them). It owns the cursor and knows no backend.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from triage.core import words
from triage.core.items import Item
from triage.tui.actions import bindings
from triage.tui.cells import fit, line
from triage.tui.session import Section
from triage.tui.widgets.end_card import CardLine
from triage.tui.widgets.item_row import CURSOR, INDENT, LINES, RowView, row_segments

CARD_CELLS = 72
"""The card is text to be read, so its lines are no longer than this."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Where a section lies: its first row and its first line, the title's line included."""

    section: Section
    row: int
    top: int
    items_top: int


class ItemList(ScrollView, can_focus=True):
    """Items in sections with a cursor; the row after the last item is the card."""

    BINDINGS = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--title",
        "list--dim",
        "list--faint",
        "list--passage",
        "list--mark",
        "list--bar",
        "list--track",
        "list--lane",
        "list--cursor",
        "list--here",
        "list--card-title",
        "list--rule",
    }

    @dataclass
    class Moved(Message):
        """The cursor is on another item, or on the card (None)."""

        item: Item | None

    @dataclass
    class Opened(Message):
        """The reader wants to read this item."""

        item: Item

    def __init__(self, *, state_of: Callable[[Item], str], now: Callable[[], datetime]) -> None:
        super().__init__()
        self._state_of = state_of
        self._now = now
        self._sections: tuple[Section, ...] = ()
        self._blocks: list[_Block] = []
        self._index: dict[int, int] | None = None
        self._count = 0
        self._cursor = 0
        self._card: Callable[[int], list[CardLine]] = lambda _width: []
        self._card_lines: list[CardLine] = []
        self._card_top = 0
        self._styles: dict[str, Style] = {}

    # ------------------------------------------------------------ content

    def show(
        self,
        sections: Sequence[Section],
        card: Callable[[int], list[CardLine]],
        *,
        select: int | None = None,
    ) -> None:
        """Shows other items.

        The cursor stays on its item, or on the next one that is still there, and that item stays at
        its place on the screen as far as the list allows.

        Args:
            sections: The items, lane after lane.
            card: Draws the last row for a width in cells.
            select: The id of the item to put the cursor on instead.
        """
        keep = iter([select]) if select is not None else self._from_cursor(self._blocks)
        offset = self._top_of(self._cursor) - self.scroll_offset.y
        at_top = self.scroll_offset.y == 0 and self._cursor == 0
        self._sections, self._card = tuple(sections), card
        self._index = None
        self._count = sum(len(section.items) for section in self._sections)
        self._lay_out()
        fallback = min(self._cursor, self._count)
        self._cursor = next((self._rows[item_id] for item_id in keep if item_id in self._rows), fallback)
        if not at_top:
            self.scroll_to(y=self._top_of(self._cursor) - offset, animate=False, immediate=True)
        self._reveal()
        self.refresh()
        self.announce()

    def announce(self) -> None:
        """Says where the cursor is."""
        # The sender is named, because a message that the app itself brought about would not reach it.
        self.post_message(self.Moved(self.selected).set_sender(self))

    @property
    def selected(self) -> Item | None:
        """The item under the cursor; None on the card."""
        return self._item(self._cursor)

    @property
    def on_card(self) -> bool:
        """Whether the cursor has come to the end."""
        return self._cursor >= self._count

    def neighbour(self, item_id: int, step: int) -> Item | None:
        """The item `step` rows from another one; None beyond either end or if that one is not here."""
        row = self._rows.get(item_id)
        return None if row is None or row + step < 0 else self._item(row + step)

    def has(self, item_id: int) -> bool:
        """Whether an item is in the list."""
        return item_id in self._rows

    def select(self, item_id: int) -> None:
        """Puts the cursor on an item, if it is here."""
        if item_id in self._rows:
            self._go(self._rows[item_id])

    @property
    def _rows(self) -> dict[int, int]:
        """Item id -> row; made when first asked for, because a list that is only scrolled needs none."""
        if self._index is None:
            items = chain.from_iterable(section.items for section in self._sections)
            self._index = {item.id: row for row, item in enumerate(items)}
        return self._index

    def _from_cursor(self, blocks: Sequence[_Block]) -> Iterator[int]:
        """Ids from the cursor to the end of what `blocks` hold: where the cursor may stay, best first."""
        row = self._cursor
        for block in blocks:
            for item in block.section.items[max(row - block.row, 0) :]:
                yield item.id

    def _item(self, row: int) -> Item | None:
        if not 0 <= row < self._count:
            return None
        block = self._blocks[bisect_right(self._blocks, row, key=lambda b: b.row) - 1]
        return block.section.items[row - block.row]

    # ------------------------------------------------------------ geometry

    def _lay_out(self) -> None:
        """Lines: a title line before each section, a blank one between sections, then the card."""
        width = self.scrollable_content_region.width
        self._blocks, row, top = [], 0, 0
        for section in self._sections:
            items_top = top + (2 if self._blocks else 1)
            self._blocks.append(_Block(section, row, top, items_top))
            row, top = row + len(section.items), items_top + len(section.items) * LINES
        self._card_top = top
        self._card_lines = self._card(min(width - INDENT - 1, CARD_CELLS)) if width > INDENT + 1 else []
        self.virtual_size = Size(width, top + len(self._card_lines))

    def _top_of(self, row: int) -> int:
        if row >= self._count or not self._blocks:
            return self._card_top
        block = self._blocks[bisect_right(self._blocks, row, key=lambda b: b.row) - 1]
        return block.items_top + (row - block.row) * LINES

    def _row_at(self, y: int) -> int | None:
        """The row at line `y`; None for a title."""
        if y >= self._card_top:
            return self._count
        block = self._blocks[bisect_right(self._blocks, y, key=lambda b: b.top) - 1]
        return None if y < block.items_top else block.row + (y - block.items_top) // LINES

    def on_resize(self) -> None:
        """The card wraps anew; the cursor stays in sight."""
        self._lay_out()
        self._reveal()

    def _reveal(self) -> None:
        """Scrolls as little as shows the cursor's row whole, with the lane title above a first item."""
        top = self._top_of(self._cursor)
        height = len(self._card_lines) if self.on_card else LINES
        if any(block.row == self._cursor for block in self._blocks):
            top, height = top - 1, height + 1
        self.scroll_to_region(
            Region(0, top, 1, height), animate=False, force=True, immediate=True, top=self.on_card
        )
        self.lead_cursor()

    def lead_cursor(self) -> None:
        """Puts the terminal's own cursor, which is not drawn, on the row: screen readers follow it."""
        if self.has_focus and self.screen.is_current:
            line = self._top_of(self._cursor) - self.scroll_offset.y
            self.app.cursor_position = self.content_region.offset + Offset(0, line)

    def on_focus(self) -> None:
        """The terminal's cursor comes here."""
        self.lead_cursor()

    # ------------------------------------------------------------ moving

    def _go(self, row: int) -> None:
        row = min(max(row, 0), self._count)
        if row != self._cursor:
            self._cursor = row
            self.refresh()
            self.announce()
        self._reveal()

    def action_move(self, rows: int) -> None:
        """Moves the cursor by rows."""
        self._go(self._cursor + rows)

    def action_page(self, pages: float) -> None:
        """Moves the cursor by a share of what fits on the screen."""
        rows = max(self.size.height // LINES - 1, 1) * abs(pages)
        self._go(self._cursor + max(int(rows), 1) * (1 if pages > 0 else -1))

    def action_top(self) -> None:
        """To the first item."""
        self._go(0)

    def action_bottom(self) -> None:
        """To the card."""
        self._go(self._count)

    def action_open(self) -> None:
        """Asks for the item to be opened."""
        if (item := self.selected) is not None:
            self.post_message(self.Opened(item).set_sender(self))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; a second one opens."""
        row = self._row_at(event.y + self.scroll_offset.y)
        if row is None:
            return
        if event.chain > 1:
            self.action_open()
        else:
            self._go(row)

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """Line `y` of the screen."""
        y += self.scroll_offset.y
        width = self.scrollable_content_region.width
        if width <= 0 or y >= self.virtual_size.height:
            return Strip.blank(max(width, 0), self._style("base"))
        if y >= self._card_top:
            segments, selected = self._card_segments(y - self._card_top, width), self.on_card
        else:
            block = self._blocks[bisect_right(self._blocks, y, key=lambda b: b.top) - 1]
            if y < block.items_top:
                segments, selected = self._title_segments(block, y, width), False
            else:
                index, part = divmod(y - block.items_top, LINES)
                item = block.section.items[index]
                selected = block.row + index == self._cursor
                view = RowView(width, self._now(), self._state_of(item), selected)
                segments = row_segments(item, part, view, self._row_styles())
        strip = Strip(segments).adjust_cell_length(width, self._style("base"))
        if not (selected and self.has_focus):
            return strip
        here = Style(bgcolor=self._style("here").bgcolor)
        return Strip([Segment(text, style + here if style else here) for text, style, _ in strip], width)

    def _title_segments(self, block: _Block, y: int, width: int) -> list[Segment]:
        if y < block.items_top - 1:
            return [Segment(" " * width, self._style("base"))]
        time = words.minutes(block.section.minutes)
        title = fit(f" {line(block.section.title)}", max(width - len(time) - 2, 0))
        return [Segment(title, self._style("lane")), Segment(f" {time} ", self._style("dim"))]

    def _card_segments(self, y: int, width: int) -> list[Segment]:
        drawn = self._card_lines[y]
        lead = Segment(CURSOR if self.on_card else " ", self._style("cursor"))
        if drawn.part == "rule":
            return [lead, Segment(fit("─" * (width - 2) + " ", width - 1), self._style("rule"))]
        name = {"title": "card-title", "text": "title", "note": "dim"}[drawn.part]
        return [
            lead,
            Segment(" " * (INDENT - 1), self._style("base")),
            Segment(drawn.text, self._style(name)),
        ]

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._styles = {}

    def _row_styles(self) -> dict[str, Style]:
        # Kept, because blending them takes longer than drawing the line.
        if not self._styles:
            parts = (name.removeprefix("list--") for name in self.COMPONENT_CLASSES)
            self._styles = {part: self.get_visual_style(f"list--{part}").rich_style for part in parts}
            self._styles["base"] = self.rich_style
        return self._styles

    def _style(self, part: str) -> Style:
        return self._row_styles()[part]
