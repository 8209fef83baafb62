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
from triage.tui.screens.dialog import Dialog

BAR_CELLS = 12
HINT = "- quiet  p pause  u take back  Esc close"
ON_A_PAGE = 4
"""Sources that a page key goes on: as many as a terminal of 24 lines shows."""
COLOURS = {"drop": "$error", "quiet": "$warning", "loved": "$success"}


class LedgerScreen(Dialog):
    """The accounts of all sources; a step is taken for the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("minus", "step('quiet')", "quiet", show=False),
        Binding("p", "step('drop')", "drop", show=False),
        Binding("u", "undo", "undo", show=False),
    ]

    def __init__(self, loader: Loader, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._loader = loader
        self._now = now
        self._ledger: Ledger | None = None
        self._here: int | None = None
        """The id of the source under the cursor."""
        self._spans: list[tuple[int, int]] = []
        """The lines of each account on the page."""
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
        self._ledger, self._busy = found, False
        known = [account.source for account in found.accounts]
        if self._here not in known:
            self._here = known[0] if known else None
        self.redraw()
        self.call_after_refresh(self._follow)

    def _failed(self, error: TriageError) -> None:
        self._said, self._busy = sentence(error), False
        self.redraw()

    # ------------------------------------------------------------ what is seen

    def redraw(self) -> None:
        """Draws the accounts, and below them what was done or what can be done."""
        super().redraw()
        self.page.border_subtitle = Content(clip(line(self._said), 60) or HINT)

    def content(self, width: int) -> Content:
        """The page."""
        parts: list[Content | tuple[str, str]] = [("What sources take and give\n", "bold $accent")]
        if self._ledger is not None:
            looked = words.plural(self._ledger.digests, "digest")
            span = f"{words.plural(self._ledger.days, 'day')}, {looked} that you looked at"
            nothing = "" if self._accounts else "\nThere are no sources yet."
            parts.append((f"{clip(span, width)}\n{nothing}\n", "$foreground 58%"))
        most = max((account.minutes_in for account in self._accounts), default=0.0)
        page = Content.assemble(*parts)
        self._spans = []
        for account in self._accounts:
            block = self._account(account, most, width)
            first = page.plain.count("\n")
            self._spans.append((first, first + block.plain.count("\n")))
            page += block
        return page

    def _account(self, account: Account, most: float, width: int) -> Content:
        """Its name and a bar of the time that it takes, what it took and gave, the advice, a blank line."""
        here = account.source == self._here
        filled, empty = words.bar(account.minutes_in / most if most else 0.0, BAR_CELLS)
        mark = f"{account.advice}? " if account.advice in ("quiet", "drop") else ""
        facts = Content.styled(ledger.facts(account, self._now()), "$foreground 58%")
        advice = Content.styled(line(mark + account.because), COLOURS.get(account.advice, "$foreground 72%"))
        room = max(width - 3, 2)  # a wrapped line may keep the blank that it was cut at
        lines = [*facts.wrap(room), *advice.wrap(room)]
        return Content.assemble(
            ("▸ " if here else "  ", "$accent"),
            (filled, "$accent" if here else "$foreground 72%"),
            (empty, "$foreground 22%"),
            (f" {clip(line(account.title) or '(no name)', max(width - BAR_CELLS - 3, 2))}\n  ", "bold"),
            Content("\n  ").join(lines),
            "\n\n",
        )

    @property
    def _accounts(self) -> tuple[Account, ...]:
        return self._ledger.accounts if self._ledger is not None else ()

    # ------------------------------------------------------------ moving

    def _place(self) -> int:
        return next((n for n, each in enumerate(self._accounts) if each.source == self._here), 0)

    def _go(self, place: int) -> None:
        if self._accounts:
            place = min(max(place, 0), len(self._accounts) - 1)
            self._here = self._accounts[place].source
            self.redraw()
            self._follow()

    def _follow(self) -> None:
        """Scrolls as far as it takes to see the account under the cursor."""
        if not self._spans:
            return
        place, height = self._place(), self.page.scrollable_content_region.height
        first, last = self._spans[place] if place else (0, self._spans[0][1])
        here = self.page.scroll_offset.y
        if first < here or last > here + height:
            self.page.scroll_to(y=first if first < here else last - height, animate=False)

    def action_move(self, lines: int) -> None:
        """To the next or previous source."""
        self._go(self._place() + lines)

    def action_page(self, pages: float) -> None:
        """Some sources on or back."""
        self._go(self._place() + int(pages * ON_A_PAGE))

    def action_top(self) -> None:
        """To the first source."""
        self._go(0)

    def action_bottom(self) -> None:
        """To the last source."""
        self._go(len(self._accounts) - 1)

    # ------------------------------------------------------------ steps

    def action_step(self, step: Step) -> None:
        """Takes a step for the source under the cursor, one at a time: the next waits for the answer."""
        if self._busy or self._here is None:
            return
        self._busy, self._said, source = True, "…", self._here
        self.redraw()
        self._loader.ask(
            self, lambda backend: backend.settle_source(source, step), self._done, failed=self._failed
        )

    def action_undo(self) -> None:
        """Takes back what is in force for the source under the cursor."""
        account = next((each for each in self._accounts if each.source == self._here), None)
        if account is None or account.undo is None:
            self._said = "There is nothing to take back for this source"
            self.redraw()
            return
        self.action_step(account.undo)

    def _done(self, said: str) -> None:
        self._said = said
        self._load()
