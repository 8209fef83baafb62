"""Why an item stands where it stands: every share of its score, in numbers, words and bars."""

from __future__ import annotations

from textual.content import Content

from triage.core import words
from triage.core.items import Explained, Item, Reason
from triage.tui.cells import clip, fit, line
from triage.tui.screens.dialog import Dialog

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


def strength(reason: Reason, total: float) -> str:
    """What a share says, in words; `total` is the sum of all shares without their signs."""
    if not reason.contribution:
        return "decides" if decides(reason) else "says nothing"
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
        verdict = Content.assemble(
            (f"{words.care(explained.item)}\n", "bold"),
            (f"{line(explained.calibration)}\n\n", "$foreground 58%"),
        )
        reasons = sorted(explained.reasons, key=lambda r: (not decides(r), -abs(r.contribution)))
        total = sum(abs(reason.contribution) for reason in reasons)
        rows = [self._row(reason, total, width) for reason in reasons]
        rule = Content.styled("─" * min(width, 60) + "\n", "$foreground 22%")
        summed = sum(reason.contribution for reason in reasons)
        result = Content.assemble((f"{summed:+7.2f}", "bold"), "  the sum of these, which is the score")
        return Content.assemble(head, verdict, *rows, rule, result)

    def _row(self, reason: Reason, total: float, width: int) -> Content:
        filled, empty = words.bar(abs(reason.contribution) / total if total else 0.0, BAR_CELLS)
        colour = "$success" if reason.contribution >= 0 else "$error"
        number = Content.styled(f"{reason.contribution:+7.2f}  ", colour)
        bar = Content.assemble((filled, colour), (empty, "$foreground 22%"), "  ")
        kind, says = KINDS.get(reason.kind, line(reason.kind)), strength(reason, total)
        lead = number + bar if width >= NARROW else number
        if width >= WIDE:
            lead += Content.styled(f"{fit(says, 17)}{fit(kind, 10)}", "$foreground 58%")
        first = Content.assemble(lead, clip(line(reason.name), width - lead.cell_length), "\n")
        if width >= WIDE:
            return first
        return Content.assemble(first, " " * lead.cell_length, (f"{kind}, {says}\n", "$foreground 58%"))
