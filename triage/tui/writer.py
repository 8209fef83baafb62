"""The one queue through which marks are recorded: first in, first out, none lost, none overtaken.

An exclusive worker would cancel the mark before it, so five quick marks would store one. Here a single
thread takes them in order, and the interpreter does not end before it has finished. What is learned from
them is not waited for; that is `triage.tui.learner`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.core.crash import crash_point
from triage.core.errors import LockedError, TriageError
from triage.core.items import Recorded
from triage.core.verbs import Verb
from triage.tui.backend import Backend

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Write = Callable[[Backend], Recorded]
"""Says one thing to the backend: a mark, an undo, a rule."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to record."""

    number: int
    """Counts up from 1 in the order in which the keys were pressed."""
    what: str
    """Names it where it fails: `not liked`."""
    verb: Verb | None = None
    """The mark that its items are to have; None if it is no mark."""
    item_ids: frozenset[int] = frozenset()
    turns_back: bool = False
    """Whether it is an undo or a redo, which puts the cursor on the item that it is about."""


Deliver = Callable[[Job, Recorded | None, BaseException | None], None]
"""Told of every job once, from the writer's thread and in order: what is recorded, or the exception."""


class BehindError(TriageError):
    """Nothing of it was tried, because what was said before it has failed."""


class Writer:
    """Carries out jobs in order on a thread of its own, which the first job starts.

    When a job fails, an undo in the queue behind it fails with it, as `BehindError`: it would take back
    something else than what it was meant for. When the database is held by somebody else, all that is in the
    queue does, because each would wait as long.
    """

    def __init__(self, backend: Backend, deliver: Deliver) -> None:
        self._backend = backend
        self._deliver = deliver
        self._thread: ThreadPoolExecutor | None = None
        self._submitted = 0
        self._behind = 0
        """The number of the last job that was in the queue when one failed."""
        self._held = False
        """Whether that one failed because the database is held by somebody else."""
        self.finished = 0
        """The number of the last job that is recorded or has failed."""
        self._delivered = 0

    @property
    def pending(self) -> int:
        """Of how many jobs nothing is known yet."""
        return self._submitted - self._delivered

    def submit(
        self,
        write: Write,
        what: str,
        *,
        verb: Verb | None = None,
        item_ids: frozenset[int] = frozenset(),
        turns_back: bool = False,
    ) -> Job:
        """Queues something to record; returns at once. The arguments after it are those of `Job`."""
        self._submitted += 1
        job = Job(self._submitted, what, verb, item_ids, turns_back)
        if self._thread is None:
            # Imported here, because it takes 6 ms and the first mark comes long after the first paint.
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="marks")
        done = self._thread.submit(self._carry_out, job, write)
        done.add_done_callback(lambda done: self._report(job, done))
        return job

    def close(self) -> None:
        """Waits until everything queued is recorded, then ends the thread. Takes no job afterwards."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)

    def _carry_out(self, job: Job, write: Write) -> Recorded:
        crash_point("event:queued")
        if job.number <= self._behind and (self._held or job.turns_back):
            raise BehindError("what was said before it could not be stored")
        try:
            return write(self._backend)
        except BaseException as error:
            self._behind, self._held = self._submitted, isinstance(error, LockedError)
            raise

    def _report(self, job: Job, done: Future[Recorded]) -> None:
        self.finished = job.number
        error = done.exception()
        self._deliver(job, None if error else done.result(), error)
        self._delivered = job.number
