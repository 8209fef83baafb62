"""The text of one item with the passages that counted, wrapped here and scrolled line by line.

It draws a `Reading`; where the text comes from is the app's business. A passage is marked three ways:
by its background, by a bar in the left margin, which needs no colour, and by being where `n` jumps to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Offset, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from triage.core import reflow, words
from triage.core.items import Item
from triage.core.text import sanitize_text
from triage.tui.actions import bindings
from triage.tui.cells import line
from triage.tui.widgets.body import listed, paragraphs, place

if TYPE_CHECKING:
    from triage.core.readings import Reading

MAX_NAMED = 5
"""Other tellers of a story, and items that belong to one, that are named above its text."""
MARGIN = 3
"""Cells left of the text; the bars of the passages stand in it."""
MEASURE = 84
"""The longest line of text, in cells: longer ones are hard to read."""
FOR, AGAINST = "▌", "╎"


def _numbers(content: Content) -> list[int]:
    """The passages that a wrapped line has a part of."""
    return [int(span.style) for span in content.spans if isinstance(span.style, str) and span.style.isdigit()]


class Reader(ScrollView, can_focus=True):
    """Shows one item; n and N jump from passage to passage."""

    BINDINGS = bindings("reader")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "reader--title",
        "reader--dim",
        "reader--link",
        "reader--for",
        "reader--against",
        "reader--here",
        "reader--gutter-for",
        "reader--gutter-against",
    }

    class PastEnd(Message):
        """The reader asked for more than there is: the next item, perhaps."""

    def __init__(self, *, state_of: Callable[[Item], str], now: Callable[[], datetime]) -> None:
        super().__init__()
        self._state_of = state_of
        self._now = now
        self._item: Item | None = None
        self._text: str | None = None
        self._note = ""
        self._about = ""
        self._reading: Reading | None = None
        self._folded = True
        self._same = True
        """Whether offsets into the stored text hold for the shown one."""
        self._places: list[tuple[int, int, bool]] = []
        self._phrases: list[tuple[int, int]] = []
        self._sought = False
        self._here = -1
        self._lines: list[Content] = []
        self._starts: dict[int, int] = {}

    # ------------------------------------------------------------ content

    def show_item(self, item: Item | None, note: str = "") -> None:
        """Shows the head of an item at once, and `note` where its text will be."""
        self._item, self._text, self._note, self._about = item, None, note, ""
        self._reading = None
        self._places, self._here = [], -1
        self.scroll_to(y=0, animate=False, immediate=True)
        self._lay_out()

    def show_reading(self, reading: Reading) -> None:
        """Shows the whole text. The same item keeps its place, so that a new ranking moves nothing."""
        again = self._item is not None and self._item.id == reading.item.id
        self._item, self._note, self._reading = reading.item, "", reading
        self._about = words.text_note(reading) + (
            " · f fetches it" if reading.text_state == "summary" else ""
        )
        text = sanitize_text(reading.text)
        self._places = place(reading.item.highlights, reading.text, text)
        self._same = text == reading.text
        self._phrases = (
            [phrase for h in reading.item.highlights for phrase in h.phrases] if self._same else []
        )
        self._text = reflow.displayed(reading.item.kind, text)
        self._sought = any(h.contribution for h in reading.item.highlights)
        if not again:
            self._here, self._folded = -1, True
            self.scroll_to(y=0, animate=False, immediate=True)
        self._here = min(self._here, len(self._places) - 1)
        self._lay_out()

    def redraw(self) -> None:
        """Draws the same item anew: its mark has changed."""
        self._lay_out()

    @property
    def item(self) -> Item | None:
        """What is shown."""
        return self._item

    @property
    def reading(self) -> Reading | None:
        """The whole of it, once it is there."""
        return self._reading

    def fold(self) -> str:
        """Shows the quotes that are folded, or folds them again; says which."""
        self._folded = not self._folded
        self._lay_out()
        return "Quotes are folded" if self._folded else "All that is quoted is shown"

    def jump(self, step: int) -> str:
        """Goes to the next (1) or previous (-1) highlight and says where that is."""
        if self._text is None:
            return "The text is on its way"
        if not self._places:
            return "No highlighted passage here"
        self._here = (self._here + step) % len(self._places) if self._here >= 0 else min(step, 0)
        self._here %= len(self._places)
        if self._here not in self._starts and self._folded:
            self.fold()  # it lies in a quote
        self.refresh()
        self.scroll_to(
            y=self._starts.get(self._here, 0) - self.size.height // 3, animate=False, immediate=True
        )
        self.lead_cursor()
        kind = "speaks for it" if self._places[self._here][2] else "speaks against it"
        what = kind if self._sought else "says what it is about"
        return f"Passage {self._here + 1} of {len(self._places)}, {what}"

    # ------------------------------------------------------------ layout

    def on_resize(self) -> None:
        """Everything wraps anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._lines, self._starts = [], {}
        if width > MARGIN + 2 and self._item is not None:
            measure = min(width - MARGIN - 1, MEASURE)
            body = [Content.styled(line(self._note), "dim")] if self._text is None else self._body(self._text)
            for content in (*self._head(self._item), *body):
                for wrapped in content.wrap(measure):
                    for number in _numbers(wrapped):
                        self._starts.setdefault(number, len(self._lines))
                    self._lines.append(wrapped)
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def _head(self, item: Item) -> list[Content]:
        facts = [line(", ".join(item.people[:8])), line(item.source)]
        if item.published is not None:
            facts.append(f"{item.published.astimezone():%a %d %b %Y %H:%M}")
        if item.revised is not None:
            facts.append(f"revised {item.revised.astimezone():%a %d %b %Y %H:%M}")
        state = self._state_of(item)
        mark = f"{words.GLYPHS[state]} {state} · " if state in words.GLYPHS else ""
        chance = f"{mark}{words.reading_time(item)} · {words.care(item)}"
        head = [
            Content.styled(line(item.title) or "(no title)", "title"),
            Content.styled(" · ".join(fact for fact in facts if fact), "dim"),
        ]
        if item.url:
            head.append(Content.styled(line(item.url, 2048), "link"))
        head.append(Content.styled(chance, "dim"))
        if self._about:
            head.append(Content.styled(line(self._about), "dim"))
        if self._reading is not None:
            head += [Content.styled(each, "dim") for each in self._belonging(self._reading)]
        return [Content(""), *head, Content("")]

    def _belonging(self, reading: Reading) -> list[str]:
        """Who else tells it, the mail around it, the other messages of its thread: one line each."""
        copies = [f"= {line(copy.source)}: {line(copy.title)}" for copy in reading.copies[:MAX_NAMED]]
        if len(reading.copies) > MAX_NAMED:
            copies.append(f"= and {len(reading.copies) - MAX_NAMED} more")
        related = [
            f"└ {line(words.related(other, self._now()))}: {line(other.title)}"
            for other in reading.related[:MAX_NAMED]
        ]
        if reading.related:
            more = len(reading.related) - MAX_NAMED
            related.append(f"└ and {more} more: t lists all" if more > 0 else "└ t goes there")
        return copies + related

    def _body(self, text: str) -> list[Content]:
        below = self._reading.links if self._reading is not None else ()
        leads_to = below if self._same else ()
        shown = paragraphs(text, self._places, self._phrases, leads_to, folded=self._folded)
        return [*shown, *listed(below)]

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """Line `y` of the screen."""
        y += self.scroll_offset.y
        width = max(self.scrollable_content_region.width, 0)
        if not 0 <= y < len(self._lines):
            return Strip.blank(width, self.visual_style.rich_style)
        content, base = self._lines[y], self.visual_style
        plain = base.rich_style
        signs = {self._places[number][2] for number in _numbers(content)}
        segments = [
            Segment(FOR if True in signs else " ", self._parse("gutter-for").rich_style),
            Segment(AGAINST if False in signs else " ", self._parse("gutter-against").rich_style),
            Segment(" ", plain),
        ]
        segments += [
            Segment(text, style.rich_style)
            for text, style in content.render(base, "", parse_style=self._parse)
        ]
        return Strip(segments).adjust_cell_length(width, plain)

    def _parse(self, style: str | Style) -> Style:
        """The style that a span names: a part of the head, or a passage by its number."""
        if not isinstance(style, str):
            return style
        if style == "phrase":
            return Style(bold=True)
        if style.isdigit():
            number = int(style)
            style = "here" if number == self._here else "for" if self._places[number][2] else "against"
        return self.get_visual_style(f"reader--{style}")

    # ------------------------------------------------------------ moving

    def lead_cursor(self) -> None:
        """Puts the terminal's own cursor, which is not drawn, on the passage or the first line."""
        if self.has_focus and self.screen.is_current:
            line = self._starts.get(self._here, -1) - self.scroll_offset.y
            down = line if 0 <= line < self.size.height else 0
            self.app.cursor_position = self.content_region.offset + Offset(MARGIN, down)

    def on_focus(self) -> None:
        """The terminal's cursor comes here."""
        self.lead_cursor()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The terminal's cursor stays on what is in sight."""
        super().watch_scroll_y(old_value, new_value)
        self.lead_cursor()

    def action_move(self, lines: int) -> None:
        """Scrolls by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True)

    def action_page(self, pages: float) -> None:
        """Scrolls by a share of the screen; a page beyond the end asks for the next item."""
        if pages == 1.0 and self.scroll_offset.y >= self.max_scroll_y:
            self.post_message(self.PastEnd())
            return
        lines = max(int((self.size.height - 2) * abs(pages)), 1)
        self.action_move(lines if pages > 0 else -lines)

    def action_top(self) -> None:
        """To the title."""
        self.scroll_to(y=0, animate=False, immediate=True)

    def action_bottom(self) -> None:
        """To the last line."""
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def on_click(self, event: events.Click) -> None:
        """A click only takes the focus: nothing in a stranger's text can be pressed."""
        event.stop()
