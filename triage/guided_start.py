"""The guided start on the real services: what its screens, its lines and its options have done.

Owns which service answers which of its questions, as `triage.reader_backend` does for the interface of every
day. Every method imports what it needs when it is first called.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from triage.core import words
from triage.core.errors import TriageError
from triage.core.items import Item
from triage.core.packs import Offer, offers
from triage.core.starting import Fetched, Found, OnProgress, Progress, Question, Stand, Step, moves
from triage.core.verbs import Verb
from triage.runtime import Runtime, unless_set

if TYPE_CHECKING:
    from triage.services.fetching.writing import SourceReport
    from triage.services.reader.starting import Imports


class GuidedStart:
    """The guided start of one run; see `triage.tui.start.Start` for what each method promises."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._imports: Imports | None = None
        self._top: tuple[Item, ...] = ()
        self._fetching = threading.Lock()
        self._closing = threading.Event()

    def stand(self) -> Stand:
        """See `Start`."""
        from triage.services.reader import starting

        return starting.stand(self._runtime.database, self._runtime.paths.start)

    def go_past(self, step: Step) -> Stand:
        """See `Start`."""
        from triage.services.reader import starting

        file = self._runtime.paths.start
        starting.remember(file, (starting.past(file) or frozenset()) | {step.value})
        return self.stand()

    def go_back(self, step: Step) -> Stand:
        """See `Start`."""
        from triage.services.reader import starting

        file, order = self._runtime.paths.start, list(Step)
        after = {other.value for other in order[order.index(step) :]}
        starting.remember(file, (starting.past(file) or frozenset()) - after)
        return self.stand()

    def say_interests(self, phrases: Sequence[str]) -> Stand:
        """See `Start`."""
        from triage.services.reader import starting

        starting.say_interests(self._runtime.database, self._runtime.clock, phrases)
        return self.stand()

    def warm_up(self) -> None:
        """See `Start`."""
        from triage.services.fetching.packs import catalogue

        self._runtime.worker.nearness(self._runtime.clock(), [pack.about for pack in catalogue()], [])

    def packs(self, *, by_meaning: bool = True) -> list[Offer]:
        """See `Start`."""
        from triage.services.fetching.packs import catalogue

        packs, said = catalogue(), self.stand().interests
        cosines = None
        if said and by_meaning:
            about = [pack.about for pack in packs]
            cosines = self._runtime.worker.nearness(self._runtime.clock(), about, said)
        nearness = None
        if cosines is not None:
            rows = zip(packs, cosines, strict=True)
            nearness = {pack.name: dict(zip(said, row, strict=True)) for pack, row in rows}
        return offers(packs, said, nearness)

    def take(self, names: Sequence[str]) -> str:
        """See `Start`."""
        from triage.services.fetching import packs

        added = packs.take(self._runtime.database, self._runtime.clock, packs.named(names))
        return f"{words.plural(sum(one.new for one in added), 'source')} added"

    def look_at(self, target: str, password_command: str = "") -> Found:
        """See `Start`."""
        from triage.services.reader.starting import Imports

        if self._imports is None:
            self._imports = Imports()
        runtime = self._runtime
        return self._imports.look(runtime.database, runtime.clock, runtime.config, target, password_command)

    def add(self, found: Found) -> str:
        """See `Start`."""
        assert self._imports is not None, "nothing is added that was not looked at"
        return self._imports.add(self._runtime.database, self._runtime.clock, found)

    def fetch(self, on_progress: OnProgress) -> Fetched:
        """See `Start`."""
        import asyncio

        from triage.services.fetching import ingest

        runtime = self._runtime

        def on_report(report: SourceReport, done: int, total: int) -> None:
            on_progress(Progress("Fetching", done, total, _came_of(report)))

        with self._fetching, runtime.ingesting("triage start") as database:
            work = ingest.sync(database, runtime.config, runtime.clock, ask_now=True, on_report=on_report)
            reports = asyncio.run(unless_set(self._closing, work, "the first round was not waited for"))
            items = self.stand().items
            if items:
                runtime.worker.build(
                    runtime.clock(),
                    lambda what, done, total: on_progress(Progress(what.capitalize(), done, total)),
                    hurry=True,
                )
        return Fetched(
            asked=len(reports),
            failed=sum(report.error is not None for report in reports),
            new=sum(report.new for report in reports),
            items=items,
        )

    def question(self, passed: Sequence[int]) -> Question:
        """See `Start`."""
        if self._runtime.first_page() is None:  # the items are not read yet
            self._runtime.worker.build(self._runtime.clock(), hurry=True)
        return self._next(passed)

    def answer(self, item_id: int, verb: Verb, passed: Sequence[int]) -> Question:
        """See `Start`."""
        from triage.services.reader import feedback

        recorded = feedback.mark(self._runtime.database, self._runtime.clock, item_id, verb)
        return self._learned(recorded.message, passed)

    def undo(self, item_id: int, passed: Sequence[int]) -> Question:
        """See `Start`."""
        from triage.services.reader import feedback

        recorded = feedback.unmark(self._runtime.database, self._runtime.clock, item_id)
        return self._learned(recorded.message, passed)

    def _learned(self, message: str, passed: Sequence[int]) -> Question:
        try:
            self._runtime.learn()
        except TriageError as error:
            message = f"{message} (stored, but not learned yet: {error})"
        return self._next(passed, message)

    def _next(self, passed: Sequence[int], message: str = "") -> Question:
        item, said, top = self._runtime.worker.question(self._runtime.clock(), passed)
        moved = sum(move != 0 for move in moves(self._top, top).values())
        self._top = top
        return Question(item, said, top, self.stand().marks + 1, message, moved)

    def close(self) -> None:
        """Nobody waits for what is being fetched."""
        self._closing.set()

    def try_demo(self) -> None:
        """See `Start`."""
        import subprocess
        import sys

        # A process of its own: the demo has its own home, clock and worker, and shares nothing with this one.
        done = subprocess.run([sys.executable, "-P", "-m", "triage", "demo"], check=False)
        if done.returncode:
            raise TriageError("the demo could not be shown", fix="triage demo")


def _came_of(report: SourceReport) -> str:
    if report.error is not None:
        return f"{report.title}: failed, {report.error}"
    if report.postponed is not None:
        return f"{report.title}: not asked, {report.postponed}"
    return f"{report.title}: {words.plural(report.new, 'item')}"
