"""A question with a few answers: one is chosen by its key, or with the cursor and Enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content

from triage.tui.cells import clip, line
from triage.tui.screens.picker import Picker

NOTE = 160
"""Characters of what stands below the answers."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer."""

    key: str
    """The character that chooses it."""
    label: str
    value: object
    """What the screen is dismissed with; never None, which says that nothing was chosen."""


class MenuScreen(Picker):
    """Dismissed with the value of the choice, or with None."""

    def __init__(self, question: str, choices: Sequence[Choice], note: str = "") -> None:
        super().__init__()
        self._question = question
        self._choices = choices
        self._note = note

    def head(self, width: int) -> Content:
        """The question."""
        del width
        return Content.assemble((line(self._question), "bold $accent"), "\n")

    def rows(self, width: int) -> list[Content]:
        """The answers, each with its key."""
        return [
            Content.assemble((f"{choice.key} ", "bold $accent"), clip(line(choice.label), width - 2))
            for choice in self._choices
        ]

    def foot(self, width: int) -> Content:
        """What is good to know before one answers."""
        del width
        return Content.styled(f"\n{line(self._note, NOTE)}", "$foreground 68%") if self._note else Content("")

    def action_choose(self) -> None:
        """Answers with the row under the cursor."""
        if self._choices:
            self.dismiss(self._choices[self.cursor].value)

    def on_key(self, event: events.Key) -> None:
        """Answers with the choice that has the key, or else stands at that number."""
        numbered = {str(number): choice for number, choice in enumerate(self._choices[:9], 1)}
        choice = (numbered | {choice.key: choice for choice in self._choices}).get(event.character or "")
        if choice is not None:
            event.prevent_default().stop()
            self.dismiss(choice.value)
