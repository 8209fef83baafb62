"""Keeping a database small and quick over months: what is dropped when, and what SQLite wants done.

Owns the policy of retention. What the reader has said anything about, has opened or was sent by a person
stays whole; of the rest only the text goes, never the item: by its names a feed that still serves it is told
that it is known. Rules are not asked: matching them takes numbers, which the daemon does not have.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from triage.config import RetentionConfig
from triage.core import words
from triage.core.crash import crash_point
from triage.store import retention
from triage.store.engine import Database

PORTION = 500
"""Items in one transaction: whoever marks something meanwhile waits for one portion."""
DIGESTS = timedelta(days=400)
"""Digests that are kept: a year to look back on."""
CONTACTS = timedelta(days=30)


def tidy(database: Database, policy: RetentionConfig, now: datetime) -> str:
    """Drops what is past its time and has SQLite put its file in order; what was done, in words."""
    emptied = 0
    for kind, days in (("feed", policy.feed_days), ("mail", policy.mail_days), ("paper", policy.paper_days)):
        before = now - timedelta(days=days)
        while days:
            with database.write() as connection:
                portion = retention.empty(connection, kind, before, PORTION)
                crash_point("retention:written")
            emptied += portion
            if portion < PORTION:
                break
    with database.write() as connection:
        retention.drop_digests(connection, now - DIGESTS)
        retention.drop_contacts(connection, now - CONTACTS)
    freed = database.put_in_order()
    said = [f"the texts of {words.plural(emptied, 'item')} dropped"] if emptied else []
    said += [f"{freed / 2**20:.0f} MiB given back"] if freed else []
    return ", ".join(said) or "nothing to drop"
