"""The guided start, full-screen: what its steps have in common, and the first of them.

Each step is a screen that stores what was said before the next one is shown, so that leaving loses nothing.
Owns the frame and the order; what the steps do is behind `triage.tui.start.Start`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from triage.core.errors import TriageError
from triage.core.packs import phrases
from triage.core.starting import ASKED, HINT, Stand, Step
from triage.tui.cells import line
from triage.tui.loader import Loader
from triage.tui.messages import sentence
from triage.tui.start import Start
from triage.tui.widgets.bars import TitleBar
from triage.tui.widgets.search_box import TypedLine

T = TypeVar("T")
SCREENS = (Step.INTERESTS, Step.PACKS, Step.IMPORTS, Step.FETCH, Step.MARKS)
NAMES = {
    Step.INTERESTS: "your interests",
    Step.PACKS: "starter packs",
    Step.IMPORTS: "what you already have",
    Step.FETCH: "fetching",
    Step.MARKS: "your judgement",
}


def open_start(app: App[Any], loader: Loader, then: Callable[[Stand], object]) -> None:
    """Opens the guided start over what the app shows; `then` is called when it is over."""
    app.push_screen(InterestsScreen(loader, then, opening=True))


class AnswerBox(TypedLine):
    """A line for an answer. What was pasted in lines is parted by commas, as phrases are."""

    LONGEST = 2000
    JOINT = ", "
    DEFAULT_CSS = """
    AnswerBox {
        dock: none; height: 3; border: round $panel; background: $surface; margin: 0 1; padding: 0 1;
    }
    AnswerBox:focus { border: round $accent; }
    """


class StepScreen(ModalScreen[None]):
    """A step: what is asked above, what can be pressed below, the rest in between."""

    STEP: ClassVar[Step]
    ASKS: ClassVar[str]
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Keys and what they do, for the last line, the most important first."""
    DEFAULT_CSS = """
    StepScreen { background: $background; color: $foreground; }
    StepScreen > .asks { padding: 1 2 0 2; text-style: bold; height: auto; }
    StepScreen > .hint { padding: 0 2 1 2; color: $foreground 68%; height: auto; }
    StepScreen > .said {
        dock: bottom; height: auto; max-height: 4; padding: 0 1; margin-bottom: 1; background: $surface;
    }
    StepScreen > .keys { dock: bottom; height: 1; }
    StepScreen > TitleBar { dock: top; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "skip", show=False),
        Binding("ctrl+b", "back", show=False, priority=True),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False, priority=True),
    ]

    def __init__(self, loader: Loader, then: Callable[[Stand], object]) -> None:
        super().__init__()
        self._loader = loader
        self._then = then
        self._leaving = False
        self.title_bar = TitleBar()
        self.said = Static(classes="said")

    def compose(self) -> ComposeResult:
        """The frame."""
        yield self.title_bar
        yield Static(Content(self.ASKS), classes="asks")
        yield from self.middle()
        yield self.said
        yield Static(self._keys(), classes="keys")

    def middle(self) -> ComposeResult:
        """What the step is about."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Says where the reader is."""
        place = SCREENS.index(self.STEP) + 1
        where = f"step {place} of {len(SCREENS)} · {NAMES[self.STEP]}"
        self.title_bar.show("triage", where, "^C leaves, to go on later")

    def _keys(self) -> Content:
        shown = [*self.KEYS, ("Esc", "skip"), *([("^B", "back")] if self.STEP is not SCREENS[0] else [])]
        return Content("").join(
            Content.assemble((f" {key} ", "bold $accent"), (f"{does}  ", "$foreground 68%"))
            for key, does in shown
        )

    def say(self, message: str) -> None:
        """Shows what just happened."""
        self.said.update(Content(line(message)))

    def ask(self, question: Callable[[Start], T], then: Callable[[T], object]) -> None:
        """Asks the start something in a thread; an error is said."""
        self._loader.ask(self, lambda backend: question(backend.start()), then, failed=self.failed)

    def failed(self, error: TriageError) -> None:
        """Something did not work; the reader may try again."""
        self._leaving = False
        self.say(sentence(error))

    def action_skip(self) -> None:
        """On to the next step, without this one."""
        self.leave()

    def action_back(self) -> None:
        """Back to the step before."""
        place = SCREENS.index(self.STEP)
        if place and not self._leaving:
            self._leaving = True
            before = SCREENS[place - 1]
            self.ask(lambda start: start.go_back(before), lambda _: self.show_step(before))

    def leave(self, first: Callable[[Start], object] | None = None) -> None:
        """Stores what was said, puts this step behind the reader, and shows the next one."""
        if self._leaving:
            return
        self._leaving = True

        def store(start: Start) -> Stand:
            if first is not None:
                first(start)
            return start.go_past(self.STEP)

        self.ask(store, lambda stand: self.show_step(stand.step))

    def show_step(self, step: Step) -> None:
        """The screen of a step in the place of this one, or the end."""
        if step is Step.DONE:
            self.ask(lambda start: start.go_past(Step.DONE), self._end)
        else:
            self.app.switch_screen(_screen_of(step)(self._loader, self._then))

    def _end(self, stand: Stand) -> None:
        self.app.pop_screen()
        self._then(stand)


