"""Marks from the key to the disk: shown at once, written in order, taken back if that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triage.core import words
from triage.core.errors import TriageError
from triage.core.feedback import PAST_TENSE, Verb
from triage.core.items import Change, Item
from triage.core.text import sanitize_line
from triage.tui.backend import Backend
from triage.tui.messages import Written
from triage.tui.session import Session
from triage.tui.writer import Job, Writer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    said: str
    error: TriageError | None = None
    select: int | None = None
    """The item that the cursor belongs on now: the one whose mark an undo has taken away."""


class Marks:
    """Puts marks on items of the session and has them written."""

    def __init__(self, backend: Backend, session: Session, post: Callable[[Written], object]) -> None:
        """Creates it.

        Args:
            backend: Where marks are written to.
            session: Where they show.
            post: Takes the news of every job from the writer's thread to the app.
        """
        self._session = session
        self._post = post
        self._writer = Writer(backend, self._deliver)
        self.leaving = False
        """Set when the reader leaves: nothing is marked any more, and a failure is kept in `lost`."""
        self.lost: list[str] = []
        """What failed while the reader left, who would not see it on the screen."""

    @property
    def pending(self) -> int:
        """How many are not written."""
        return self._writer.pending

    def put(self, item: Item, verb: Verb) -> str:
        """Marks an item and says so; the mark it has already is not written again."""
        if self._session.state_of(item) == verb.value:
            return f"already {PAST_TENSE[verb]}"
        self._session.add(self._writer.submit(verb, item.id))
        return PAST_TENSE[verb]

    def undo(self) -> str:
        """Takes back the last mark, once those before it are written."""
        self._session.add(self._writer.submit(Verb.UNDO))
        return "undoing …"

    def close(self) -> None:
        """Waits until everything is written; nothing can be marked afterwards."""
        self.leaving = True
        self._writer.close()

    def take(self, news: Written) -> Outcome:
        """Brings the session up to date with a finished job.

        Raises:
            BaseException: The job failed with something else than a TriageError: a bug.
        """
        job, change, error = news.job, news.change, news.error
        undone = job.verb is Verb.UNDO
        if isinstance(error, TriageError):
            self._session.failed(job)
            return Outcome("not undone" if undone else f"not {PAST_TENSE[job.verb]}", error)
        if change is None:
            raise error or AssertionError("a finished job has a change or an error")
        before = self._session.shown_states()
        self._session.written(job, change)
        moved = f" · {words.plural(change.moved, 'item')} moved" if change.moved else ""
        select = None
        if undone and self._session.settled:
            self._session.absorb()
            changed = self._session.changed_items(before)
            select = changed[0] if len(changed) == 1 else None
        return Outcome(change.message.rstrip(".") + moved, select=select)

    def _deliver(self, job: Job, change: Change | None, error: BaseException | None) -> None:
        """Runs on the writer's thread."""
        if error is not None and self.leaving:
            self.lost.append(sanitize_line(f"Not written: {job.verb.value} of item {job.item_id}: {error}"))
        self._post(Written(job, change, error))
