"""Marks from the key to the disk: shown at once, written in order, taken back if that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triage.core import words
from triage.core.errors import TriageError
from triage.core.feedback import PAST_TENSE, Verb
from triage.core.items import Change, Item
from triage.core.text import sanitize_line
from triage.tui.backend import Backend
from triage.tui.messages import Written
from triage.tui.session import Session
from triage.tui.writer import Job, Write, Writer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    said: str
    error: TriageError | None = None
    select: int | None = None
    """The item that the cursor belongs on now: the one whose mark an undo or a redo has changed."""


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
        what = PAST_TENSE[verb]
        return self._queue(lambda to: to.mark(item.id, verb), what, verb, frozenset({item.id})) or what

    def split(self, item: Item) -> str:
        """Says that an item tells another story than those folded under it."""
        what = PAST_TENSE[Verb.SPLIT]
        return self._queue(lambda to: to.mark(item.id, Verb.SPLIT), what) or what

    def put_all(self, items: Sequence[Item], verb: Verb) -> str:
        """Marks several items at once, in one step for undo."""
        ids = [item.id for item in items if self._session.state_of(item) != verb.value]
        if not ids:
            return f"already {PAST_TENSE[verb]}"
        what = f"{PAST_TENSE[verb]}: {words.plural(len(ids), 'item')}"
        return self._queue(lambda to: to.mark_all(ids, verb), what, verb, frozenset(ids)) or what

    def undo(self) -> str:
        """Takes back the last step, once those before it are written."""
        return self._queue(lambda to: to.undo(), "undone", turns_back=True) or "undoing …"

    def redo(self) -> str:
        """Brings back what was undone last."""
        return self._queue(lambda to: to.redo(), "redone", turns_back=True) or "redoing …"

    def write(self, write: Write, what: str) -> str:
        """Says anything else to the backend, in its turn; `what` is what happens, such as `muted`."""
        return self._queue(write, what) or f"{what} …"

    def _queue(
        self,
        write: Write,
        what: str,
        verb: Verb | None = None,
        item_ids: frozenset[int] = frozenset(),
        *,
        turns_back: bool = False,
    ) -> str:
        """Hands it to the writer; says why not, if it cannot."""
        if self.leaving:
            return f"leaving: not {what}"
        job = self._writer.submit(write, what, verb=verb, item_ids=item_ids, turns_back=turns_back)
        self._session.add(job)
        return ""

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
        if isinstance(error, TriageError):
            self._session.failed(job)
            return Outcome(f"not {job.what}", error)
        if change is None:
            raise error or AssertionError("a finished job has a change or an error")
        before = self._session.shown_states()
        self._session.written(job, change)
        moved = f" · {words.plural(change.moved, 'item')} moved" if change.moved else ""
        select = None
        if job.turns_back and self._session.settled:
            self._session.absorb()
            changed = self._session.changed_items(before)
            select = changed[0] if len(changed) == 1 else None
        return Outcome(change.message.rstrip(".") + moved, select=select)

    def _deliver(self, job: Job, change: Change | None, error: BaseException | None) -> None:
        """Runs on the writer's thread."""
        if error is not None and self.leaving:
            which = f" (item {', '.join(map(str, sorted(job.item_ids)))})" if job.item_ids else ""
            self.lost.append(sanitize_line(f"Not {job.what}{which}: {error}"))
        self._post(Written(job, change, error))
