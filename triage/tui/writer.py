"""The one queue through which marks are written: first in, first out, none lost, none overtaken.

An exclusive worker would cancel the mark before it, so five quick marks would store one. Here a single
thread takes them in order, and the interpreter does not end before it has finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.core.feedback import Verb
from triage.core.items import Change
from triage.tui.backend import Backend

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Write = Callable[[Backend], Change]
"""Says one thing to the backend: a mark, an undo, a rule."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to write."""

    number: int
    """Counts up from 1 in the order in which the keys were pressed."""
    what: str
    """Names it where it fails: `not liked`."""
    verb: Verb | None = None
    """The mark that its items show while it is written; None if it is no mark."""
    item_ids: frozenset[int] = frozenset()
    turns_back: bool = False
    """Whether it is an undo or a redo, which puts the cursor on the item that it is about."""


Deliver = Callable[[Job, Change | None, BaseException | None], None]
"""Told of every job once, from the writer's thread and in order: the change, or the exception."""


class Writer:
    """Carries out jobs in order on a thread of its own, which the first job starts."""

    def __init__(self, backend: Backend, deliver: Deliver) -> None:
        self._backend = backend
        self._deliver = deliver
        self._thread: ThreadPoolExecutor | None = None
        self._submitted = 0
        self._finished = 0

    @property
    def pending(self) -> int:
        """How many jobs are not finished."""
        return self._submitted - self._finished

    def submit(
        self,
        write: Write,
        what: str,
        *,
        verb: Verb | None = None,
        item_ids: frozenset[int] = frozenset(),
        turns_back: bool = False,
    ) -> Job:
        """Queues something to write; returns at once. The arguments after it are those of `Job`."""
        self._submitted += 1
        job = Job(self._submitted, what, verb, item_ids, turns_back)
        if self._thread is None:
            # Imported here, because it takes 6 ms and the first mark comes long after the first paint.
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="marks")
        done = self._thread.submit(write, self._backend)
        done.add_done_callback(lambda done: self._report(job, done))
        return job

    def close(self) -> None:
        """Waits until everything queued is written, then ends the thread. Takes no job afterwards."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)

    def _report(self, job: Job, done: Future[Change]) -> None:
        self._finished += 1
        error = done.exception()
        self._deliver(job, None if error else done.result(), error)
