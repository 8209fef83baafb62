"""The guided start's fourth step: the first round, as it goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from triage.core import words
from triage.core.errors import TriageError
from triage.core.starting import Fetched, Progress, Stand, Step
from triage.tui.cells import clip, line
from triage.tui.loader import Loader
from triage.tui.messages import sentence
from triage.tui.screens.start import StepScreen

BAR_CELLS = 24
MAX_LINES = 100


class FetchScreen(StepScreen):
    """A line a source, and a bar. Fetching goes on in its thread when the reader goes on without it."""

    STEP = Step.FETCH
    ASKS = "Fetching what your sources have."
    KEYS = (("Enter", "go on"), ("r", "try again"), ("t", "try the demo day"))
    DEFAULT_CSS = """
    FetchScreen > .bar { height: 1; padding: 0 2; margin: 1 0; }
    FetchScreen > .lines { height: 1fr; padding: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", show=False),
        Binding("r", "again", show=False),
        Binding("t", "demo", show=False),
    ]

    class Came(Message):
        """News from the thread that fetches."""

        def __init__(self, progress: Progress) -> None:
            super().__init__()
            self.progress = progress

    def __init__(self, loader: Loader, then: Callable[[Stand], object]) -> None:
        super().__init__(loader, then)
        self.bar = Static(classes="bar")
        self.lines = Static(classes="lines")
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._fetching = False

    def middle(self) -> ComposeResult:
        """The bar and the lines."""
        yield self.bar
        yield self.lines

    def on_mount(self) -> None:
        """Begins."""
        super().on_mount()
        self.action_again()

    def on_resize(self) -> None:
        """The lines are drawn for their room."""
        self.call_after_refresh(self._redraw)

    def action_again(self) -> None:
        """Fetches, unless that is under way."""
        if self._fetching:
            return
        self._fetching = True
        self._lines.clear()
        self._redraw()
        self.bar.update(Content(""))
        self.say("Esc goes on without waiting.")
        self.ask(lambda start: start.fetch(self._came), self._fetched)

    def _came(self, progress: Progress) -> None:
        """Called in the thread that fetches."""
        self.post_message(self.Came(progress))

    def on_fetch_screen_came(self, message: Came) -> None:
        """Shows how far it is."""
        progress = message.progress
        if progress.line:
            self._lines.append(progress.line)
            self._redraw()
        if not self._fetching:  # the sum is there already
            return
        filled, empty = words.bar(progress.done / progress.total if progress.total else 0.0, BAR_CELLS)
        count = f"  {progress.done} of {progress.total}" if progress.total > 1 else ""
        what, dim = f"{line(progress.what)}  ", "$foreground 68%"
        bar = Content.assemble(what, (filled, "$accent"), (empty, "$foreground 22%"), (count, dim))
        self.bar.update(bar)

    def _redraw(self) -> None:
        room = self.lines.size
        shown = list(self._lines)[-max(room.height, 1) :]
        self.lines.update(Content("\n".join(clip(line(row), max(room.width - 4, 10)) for row in shown)))

    def _fetched(self, fetched: Fetched) -> None:
        self._fetching = False
        self.bar.update(Content(f"{words.plural(fetched.items, 'item')} here, ranked by what you said."))
        if not fetched.items:
            self.bar.update(Content("Nothing came. Is there a network?"))
            self.say("r tries again; t shows an invented demo day meanwhile.")
        elif fetched.failed:
            self.say(f"{fetched.failed} of {fetched.asked} failed and will be tried again. Enter goes on.")
        else:
            self.say("All of them answered. Enter goes on.")

    def failed(self, error: TriageError) -> None:
        """It may be tried again."""
        self._fetching = False
        super().failed(error)

    def action_go_on(self) -> None:
        """On, when there is something to go on with."""
        if not self._fetching:
            self.leave()

    def action_demo(self) -> None:
        """The demo day on this terminal, until it is left."""
        from textual.app import SuspendNotSupported

        if self._fetching:
            return
        try:
            with self.app.suspend():
                self._loader.away(lambda backend: backend.start().try_demo())
        except SuspendNotSupported:
            self.say("In another terminal: triage demo")
        except TriageError as error:
            self.say(sentence(error))
