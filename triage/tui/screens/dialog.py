"""What all dialogs share: a framed page over the screen that scrolls and closes."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from triage.tui.actions import bindings


class Dialog(ModalScreen[Any]):
    """A page of text. Nothing beneath it can be marked while it is open. Closing it answers None."""

    AUTO_FOCUS = "VerticalScroll"
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        & > .page {
            width: 90%; max-width: 96; height: auto; max-height: 90%;
            padding: 1 2; background: $surface; border: round $panel;
            border-subtitle-color: $foreground 68%;
            scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("modal"),
        Binding("escape,q", "dismiss", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page = VerticalScroll(classes="page")
        self.page.border_subtitle = "Esc close"
        self.body = Static()

    def compose(self) -> ComposeResult:
        """The page in its frame."""
        with self.page:
            yield self.body

    def on_resize(self) -> None:
        """The page is drawn for its width."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draws the content for the width there is now."""
        self.body.update(self.content(max(self.page.scrollable_content_region.width, 2)))

    def content(self, width: int) -> Content:
        """The page, for lines of `width` cells."""
        raise NotImplementedError

    def action_move(self, lines: int) -> None:
        """Scrolls by lines."""
        self.page.scroll_to(y=self.page.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: float) -> None:
        """Scrolls by a share of the page."""
        self.action_move(int(self.page.size.height * pages))

    def action_top(self) -> None:
        """To the first line."""
        self.page.scroll_home(animate=False)

    def action_bottom(self) -> None:
        """To the last line."""
        self.page.scroll_end(animate=False)
