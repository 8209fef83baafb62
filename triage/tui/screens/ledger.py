"""The source ledger: what each source took and gave, with a cursor and a key for every suggestion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from triage.core import ledger, words
from triage.core.errors import TriageError
from triage.core.ledger import Account, Ledger, Step
from triage.tui.cells import clip, line
from triage.tui.loader import Loader
from triage.tui.messages import sentence
from triage.tui.screens.picker import Picker

BAR_CELLS = 12
SHOWN = 150
"""Accounts at most, those that are worth a decision first: every move of the cursor draws all of them."""
HINT = "- quiet  p pause  u take back  Esc close"
COLOURS = {"drop": "$error", "quiet": "$warning", "loved": "$success"}


class LedgerScreen(Picker):
    """The accounts of all sources; a step is taken for the one under the cursor, then `learn` is called."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("minus", "step('quiet')", "quiet", show=False),
        Binding("p", "step('drop')", "drop", show=False),
        Binding("u", "undo", "undo", show=False),
    ]

    def __init__(self, loader: Loader, now: Callable[[], datetime], learn: Callable[[], object]) -> None:
        super().__init__()
        self._loader = loader
        self._now = now
        self._learn = learn
        self._ledger: Ledger | None = None
        self._said = "Adding up …"
        self._busy = True

    def on_mount(self) -> None:
        """Asks for the accounts."""
        self._load()

    def _load(self) -> None:
        self._loader.ask(self, lambda backend: backend.ledger(), self._show, failed=self._failed)

    def _show(self, found: Ledger) -> None:
        if self._ledger is None:
            self._said = ""
        here = self._here
        self._ledger, self._busy = found, False
        if here is not None:  # what was done moves an account, and the cursor stays on it
            places = [n for n, account in enumerate(found.accounts) if account.source == here.source]
            self.cursor = places[0] if places else 0
        self.redraw()

    def _failed(self, error: TriageError) -> None:
        self._said, self._busy = sentence(error), False
        self.redraw()

    @property
    def _accounts(self) -> tuple[Account, ...]:
        return self._ledger.accounts[:SHOWN] if self._ledger is not None else ()

    @property
    def _here(self) -> Account | None:
        """The account under the cursor."""
        return self._accounts[self.cursor] if self._accounts else None

    # ------------------------------------------------------------ what is seen

    def redraw(self) -> None:
        """Draws the accounts, and below them what was done or what can be done."""
        super().redraw()
        self.page.border_subtitle = Content(clip(line(self._said), 60) or HINT)

    def head(self, width: int) -> Content:
        """The title, and what the accounts are counted from."""
        span, nothing = "", ""
        if self._ledger is not None:
            looked = words.plural(self._ledger.digests, "digest")
            span = f"{words.plural(self._ledger.days, 'day')}, {looked} that you looked at"
            nothing = "" if self._accounts else "\nThere are no sources yet."
        return Content.assemble(
            ("What sources take and give\n", "bold $accent"),
            (f"{clip(span, width)}\n{nothing}", "$foreground 68%"),
        )

    def rows(self, width: int) -> list[Content]:
        """The accounts."""
        most = max((account.minutes_in for account in self._accounts), default=0.0)
        return [self._account(account, most, width) for account in self._accounts]

    def foot(self, width: int) -> Content:
        """What is not shown."""
        all_of_them = len(self._ledger.accounts) if self._ledger is not None else 0
        if all_of_them <= SHOWN:
            return Content("")
        return Content.styled(
            clip(f"{all_of_them - SHOWN} more: triage sources ledger", width), "$foreground 68%"
        )

    def _account(self, account: Account, most: float, width: int) -> Content:
        """Its name and a bar of the time that it takes, what it took and gave, and the advice."""
        filled, empty = words.bar(account.minutes_in / most if most else 0.0, BAR_CELLS)
        mark = f"{account.advice}? " if account.advice in ("quiet", "drop") else ""
        facts = Content.styled(ledger.facts(account, self._now()), "$foreground 68%")
        colour = COLOURS.get(account.advice, "$foreground 72%")
        advice = Content.styled(line(mark + account.because), colour)
        room = max(width - 1, 2)  # a wrapped line may keep the blank that it was cut at
        return Content.assemble(
            (filled, "$foreground 72%"),
            (empty, "$foreground 22%"),
            (f" {clip(line(account.title) or '(no name)', max(width - BAR_CELLS - 1, 2))}\n", "bold"),
            Content("\n").join([*facts.wrap(room), *advice.wrap(room)]),
        )

    # ------------------------------------------------------------ steps

    def action_choose(self) -> None:
        """Takes the step that is suggested for the source under the cursor, if there is one."""
        if self._here is not None and self._here.advice in ("quiet", "drop"):
            self.action_step(self._here.advice)

    def action_step(self, step: Step) -> None:
        """Takes a step for the source under the cursor, one at a time: the next waits for the answer."""
        if self._busy or self._here is None:
            return
        self._busy, self._said, source = True, "…", self._here.source
        self.redraw()
        self._loader.ask(
            self, lambda backend: backend.settle_source(source, step), self._done, failed=self._failed
        )

    def action_undo(self) -> None:
        """Takes back what is in force for the source under the cursor."""
        if self._here is None or self._here.undo is None:
            self._said = "There is nothing to take back for this source"
            self.redraw()
            return
        self.action_step(self._here.undo)

    def _done(self, said: str) -> None:
        self._said = said
        self._learn()
        self._load()
