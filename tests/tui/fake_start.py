"""The guided start in memory: what its screens are tested with."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

from fake_backend import make_digest

from triage.core.errors import TriageError
from triage.core.packs import Offer, Pack, PackSource, offers
from triage.core.starting import Fetched, Found, OnProgress, Progress, Question, Stand, Step, step_of
from triage.core.verbs import Verb

PACKS = tuple(
    Pack(name, title, words, (PackSource(f"https://{name}.example/feed", f"The {title}", "every day"),))
    for name, title, words in [
        ("tides", "Tides", "sea level ocean"),
        ("trams", "Trams", "cities rails"),
        ("bread", "Bread", "baking sourdough"),
    ]
)


class FakeStart:
    """Remembers what was said; what it holds back or fails is set by a test.

    Attributes:
        calls: What was asked for, in order.
        gate: What `fetch` waits for.
        brings: Items that a fetch brings.
        errors: Errors by method name that the next call raises.
    """

    def __init__(self, *past: Step, sources: int = 0, items: int = 0) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.gate: threading.Event | None = None
        self.brings = 15
        self.errors: dict[str, TriageError] = {}
        self.past = set(past)
        self.interests: tuple[str, ...] = ()
        self.sources, self.items = sources, items
        self.marks: list[tuple[int, str]] = []
        self.nasty = ""

    def _enter(self, *call: object) -> None:
        self.calls.append(call)
        if error := self.errors.pop(str(call[0]), None):
            raise error

    def stand(self) -> Stand:
        step = step_of(self.past, sources=self.sources, items=self.items, marks=len(self.marks))
        return Stand(step, self.interests, self.sources, self.items, len(self.marks))

    def go_past(self, step: Step) -> Stand:
        self._enter("go_past", step)
        self.past.add(step)
        return self.stand()

    def go_back(self, step: Step) -> Stand:
        self._enter("go_back", step)
        self.past -= set(list(Step)[list(Step).index(step) :])
        return self.stand()

    def say_interests(self, phrases: Sequence[str]) -> Stand:
        self._enter("say_interests", tuple(phrases))
        self.interests = tuple(phrases)
        return self.stand()

    def warm_up(self) -> None:
        self._enter("warm_up")

    def packs(self, *, by_meaning: bool = True) -> list[Offer]:
        self._enter("packs", by_meaning)
        near = {"tides": dict.fromkeys(self.interests, 0.5)} if by_meaning else None
        return offers(PACKS, self.interests, near)

    def take(self, names: Sequence[str]) -> str:
        self._enter("take", tuple(names))
        self.sources += len(names)
        return f"{len(names)} sources added"

    def look_at(self, target: str, password_command: str = "") -> Found:
        self._enter("look_at", target, password_command)
        if target.startswith("imaps:") and not password_command:
            return Found(target, "password", "a mailbox on a server; it is only ever read")
        return Found(target, "list", "12 subscriptions", password_command)

    def add(self, found: Found) -> str:
        self._enter("add", found.target)
        self.sources += 12
        return "12 sources added"

    def fetch(self, on_progress: OnProgress) -> Fetched:
        self._enter("fetch")
        on_progress(Progress("Fetching", 1, 2, "Slow \x1b[31mnews: failed, no answer"))
        if self.gate is not None:
            assert self.gate.wait(20)
        on_progress(Progress("Fetching", 2, 2, f"Tide tables: 15 items{self.nasty}"))
        self.items = self.brings
        return Fetched(2, 1, self.brings, self.brings)

    def question(self, passed: Sequence[int]) -> Question:
        self._enter("question", tuple(passed))
        return self._next(passed)

    def answer(self, item_id: int, verb: Verb, passed: Sequence[int]) -> Question:
        self._enter("answer", item_id, verb.value)
        self.marks.append((item_id, verb.value))
        return self._next(passed, f"{verb.value}: {item_id}")

    def undo(self, item_id: int, passed: Sequence[int]) -> Question:
        self._enter("undo", item_id)
        self.marks = [mark for mark in self.marks if mark[0] != item_id]
        return self._next(passed, f"undone: {item_id}")

    def try_demo(self) -> None:
        self._enter("try_demo")

    def _next(self, passed: Sequence[int], message: str = "") -> Question:
        items = make_digest().items
        if self.nasty:
            items = tuple(dataclasses.replace(i, title=self.nasty, source=self.nasty) for i in items)
        said = {item for item, _ in self.marks} | set(passed)
        item = next((item for item in items if item.id not in said), None)
        begins, moved = self.nasty or "How it begins.", 3 if message else 0
        return Question(item, begins, items, len(self.marks) + 1, f"{message}{self.nasty}", moved)