class InterestsScreen(StepScreen):
    """The one question."""

    STEP = Step.INTERESTS
    ASKS = ASKED
    KEYS = (("Enter", "go on"),)
    AUTO_FOCUS = "AnswerBox"

    def __init__(self, loader: Loader, then: Callable[[Stand], object], *, opening: bool = False) -> None:
        super().__init__(loader, then)
        self._opening = opening
        self.box = AnswerBox(placeholder="type here")
        self.understood = Static(classes="hint")

    def middle(self) -> ComposeResult:
        """A line to type in, and how it is understood."""
        yield Static(Content(HINT), classes="hint")
        yield self.box
        yield self.understood

    def on_mount(self) -> None:
        """What was said before is there to be changed; whoever was further already goes on there."""
        super().on_mount()
        self.ask(lambda start: start.stand(), self._stands)

    def _stands(self, stand: Stand) -> None:
        if self._opening and stand.step is Step.DONE:  # somebody begins again
            self._opening = False
            self.ask(lambda start: start.go_back(Step.INTERESTS), self._stands)
            return
        if self._opening and stand.step is not Step.INTERESTS and not self.box.value:
            self.show_step(stand.step)
            return
        if stand.interests and not self.box.value:
            self.box.value = ", ".join(stand.interests)
            self.box.cursor_position = len(self.box.value)
        # While the reader types, the packs are read: then the next screen has them in order at once.
        self.ask(lambda start: start.warm_up(), lambda _: None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Shows what the answer is taken for."""
        self.say("")
        found = phrases(event.value)
        rows = [Content.assemble(("• ", "$accent"), phrase, "\n") for phrase in found]
        self.understood.update(Content("").join(rows))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Stores the interests."""
        said = phrases(event.value)
        if not said:
            self.say("A word or two, or Esc to go on without.")
            return
        self.leave(lambda start: start.say_interests(said))


def _screen_of(step: Step) -> Callable[[Loader, Callable[[Stand], object]], StepScreen]:
    from triage.tui.screens.start_fetch import FetchScreen
    from triage.tui.screens.start_imports import ImportsScreen
    from triage.tui.screens.start_marks import MarksScreen
    from triage.tui.screens.start_packs import PacksScreen

    screens: dict[Step, Callable[[Loader, Callable[[Stand], object]], StepScreen]] = {
        Step.INTERESTS: InterestsScreen,
        Step.PACKS: PacksScreen,
        Step.IMPORTS: ImportsScreen,
        Step.FETCH: FetchScreen,
        Step.MARKS: MarksScreen,
    }
    return screens[step]
