"""Why an item stands where it stands: every share of its score, in numbers, words and bars.

Asks for its answers itself: the shares at once, then the reader's marks that speak for the item, which take a
fit each. From any row something can be said that changes it; then it asks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from triage.core import words
from triage.core.errors import TriageError
from triage.core.feedback import Said
from triage.core.items import Item, Reason
from triage.core.readings import Explained, MarkShare
from triage.tui.backend import Backend
from triage.tui.cells import clip, fit, line
from triage.tui.messages import Learned, sentence
from triage.tui.screens.picker import Picker

if TYPE_CHECKING:
    from triage.tui.app import TriageApp

BAR_CELLS = 10
WIDE = 80
"""From this width on, a reason takes one line."""
NARROW = 40
"""Below this width it has no bar."""
KINDS = {
    "passage": "passage",
    "interest": "interest",
    "rule": "rule",
    "source": "source",
    "person": "person",
    "age": "age",
    "bias": "start",
}
"""The kinds of reasons in one word each; `bias` is where every item starts."""


def decides(reason: Reason) -> bool:
    """Whether it is a hard rule, which has no share of the score because it does not ask for it."""
    return reason.kind == "rule" and not reason.contribution


def strength(value: float, total: float, *, decided: bool = False) -> str:
    """What a share says, in words; `total` is the sum of all shares without their signs."""
    if not value:
        return "decides" if decided else "says nothing"
    share = abs(value) / total
    how = "strongly" if share >= 0.3 else "clearly" if share >= 0.1 else "slightly"
    return f"{how} {'for' if value > 0 else 'against'}"


class WhyScreen(Picker):
    """The reasons of one item, the strongest first, and what they come to; then the marks behind them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,minus", "correct(-1)", show=False),
        Binding("l,plus", "correct(1)", show=False),
    ]

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item
        self._explained: Explained | None = None
        self._said = Said({}, {})
        self._marks: tuple[MarkShare, ...] | None = None
        self._note = "Looking it up …"
        self._news = ""

    def on_mount(self) -> None:
        """Asks for the reasons."""
        self._ask()

    def _ask(self) -> None:
        def question(backend: Backend) -> tuple[Explained, Said]:
            return backend.explain(self.item.id), backend.said()

        self._app.loader.ask(self, question, self._show, failed=self._failed)

    @property
    def _app(self) -> TriageApp:
        return cast("TriageApp", self.app)

    def _show(self, answer: tuple[Explained, Said]) -> None:
        self._explained, self._said = answer
        self.redraw()
        self._app.loader.ask(
            self,
            lambda backend: backend.mark_shares(self.item.id),
            self._show_marks,
            failed=lambda error: self._show_marks((), sentence(error)),
        )

    def _failed(self, error: TriageError) -> None:
        self._note = sentence(error)
        self.redraw()

    def _show_marks(self, marks: tuple[MarkShare, ...], note: str = "No mark of yours moves it yet.") -> None:
        self._marks, self._note = marks, note
        self.redraw()

    @on(Learned)
    def learned(self, message: Learned) -> None:
        """Something was said from here: the reasons are others now."""
        self._news = message.said
        self._marks = None
        self._ask()
        self.redraw()

    # ------------------------------------------------------------ what can be said of a row

    @property
    def reasons(self) -> list[Reason]:
        """The reasons in the order of the rows."""
        found = self._explained.reasons if self._explained else ()
        return sorted(found, key=lambda r: (not decides(r), -abs(r.contribution)))

    def action_choose(self) -> None:
        """Asks what to make of the row under the cursor."""
        self.action_correct(0)

    def action_correct(self, direction: int) -> None:
        """Asks what to say of the row under the cursor: less of it (-1), more of it (1), or either (0)."""
        rows: list[Reason | MarkShare] = [*self.reasons, *(self._marks or ())]
        if rows:
            from triage.tui import questions

            app, row = self._app, rows[self.cursor]
            app.ask(lambda veil: questions.correct(veil, app, self.item, row, self._said, direction))

    # ------------------------------------------------------------ drawing

    def head(self, width: int) -> Content:
        """The item and its chance."""
        del width
        title = Content.assemble(
            ("Why ", "bold $accent"), (line(self.item.title) or "(no title)", "bold"), "\n"
        )
        if self._explained is None:
            return Content.assemble(title, "\n", (line(self._note), "$foreground 68%"))
        return Content.assemble(
            title,
            "\n",
            (f"{words.care(self._explained.item)}\n", "bold"),
            (f"{line(self._explained.calibration)}\n", "$foreground 68%"),
        )

    def rows(self, width: int) -> list[Content]:
        """The shares, then the marks."""
        reasons = self.reasons
        total = sum(abs(reason.contribution) for reason in reasons)
        rows = [
            self._row(
                reason.contribution,
                total,
                KINDS.get(reason.kind, line(reason.kind)),
                reason.name,
                width,
                decided=decides(reason),
            )
            for reason in reasons
        ]
        if not rows:
            return rows
        summed = sum(reason.contribution for reason in reasons)
        rows[-1] = Content.assemble(
            rows[-1],
            "\n",
            ("─" * min(width, 60), "$foreground 22%"),
            "\n",
            (f"{summed:+7.2f}", "bold"),
            "  ",
            clip("the sum of these, which is the score", width - 9),
        )
        marks = self._marks or ()
        strongest = sum(abs(mark.change) for mark in marks)
        rows += [
            self._row(mark.change, strongest, words.state(mark.state).partition(" ")[0], mark.title, width)
            for mark in marks
        ]
        if marks:
            first = len(reasons)
            note = clip("Your marks behind it: the score with each, less the score without", width)
            rows[first - 1] = Content.assemble(rows[first - 1], "\n\n", (note, "$foreground 68%"))
        return rows

    def foot(self, width: int) -> Content:
        """What can be done here, and what came of it."""
        if self._explained is None:
            return Content("")
        notes = []
        if self._marks is None:
            notes.append("Looking up which of your marks speak for it …")
        elif not self._marks:
            notes.append(self._note)
        notes.append(self._news or "d less like this row · l more · Enter what else")
        return Content("\n").join(
            [Content(""), *(Content.styled(clip(line(note), width), "$foreground 68%") for note in notes)]
        )

    def _row(
        self, value: float, total: float, kind: str, name: str, width: int, *, decided: bool = False
    ) -> Content:
        value = round(value, 2) or 0.0  # what is shown as nothing has no sign and says nothing
        filled, empty = words.bar(abs(value) / total if total else 0.0, BAR_CELLS)
        colour = "$success" if value >= 0 else "$error"
        number = Content.styled(f"{value:+7.2f}  ", colour)
        bar = Content.assemble((filled, colour), (empty, "$foreground 22%"), "  ")
        says = strength(value, total, decided=decided)
        lead = number + bar if width >= NARROW else number
        if width >= WIDE:
            lead += Content.styled(f"{fit(says, 17)}{fit(kind, 10)}", "$foreground 68%")
        first = Content.assemble(lead, clip(line(name), width - lead.cell_length))
        if width >= WIDE:
            return first
        below = clip(f"{kind}, {says}", width - lead.cell_length)
        return Content.assemble(first, "\n", " " * lead.cell_length, (below, "$foreground 68%"))
