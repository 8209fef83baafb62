"""Keeping a database small and quick over months: what is dropped when, and what SQLite wants done.

Owns the policy of retention. What the reader has said anything about, has opened, was sent by a person, or
is shown in any case by a rule (`keep`, `always`) stays whole; of the rest only the text goes, never the item:
by its names a feed that still serves it is told that it is known. Which items a rule meets, the model worker
says, because matching takes numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from triage.config import RetentionConfig
from triage.core import feedback, rules, words
from triage.core.crash import crash_point
from triage.store import feedback as event_log
from triage.store import retention
from triage.store.engine import Database

PORTION = 500
"""Items in one transaction: whoever marks something meanwhile waits for one portion."""
DIGESTS = timedelta(days=400)
"""Digests that are kept: a year to look back on."""
UNSEEN_DIGESTS = timedelta(days=7)
"""Those that nobody looked at: one is built whenever something new came in, two dozen of 25 KB on a day."""
CONTACTS = timedelta(days=30)
LEAP = timedelta(days=14)
"""Without a digest for so long, the machine was off, or its clock was set ahead and all looks past its time.
Nothing is dropped before the next day: by then a clock may have been set right."""

Spared = Callable[[Sequence[int]], Collection[int]]
"""Those of some items that a rule shows in any case."""


def tidy(database: Database, policy: RetentionConfig, now: datetime, spared: Spared | None = None) -> str:
    """Drops what is past its time and has SQLite put its file in order; what was done, in words.

    Args:
        database: Nothing else is touched.
        policy: How long texts are kept.
        now: The present.
        spared: Asked if there is a rule that may spare something. None where nobody can tell: then such a
            rule spares everything.
    """
    with database.read() as connection:
        last_built = retention.last_digest(connection, now - timedelta(days=1))
    if last_built is not None and now - last_built > LEAP:
        database.put_in_order()
        return f"nothing dropped before tomorrow: no digest since {last_built:%d %B %Y}, is the clock right?"
    emptied = kept = 0
    asked = _rules_spare(database, now)
    for kind, days in (("feed", policy.feed_days), ("mail", policy.mail_days), ("paper", policy.paper_days)):
        before, last = now - timedelta(days=days), 0
        while days:
            with database.read() as connection:
                ids = retention.past(connection, kind, before, last, PORTION)
            if not ids:
                break
            last = ids[-1]
            held = set(ids if spared is None else spared(ids)) if asked else set()
            with database.write() as connection:
                emptied += retention.empty(connection, [i for i in ids if i not in held])
                crash_point("retention:written")
            kept += len(held)
    with database.write() as connection:
        retention.drop_digests(connection, now - DIGESTS, now - UNSEEN_DIGESTS)
        retention.drop_contacts(connection, now - CONTACTS)
    freed = database.put_in_order()
    said = [f"the texts of {words.plural(emptied, 'item')} dropped"] if emptied else []
    said += [f"{words.plural(kept, 'text')} kept by a rule"] if kept else []
    said += [f"{freed / 2**20:.0f} MiB given back"] if freed else []
    return ", ".join(said) or "nothing to drop"


def _rules_spare(database: Database, now: datetime) -> bool:
    with database.read() as connection:
        effects = feedback.rules(event_log.events(connection), now).values()
    return any(effect in rules.SHOWN for effect in effects)
