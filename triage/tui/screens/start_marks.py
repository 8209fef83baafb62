"""The guided start's last step: up to ten judgements, and what each does to the order."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from triage.core import words
from triage.core.errors import TriageError
from triage.core.starting import QUESTIONS, Question, Stand, Step, arrow, moves
from triage.core.verbs import Verb
from triage.tui.cells import clip, fit, line
from triage.tui.loader import Loader
from triage.tui.screens.start import StepScreen

SAID_LINES = 4


class MarksScreen(StepScreen):
    """One item to be judged, and the best of all below it."""

    STEP = Step.MARKS
    ASKS = "More like this, or less?"
    KEYS = (("l", "like"), ("d", "dislike"), ("Space", "pass"), ("u", "undo"), ("Enter", "enough"))
    DEFAULT_CSS = """
    MarksScreen > .item { height: auto; max-height: 9; padding: 1 2 0 2; }
    MarksScreen > .order { height: 1fr; padding: 1 2 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,plus", "judge('like')", show=False),
        Binding("d,minus", "judge('dislike')", show=False),
        Binding("L", "judge('love')", show=False),
        Binding("space,s", "pass", show=False),
        Binding("u", "undo", show=False),
        Binding("enter", "skip", show=False),
    ]

    def __init__(self, loader: Loader, then: Callable[[Stand], object]) -> None:
        super().__init__(loader, then)
        self.item = Static(classes="item")
        self.order = Static(classes="order")
        self._question: Question | None = None
        self._before: Question | None = None
        self._passed: list[int] = []
        self._judged: list[int] = []
        self._busy = True

    def middle(self) -> ComposeResult:
        """The item, and the order."""
        yield self.item
        yield self.order

    def on_mount(self) -> None:
        """Asks for the first question."""
        super().on_mount()
        self.say("Looking for what would teach most …")
        self.ask(lambda start: start.question(()), self._asked)

    def on_resize(self) -> None:
        """Both are drawn for their room."""
        self.call_after_refresh(self._redraw)

    def action_judge(self, name: str) -> None:
        """Says what the reader thinks of it."""
        if (question := self._question) is None or question.item is None or self._busy:
            return
        item_id, passed = question.item.id, tuple(self._passed)
        self._busy = True
        self._judged.append(item_id)
        self.ask(lambda start: start.answer(item_id, Verb(name), passed), self._asked)

    def action_pass(self) -> None:
        """Another item, please; a pass teaches nothing."""
        if (question := self._question) is None or question.item is None or self._busy:
            return
        self._passed.append(question.item.id)
        passed = tuple(self._passed)
        self._busy = True
        self.ask(lambda start: start.question(passed), self._asked)

    def action_undo(self) -> None:
        """Takes the last judgement back."""
        if self._busy:
            return
        if not self._judged:
            self.say("There is nothing to undo.")
            return
        self._busy = True
        item_id, passed = self._judged.pop(), tuple(self._passed)
        self.ask(lambda start: start.undo(item_id, passed), self._asked)

    def failed(self, error: TriageError) -> None:
        """The question stays."""
        self._busy = False
        super().failed(error)

    def _asked(self, question: Question) -> None:
        self._busy = False
        self._before, self._question = self._question, question
        if question.message:
            self.say(f"{question.message}, {words.plural(question.moved, 'item')} moved")
        else:
            self.say("The order below learns from each.")
        if question.item is None or question.number > QUESTIONS:
            learned = f"{question.message}. " if question.message else ""
            self.say(f"{learned}Enter shows your first digest.")
        self._redraw()

    def _redraw(self) -> None:
        if (question := self._question) is None:
            return
        width = max(self.size.width - 4, 20)
        self.item.update(self._item(question, width))
        self.order.update(self._order(question, width))

    def _item(self, question: Question, width: int) -> Content:
        item = question.item
        if item is None or question.number > QUESTIONS:
            return Content.styled("No more questions.", "bold")
        about = f"{question.number} of {QUESTIONS} · {line(item.source, 60)} · {words.minutes(item.minutes)}"
        return Content.assemble(
            (f"{clip(line(item.title), width)}\n", "bold"),
            (f"{clip(about, width)}\n", "$foreground 68%"),
            clip(line(question.said), width * SAID_LINES),
        )

    def _order(self, question: Question, width: int) -> Content:
        moved = moves(self._before.top if self._before is not None else (), question.top)
        rows = [Content.styled("The best for you now\n", "bold")]
        for item in question.top[: max(self.order.size.height - 2, 1)]:
            state = {"like": "+", "love": "+", "dislike": "-"}.get(item.state, " ")
            rows.append(
                Content.assemble(
                    (f"{fit(arrow(moved[item.id]), 4, right=True)} ", "$accent"),
                    (f"{state} ", "bold"),
                    clip(line(item.title), width - 8),
                    "\n",
                )
            )
        return Content("").join(rows)
