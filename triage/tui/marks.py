"""Marks from the key to the disk and to the order: stored at once and in order, then learned from together.

Owns what the reader is told of each step. A mark is called made when it is stored and not before, which takes
milliseconds, or as long as another process holds the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triage.core import words
from triage.core.errors import TriageError
from triage.core.items import Item, Recorded
from triage.core.text import sanitize_line
from triage.core.verbs import PAST_TENSE, Verb
from triage.tui.backend import Backend
from triage.tui.learner import Learner
from triage.tui.messages import Ranked, Written
from triage.tui.session import Session
from triage.tui.writer import BehindError, Job, Write, Writer

STORING = "Storing …"
LAST_S = 1.0
"""How long leaving waits for the last order, which the next start computes otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    said: str
    error: TriageError | None = None
    select: int | None = None
    """The item that the cursor belongs on now: the one whose mark an undo has taken back, or a redo."""


class Marks:
    """Puts marks on items of the session, has them stored, and then has them learned from."""

    def __init__(
        self, backend: Backend, session: Session, post: Callable[[Written | Ranked], object]
    ) -> None:
        """Creates it.

        Args:
            backend: Where marks are stored, and learned from.
            session: Where they show.
            post: Takes the news of every job, and of every new order, from their threads to the app.
        """
        self._backend = backend
        self._session = session
        self._post = post
        self._writer = Writer(backend, self._deliver)
        self._learner = Learner(self._learn)
        self._unlearned: dict[int, str] = {}
        """Number of a job -> what was said, of what the order does not know."""
        self.leaving = False
        """Set when the reader leaves: nothing is marked any more."""
        self.lost: list[str] = []
        """What failed since something was stored: who leaves may not have seen it on the screen."""

    @property
    def pending(self) -> int:
        """How many are not stored."""
        return self._writer.pending

    @property
    def busy(self) -> bool:
        """Whether news is to come of what was said."""
        return self._writer.pending > 0 or self._learner.busy

    def put(self, item: Item, verb: Verb) -> str:
        """Marks an item, and says what is done about it; the mark it has already is not stored again."""
        if self._session.has(item, verb):
            return f"already {PAST_TENSE[verb]}"
        return self._queue(lambda to: to.mark(item.id, verb), PAST_TENSE[verb], verb, frozenset({item.id}))

    def split(self, item: Item) -> str:
        """Says that an item tells another story than those folded under it."""
        return self._queue(lambda to: to.mark(item.id, Verb.SPLIT), PAST_TENSE[Verb.SPLIT])

    def put_all(self, items: Sequence[Item], verb: Verb) -> str:
        """Marks several items at once, in one step for undo."""
        ids = [item.id for item in items if not self._session.has(item, verb)]
        if not ids:
            return f"already {PAST_TENSE[verb]}"
        what = f"{PAST_TENSE[verb]}: {words.plural(len(ids), 'item')}"
        return self._queue(lambda to: to.mark_all(ids, verb), what, verb, frozenset(ids))

    def undo(self) -> str:
        """Takes back the last step, once those before it are stored."""
        return self._queue(lambda to: to.undo(), "undone", turns_back=True)

    def redo(self) -> str:
        """Brings back what was undone last."""
        return self._queue(lambda to: to.redo(), "redone", turns_back=True)

    def write(self, write: Write, what: str) -> str:
        """Says anything else to the backend, in its turn; `what` is what happens, such as `muted`."""
        return self._queue(write, what)

    def learn(self) -> None:
        """Has a new order computed, for what was stored on another way."""
        self._learner.want()

    def _queue(
        self,
        write: Write,
        what: str,
        verb: Verb | None = None,
        item_ids: frozenset[int] = frozenset(),
        *,
        turns_back: bool = False,
    ) -> str:
        """Hands it to the writer and says so, or why it does not."""
        if self.leaving:
            return f"leaving: not {what}"
        job = self._writer.submit(write, what, verb=verb, item_ids=item_ids, turns_back=turns_back)
        self._session.add(job)
        return STORING

    def close(self) -> None:
        """Waits until everything is stored, and a moment for the order; nothing can be marked afterwards."""
        self.leaving = True
        self._writer.close()
        self._learner.close(LAST_S)

    def written(self, news: Written) -> Outcome:
        """Brings the session up to date with a job that is stored, or is not.

        Raises:
            BaseException: The job failed with something else than a TriageError: a bug.
        """
        job, recorded, error = news.job, news.recorded, news.error
        if isinstance(error, TriageError):
            self._session.failed(job)
            # What failed first has said why.
            return Outcome(f"not {job.what}", None if isinstance(error, BehindError) else error)
        if recorded is None:
            raise error or AssertionError("a finished job has something recorded or an error")
        self._session.written(job, recorded)
        said = self._unlearned[job.number] = recorded.message.rstrip(".")
        about = list(recorded.states)
        return Outcome(said, select=about[0] if job.turns_back and len(about) == 1 else None)

    def ranked(self, news: Ranked) -> Outcome:
        """Brings the session up to date with a new order, or says why there is none.

        Raises:
            BaseException: It failed with something else than a TriageError: a bug.
        """
        if isinstance(news.error, TriageError):
            return Outcome("stored, not learned yet", news.error)
        if news.change is None:
            raise news.error or AssertionError("an order has a change or an error")
        self._session.ranked(news.number, news.change)
        learned = [self._unlearned.pop(job) for job in list(self._unlearned) if job <= news.number]
        said = f"{words.plural(len(learned), 'step')} learned from" if learned else "ranked anew"
        said = learned[0] if len(learned) == 1 else said
        moved = f" · {words.plural(news.change.moved, 'item')} moved" if news.change.moved else ""
        return Outcome(said + moved)

    def _deliver(self, job: Job, recorded: Recorded | None, error: BaseException | None) -> None:
        """Runs on the writer's thread."""
        if error is None:
            self.lost.clear()
            self._learner.want()
        elif self.leaving or job.verb is not None:
            which = f" (item {', '.join(map(str, sorted(job.item_ids)))})" if job.item_ids else ""
            self.lost.append(sanitize_line(f"Not {job.what}{which}: {error}"))
        self._post(Written(job, recorded, error))

    def _learn(self) -> None:
        """Runs on the learner's thread."""
        number = self._writer.finished
        try:
            self._post(Ranked(number, self._backend.learn(), None))
        except BaseException as error:  # noqa: BLE001 - the app says it, or ends with it
            self._post(Ranked(number, None, error))
