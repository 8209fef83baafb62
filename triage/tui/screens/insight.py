"""How the ranker and the reader get on, with plots; what takes a ranking comes last and by itself."""

from __future__ import annotations

from textual.content import Content

from triage.core.errors import TriageError
from triage.core.insight import Insight, Learned
from triage.core.insight_page import Line, Role, page
from triage.tui.cells import clip, line
from triage.tui.loader import Loader
from triage.tui.messages import sentence
from triage.tui.screens.dialog import Dialog

STYLES: dict[Role, str] = {
    "title": "bold $accent",
    "text": "",
    "dim": "$foreground 68%",
    "bar": "$accent",
    "up": "$success",
    "down": "$error",
}


class InsightScreen(Dialog):
    """One page that scrolls."""

    def __init__(self, loader: Loader) -> None:
        super().__init__()
        self._loader = loader
        self._found: Insight | None = None
        self._learned: Learned | None = None
        self._note = "Adding up …"

    def on_mount(self) -> None:
        """Asks for what is stored, and then for what takes a ranking."""
        self._loader.ask(self, lambda backend: backend.insight(), self._show, failed=self._failed)

    def _show(self, found: Insight) -> None:
        self._found, self._note = found, ""
        self.redraw()
        self._loader.ask(self, lambda backend: backend.learned(), self._show_learned, failed=self._failed)

    def _show_learned(self, learned: Learned) -> None:
        self._learned = learned
        self.redraw()

    def _failed(self, error: TriageError) -> None:
        self._note = sentence(error)
        self.redraw()

    def content(self, width: int) -> Content:
        """The page."""
        note = Content.styled(f"{clip(line(self._note), width)}\n", "bold") if self._note else Content("")
        if self._found is None:
            return note
        lines = [row for each in page(self._found, self._learned, width) for row in _drawn(each, width)]
        return Content.assemble(note, Content("\n").join(lines))


def _drawn(pieces: Line, width: int) -> list[Content]:
    """A line in its colours: prose is wrapped, everything else cut to the width."""
    content = Content.assemble(*((text, STYLES[role]) for text, role in pieces))
    return content.wrap(width) if len(pieces) == 1 else [content.truncate(width, ellipsis=True)]
