"""Why an item stands where it stands: every share of its score, in numbers, words and bars."""

from __future__ import annotations

from textual.content import Content

from triage.core.items import Explained, Item, Reason
from triage.tui import words
from triage.tui.cells import clip, fit, line
from triage.tui.screens.dialog import Dialog

BAR_CELLS = 10
KINDS = {
    "passage": "passage",
    "interest": "interest",
    "source": "source",
    "person": "person",
    "age": "age",
    "bias": "start",
}
"""The kinds of reasons in one word each; `bias` is where every item starts."""


def strength(reason: Reason, total: float) -> str:
    """What a share says, in words; `total` is the sum of all shares without their signs."""
    if not reason.contribution:
        return "says nothing"
    share = abs(reason.contribution) / total
    how = "strongly" if share >= 0.3 else "clearly" if share >= 0.1 else "slightly"
    return f"{how} {'for' if reason.contribution > 0 else 'against'}"


class WhyScreen(Dialog):
    """The reasons of one item, the strongest first, and what they come to."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item
        self._explained: Explained | None = None
        self._note = "Looking it up …"

    def show(self, explained: Explained | None, note: str = "") -> None:
        """Shows the reasons, or a note why there are none."""
        self._explained, self._note = explained, note
        self.redraw()

    def content(self, width: int) -> Content:
        """The page."""
        head = Content.assemble(
            ("Why ", "bold $accent"), (line(self.item.title) or "(no title)", "bold"), "\n\n"
        )
        if self._explained is None:
            return Content.assemble(head, (line(self._note), "$foreground 58%"))
        explained = self._explained
        reasons = sorted(explained.reasons, key=lambda reason: -abs(reason.contribution))
        total = sum(abs(reason.contribution) for reason in reasons)
        rows = [self._row(reason, total, width) for reason in reasons]
        summed = sum(reason.contribution for reason in reasons)
        rule = Content.styled("─" * min(width, 60) + "\n", "$foreground 58%")
        result = Content.assemble((f"{summed:+7.2f}", "bold"), "  score, the sum of these\n\n")
        verdict = Content.assemble(
            (f"{words.care(explained.item)}\n", "bold"), (line(explained.calibration), "$foreground 58%")
        )
        return Content.assemble(head, *rows, rule, result, verdict)

    def _row(self, reason: Reason, total: float, width: int) -> Content:
        filled, empty = words.bar(abs(reason.contribution) / total if total else 0.0, BAR_CELLS)
        number = f"{reason.contribution:+7.2f}"
        colour = "$success" if reason.contribution >= 0 else "$error"
        kind = fit(KINDS.get(reason.kind, line(reason.kind)), 9)
        says = strength(reason, total)
        if width < 60:
            name = clip(line(reason.name), width - len(number) - 2)
            return Content.assemble(
                (number, colour), f"  {name}\n", (f"{'':9}{kind.strip()}, {says}\n", "$foreground 58%")
            )
        name = clip(line(reason.name), max(width - len(number) - BAR_CELLS - 34, 8))
        return Content.assemble(
            (number, colour),
            "  ",
            (filled, colour),
            (empty, "$foreground 22%"),
            (f"  {fit(says, 18)}{kind}", "$foreground 58%"),
            f"{name}\n",
        )
