"""The guided start's third step: what the reader has already, from a file or an address."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from triage.core.errors import TriageError
from triage.core.starting import IMPORTABLE, MAILBOX_ASKED, Found, Stand, Step
from triage.tui.cells import line
from triage.tui.loader import Loader
from triage.tui.screens.start import AnswerBox, StepScreen

ADDRESS = "such as ~/feeds.opml"
COMMAND = "a command"


class ImportsScreen(StepScreen):
    """A line for a path or an address; what it is is said before it is taken in."""

    STEP = Step.IMPORTS
    ASKS = "What do you already have?"
    KEYS = (("Enter", "look at it; empty: go on"),)
    AUTO_FOCUS = "AnswerBox"

    def __init__(self, loader: Loader, then: Callable[[Stand], object]) -> None:
        super().__init__(loader, then)
        self.box = AnswerBox(placeholder=ADDRESS)
        self.log_lines: list[Content] = []
        self.done = Static(classes="hint")
        self._found: Found | None = None
        self._busy = False

    def middle(self) -> ComposeResult:
        """The line, and what was taken in so far."""
        yield Static(Content(f"{IMPORTABLE}. One at a time; it is only ever read."), classes="hint")
        yield self.box
        yield self.done

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Looks at what was named, or takes in what was looked at."""
        text, found = event.value.strip(), self._found
        if self._busy:
            return
        if found is not None and found.kind == "password":
            if text:
                self._look(found.target, text)
        elif found is not None:
            self._busy = True
            self.say("Taking it in …")
            self.ask(lambda start: start.add(found), self._added)
        elif text:
            self._look(text)
        else:
            self.leave()

    def _look(self, target: str, password_command: str = "") -> None:
        self._busy = True
        self.say("Looking at it …")
        self.ask(lambda start: start.look_at(target, password_command), self._looked)

    def _looked(self, found: Found) -> None:
        self._busy = False
        self._found = found
        if found.kind == "password":
            self.box.placeholder = COMMAND
            self.box.value = ""
            self.say(f"{MAILBOX_ASKED}. Esc drops the mailbox.")
            return
        self.say(f"{line(found.said)}. Enter adds it, Esc does not.")

    def _added(self, said: str) -> None:
        assert self._found is not None
        row = Content.assemble(("✓ ", "$success"), f"{line(self._found.target, 60)}: {line(said)}\n")
        self.log_lines.append(row)
        self.done.update(Content("").join(self.log_lines))
        self._drop("Anything else? Enter on the empty line goes on.")

    def _drop(self, said: str) -> None:
        self._busy, self._found = False, None
        self.box.value, self.box.placeholder = "", ADDRESS
        self.say(said)

    def failed(self, error: TriageError) -> None:
        """The address stays, to be mended."""
        self._busy = False
        if self._found is not None and self._found.kind == "password":
            self.box.value = self._found.target
            self.box.action_end()
        self._found = None
        self.box.placeholder = ADDRESS
        super().failed(error)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another address is another thing: what was found belongs to the old one."""
        found = self._found
        if found is not None and found.kind != "password" and event.value.strip() != found.target:
            self._found = None
            self.say("")

    def action_skip(self) -> None:
        """Drops what was looked at; otherwise goes on."""
        if self._found is not None:
            self._drop("Dropped.")
        else:
            super().action_skip()
