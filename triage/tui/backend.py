"""What the terminal interface needs from the rest of the program, and nothing more.

`triage.runtime` hands in the real one, tests a fake. Every method but `first_page` may block (a
database, a model) and is called from a thread worker, never from the event loop. What returns `Recorded`
is called from one writer thread, in order, and takes one short transaction: it is durable when it returns,
and nothing is learned from it before `learn`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from triage.core.items import Change, Digest, Item, Recorded
from triage.core.verbs import Verb

if TYPE_CHECKING:
    from triage.core.feedback import Said
    from triage.core.readings import Explained, MarkShare, Reading
    from triage.core.rules import Rule

if TYPE_CHECKING:  # values of screens that the first paint does not need
    from triage.core.insight import Insight, Learned
    from triage.core.journal import Entry
    from triage.core.ledger import Ledger, Step
    from triage.tui.start import Start


class Backend(Protocol):
    """The reader's data, as dataclasses. Failures raise `triage.core.errors.TriageError`."""

    def first_page(self) -> Digest | None:
        """The digest as last built, from one JSON file: a few milliseconds; None before the first."""
        ...

    def digest(self) -> Digest:
        """The digest of now; builds one if there is none."""
        ...

    def read(self, item_id: int) -> Reading:
        """The whole text of one item with its highlights."""
        ...

    def opened(self, item_id: int, seconds: float | None) -> None:
        """Remembers that an item was opened, and for how long if that is known."""
        ...

    def fetch_text(self, item_id: int) -> str:
        """Fetches the full text behind an item's link; what came of it, in words. Takes a minute at most."""
        ...

    def explain(self, item_id: int) -> Explained:
        """Why an item stands where it stands."""
        ...

    def mark_shares(self, item_id: int) -> tuple[MarkShare, ...]:
        """Which marks move an item most; at a fit a mark, so it takes longer than `explain`."""
        ...

    def said(self) -> Said:
        """The interests and rules that hold now."""
        ...

    def learn(self) -> Change:
        """Learns from all that is recorded and ranks again.

        Raises:
            TriageError: Only the order is late; what was said is stored, and the next call learns from it.
        """
        ...

    def mark(self, item_id: int, verb: Verb) -> Recorded:
        """Marks an item."""
        ...

    def mark_all(self, item_ids: Sequence[int], verb: Verb) -> Recorded:
        """Marks several items in one step, which one undo takes back."""
        ...

    def unmark(self, item_id: int) -> Recorded:
        """Takes back the last mark of an item, whatever was said of others since."""
        ...

    def add_rule(self, rule: Rule) -> Recorded:
        """Adds a rule, or gives its condition another effect."""
        ...

    def change_rule(self, condition: str, effect: float) -> Recorded:
        """Gives the rule with this condition another effect, or removes it with 0."""
        ...

    def set_interest(self, phrase: str, weight: float) -> Recorded:
        """Adds an interest, changes its weight, or removes it with weight 0."""
        ...

    def edit_interests(self) -> str:
        """Has the sheet of interests and rules edited; the terminal is the editor's until it returns.

        Returns:
            What came of it, in words.

        Raises:
            TriageError: Nothing was changed; the reader has been told why on the terminal.
        """
        ...

    def undo(self) -> Recorded:
        """Takes back the last step that is not yet undone; raises TriageError when there is none."""
        ...

    def redo(self) -> Recorded:
        """Brings back what was undone last; raises TriageError when there is nothing, or more was said."""
        ...

    def search(self, query: str) -> list[Item]:
        """Items that a search is for, by its words and filters, best first; see `triage.core.query`."""
        ...

    def search_meaning(self, query: str) -> tuple[list[Item], str]:
        """The same with what is near in meaning, and a word on why there is none. Takes seconds at first."""
        ...

    def saved_searches(self) -> dict[str, str]:
        """Name -> text of the searches that are kept."""
        ...

    def save_search(self, name: str, query: str) -> Recorded:
        """Keeps a search, or no longer if it is empty."""
        ...

    def ledger(self) -> Ledger:
        """What each source took and gave in the last months."""
        ...

    def settle_source(self, source_id: int, step: Step) -> str:
        """Quiets or pauses a source, or takes that back; what happened, in words. Nothing is learned yet."""
        ...

    def journal(self, limit: int) -> list[Entry]:
        """The newest events, newest first, with what each did."""
        ...

    def turn_back(self, event_id: int) -> Recorded:
        """Takes back what an event of the journal says, or brings it back: whichever changes something."""
        ...

    def insight(self) -> Insight:
        """How the ranker and the reader get on, but for what was learned."""
        ...

    def learned(self) -> Learned:
        """What has moved by all that was said this week; takes two rankings."""
        ...

    def keep_theme(self, name: str) -> None:
        """Remembers the colours that the reader has chosen."""
        ...

    def changed(self) -> bool:
        """Whether another process (the daemon) has stored something since the last call."""
        ...

    def status(self) -> str:
        """One line on the daemon: running, stale or not running."""
        ...

    def start(self) -> Start:
        """The guided start; asks nothing yet."""
        ...

    def close(self) -> None:
        """Ends the model worker and closes the database; pending marks have been written by then."""
        ...
