"""The terminal interface's `Backend`, on the real services.

Owns which service answers which question of the interface, and what is read on while the reader reads. Every
method imports what it needs when it is first called: the first frame waits for none of it.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from triage.core import words
from triage.core.errors import TriageError
from triage.core.items import Change, Digest, Item, Recorded
from triage.core.verbs import Verb
from triage.runtime import TURN_S, Runtime

if TYPE_CHECKING:
    from triage.core.feedback import Said
    from triage.core.insight import Insight, Learned
    from triage.core.journal import Entry
    from triage.core.ledger import Ledger, Step
    from triage.core.readings import Explained, MarkShare, Reading
    from triage.core.rules import Rule
    from triage.guided_start import GuidedStart

log = logging.getLogger(__name__)

UNCHANGED = "Nothing was changed"


class ReaderBackend:
    """The terminal interface's `Backend`, on the real services."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seen: int | None = None
        self._begun = False
        """Whether the reader was shown a digest; what they say from then on is learned from in its turn."""
        self._unread = 0
        self._closing = threading.Event()
        self._fetching = threading.Lock()
        self._reading: threading.Thread | None = None
        self._start: GuidedStart | None = None

    def first_page(self) -> Digest | None:
        """See `Backend`."""
        return self._runtime.first_page()

    def digest(self) -> Digest:
        """See `Backend`."""
        from triage.services.reader import feedback

        current = self._runtime.first_page()
        self._runtime.worker.warm_up()
        digest = current or self._runtime.worker.build(self._runtime.clock())
        self._runtime.looked_at(digest)
        late = feedback.unlearned(self._runtime.database, digest)
        if late and not self._begun:
            threading.Thread(target=self._catch_up, name="catching up", daemon=True).start()
        self._begun = True
        if self._reading is None or not self._reading.is_alive():
            self._unread = self._runtime.unread()
            if self._unread:
                self._reading = threading.Thread(target=self._read_rest, name="reading the rest", daemon=True)
                self._reading.start()
        return feedback.with_states(self._runtime.database, digest) if late else digest

    def _catch_up(self) -> None:
        """Learns from what was said before this start and never learned from; `changed` tells of it."""
        try:
            self.learn()
        except TriageError as error:
            if not self._closing.is_set():
                log.warning("the order is late: %s", error)

    def _read_rest(self) -> None:
        """Reads what the digest was built without; between two portions marks have their turn."""
        while not self._closing.wait(TURN_S):
            try:
                self._unread = self._runtime.worker.read_on(self._runtime.clock())
            except TriageError as error:
                if not self._closing.is_set():
                    log.warning("the rest is read another time: %s", error)
                self._unread = 0
            if not self._unread:
                return

    def read(self, item_id: int) -> Reading:
        """See `Backend`."""
        from triage.services.reader import reading

        opened = reading.read(self._runtime.database, item_id, self._runtime.first_page())
        if opened.item.highlights or opened.item.why or opened.item.score is None:
            return opened
        return dataclasses.replace(opened, item=self.explain(item_id).item)

    def opened(self, item_id: int, seconds: float | None) -> None:
        """See `Backend`."""
        self._runtime.opened(item_id, seconds)

    def fetch_text(self, item_id: int) -> str:
        """See `Backend`."""
        with self._fetching:
            (fetched,) = self._runtime.fetch_asked([item_id], lambda what, done, total: None, self._closing)
        return fetched.message if fetched.got else f"summary only: {fetched.message}"

    def explain(self, item_id: int) -> Explained:
        """See `Backend`."""
        return self._runtime.worker.explain(item_id, self._runtime.clock())

    def mark_shares(self, item_id: int) -> tuple[MarkShare, ...]:
        """See `Backend`."""
        return self._runtime.worker.explain(item_id, self._runtime.clock(), marks=True).marks

    def learn(self) -> Change:
        """See `Backend`."""
        return self._runtime.learn()

    def mark(self, item_id: int, verb: Verb) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import feedback

        database, clock = self._runtime.database, self._runtime.clock
        if verb is Verb.SPLIT:
            return feedback.split(database, clock, item_id)
        return feedback.mark(database, clock, item_id, verb)

    def mark_all(self, item_ids: Sequence[int], verb: Verb) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import feedback

        return feedback.mark_all(self._runtime.database, self._runtime.clock, item_ids, verb)

    def unmark(self, item_id: int) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import feedback

        return feedback.unmark(self._runtime.database, self._runtime.clock, item_id)

    def add_rule(self, rule: Rule) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import rules

        database, clock = self._runtime.database, self._runtime.clock
        recorded = rules.add(database, clock, str(rule))
        if rules.may_meet(database, clock(), rule.condition):
            return recorded
        return dataclasses.replace(recorded, message=f"{recorded.message} · it meets nothing yet")

    def change_rule(self, condition: str, effect: float) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import rules

        return rules.change(self._runtime.database, self._runtime.clock, condition, effect)

    def set_interest(self, phrase: str, weight: float) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import feedback

        return feedback.set_interest(self._runtime.database, self._runtime.clock, phrase, weight)

    def said(self) -> Said:
        """See `Backend`."""
        from triage.core.feedback import Said, interests, rules
        from triage.services.reader import feedback

        events = feedback.events(self._runtime.database)
        now = self._runtime.clock()
        return Said(interests(events, now), rules(events, now))

    def edit_interests(self) -> str:
        """See `Backend`."""
        from triage.services.reader import feedback
        from triage.services.upkeep.subcommand import run_here

        database = self._runtime.database
        before = len(feedback.events(database))
        if run_here(self._runtime.paths, ["interests", "edit"]) != 0:
            raise TriageError("the sheet was not taken over", fix="triage interests edit")
        # Marks that were on their way when the editor was opened are none of the sheet's.
        changes = sum(event.item_id is None for event in feedback.events(database)[before:])
        return f"{words.plural(changes, 'change')} made; u takes back all of it" if changes else UNCHANGED

    def undo(self) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import feedback

        return feedback.undo(self._runtime.database, self._runtime.clock)

    def redo(self) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import feedback

        return feedback.redo(self._runtime.database, self._runtime.clock)

    def search(self, query: str) -> list[Item]:
        """See `Backend`."""
        from triage.services.reader import searching

        return searching.find(self._runtime.database, self._runtime.clock, query)

    def search_meaning(self, query: str) -> tuple[list[Item], str]:
        """See `Backend`."""
        from triage.services.reader import searching

        database, clock = self._runtime.database, self._runtime.clock
        near: list[tuple[int, float]] = []
        problem = None
        if searching.understood(database, query).meaning:
            text = searching.expanded(database, query)
            near, problem = self._runtime.worker.nearest(text, searching.LIMIT, clock())
        note = f"Found by words only. {problem}" if problem else ""
        return searching.find(database, clock, query, near=near), note

    def saved_searches(self) -> dict[str, str]:
        """See `Backend`."""
        from triage.services.reader import searching

        return searching.saved(self._runtime.database)

    def save_search(self, name: str, query: str) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import searching

        database, clock = self._runtime.database, self._runtime.clock
        if query:
            return searching.save(database, clock, name, query)
        return searching.forget(database, clock, name)

    def journal(self, limit: int) -> list[Entry]:
        """See `Backend`."""
        from triage.services.reader import journal

        return journal.entries(self._runtime.database, self._runtime.clock(), limit=limit)

    def turn_back(self, event_id: int) -> Recorded:
        """See `Backend`."""
        from triage.services.reader import journal

        return journal.toggle(self._runtime.database, self._runtime.clock, event_id)

    def ledger(self) -> Ledger:
        """See `Backend`."""
        from triage.services.reader import ledger

        return ledger.ledger(self._runtime.database, self._runtime.clock())

    def settle_source(self, source_id: int, step: Step) -> str:
        """See `Backend`."""
        from triage.services.fetching import sources
        from triage.services.reader import ledger

        database, clock = self._runtime.database, self._runtime.clock
        if step == "drop":
            return ledger.drop(database, source_id)
        if step == "resume":
            sources.resume(database, clock, source_id)
            return "resumed"
        change = ledger.quiet if step == "quiet" else ledger.unquiet
        return change(database, clock, source_id).message

    def insight(self) -> Insight:
        """See `Backend`."""
        from triage.services.reader import insight

        return insight.look(self._runtime.database, self._runtime.clock())

    def learned(self) -> Learned:
        """See `Backend`."""
        from triage.services.reader.insight import LATELY

        now = self._runtime.clock()
        return self._runtime.worker.learned(now, now - LATELY)

    def keep_theme(self, name: str) -> None:
        """See `Backend`."""
        from triage.services.upkeep import settings

        where = self._runtime.paths.config_file
        settings.change(where, "tui.theme", name, lambda config, text: None)

    def changed(self) -> bool:
        """See `Backend`."""
        counter = self._runtime.database.change_counter()
        changed = self._seen is not None and counter != self._seen
        self._seen = counter
        return changed and not self._unread  # each portion that we read ourselves is a change, too

    def status(self) -> str:
        """See `Backend`."""
        from triage.daemon import heartbeat

        if self._unread:
            return f"reading, {self._unread} items to go"
        return heartbeat.words(self._runtime.paths.heartbeat)

    def start(self) -> GuidedStart:
        """See `Backend`."""
        if self._start is None:
            self._start = self._runtime.guided_start()
        return self._start

    def close(self) -> None:
        """See `Backend`."""
        self._closing.set()
        if self._start is not None:
            self._start.close()
        self._runtime.close()
