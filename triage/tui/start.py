"""What the guided start's screens need from the rest of the program, and nothing more.

`triage.guided_start` is the real one. Every method may block, is called from a thread, and raises
`triage.core.errors.TriageError` for what went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from triage.core.packs import Offer
from triage.core.starting import Fetched, Found, OnProgress, Question, Stand, Step
from triage.core.verbs import Verb


class Start(Protocol):
    """The guided start; what was said or added is stored when a method returns."""

    def stand(self) -> Stand:
        """Where the reader stands."""
        ...

    def go_past(self, step: Step) -> Stand:
        """Puts a step behind the reader, done or skipped; `Step.DONE` ends the start."""
        ...

    def go_back(self, step: Step) -> Stand:
        """Puts a step and all after it before the reader again; nothing that was said or added is lost."""
        ...

    def say_interests(self, phrases: Sequence[str]) -> Stand:
        """Makes these phrases the reader's interests; others that were there are removed."""
        ...

    def warm_up(self) -> None:
        """Has ready what `packs` needs, while the reader still types."""
        ...

    def packs(self, *, by_meaning: bool = True) -> list[Offer]:
        """All starter packs, those that the reader's interests mean first; by words alone, it is quick."""
        ...

    def take(self, names: Sequence[str]) -> str:
        """Adds the sources of packs; what came of it, in words."""
        ...

    def look_at(self, target: str, password_command: str = "") -> Found:
        """What a file, folder or address is and how much it holds; stores nothing of it."""
        ...

    def add(self, found: Found) -> str:
        """Takes in what `look_at` has found; what came of it, in words."""
        ...

    def fetch(self, on_progress: OnProgress) -> Fetched:
        """Fetches the sources and builds the digest; a source that fails is said and left out.

        Args:
            on_progress: Called from the thread that asks, and from others.
        """
        ...

    def question(self, passed: Sequence[int]) -> Question:
        """The item whose mark would teach most, those that were passed left out."""
        ...

    def answer(self, item_id: int, verb: Verb, passed: Sequence[int]) -> Question:
        """Marks an item and learns from it; what that did, and the next question."""
        ...

    def undo(self, item_id: int, passed: Sequence[int]) -> Question:
        """Takes the mark of an item back; what that did, and the next question."""
        ...

    def try_demo(self) -> None:
        """Shows the bundled demo day on this terminal, in a home of its own, until it is left."""
        ...
