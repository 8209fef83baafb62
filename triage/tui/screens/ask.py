"""A question that is answered with words."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from triage.tui.cells import line
from triage.tui.screens.dialog import Dialog
from triage.tui.widgets.search_box import SearchBox


class AskScreen(Dialog):
    """Dismissed with what was typed, or with None."""

    AUTO_FOCUS = "SearchBox"

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        """The question, and the line for the answer."""
        with self.page:
            yield self.body
        yield SearchBox(value=line(self._value), compact=True, select_on_focus=False)

    def content(self, width: int) -> Content:
        """The question."""
        del width
        return Content.assemble((line(self._question), "bold $accent"), "\nEnter answers, Esc does not.")

    @on(SearchBox.Submitted)
    def answered(self, event: SearchBox.Submitted) -> None:
        """Answers; to the app it would be a search."""
        event.stop()
        self.dismiss(event.value.strip() or None)
