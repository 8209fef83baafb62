"""What is dropped when, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from world import NOW

from ingestors.base import Entry, FetchResult
from triage.config import RetentionConfig
from triage.core.feedback import Verb
from triage.services import feedback, maintenance, searching, sources, writing
from triage.services.client import http_client
from triage.store import contacts, items, openings
from triage.store.engine import Database

YEAR = timedelta(days=365)


def clock_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def stored(database: Database, count: int) -> int:
    source = sources.add(database, clock_at(NOW), "https://e.example/feed", allow_local=False).id
    entries = tuple(
        Entry(
            key=str(n), title=f"Title {n}", text=f"Herons of marsh {n}. " * 30, url=f"https://e.example/{n}"
        )
        for n in range(count)
    )
    writing.keep(database, clock_at(NOW), source, FetchResult(entries=entries))
    return source


def texts(database: Database) -> dict[int, str]:
    with database.read() as connection:
        return {i: items.text(connection, i) for i in range(1, 7)}


def test_texts_past_their_time_go_but_what_was_marked_or_opened_stays(database: Database) -> None:
    source = stored(database, 6)
    feedback.mark(database, clock_at(NOW), 1, Verb.LIKE)
    with database.write() as connection:
        openings.add(connection, 2, NOW, 20.0)
    policy = RetentionConfig(feed_days=365)
    assert maintenance.tidy(database, policy, NOW + YEAR - timedelta(days=1)).startswith("nothing to drop")
    said = maintenance.tidy(database, policy, NOW + YEAR + timedelta(days=1))
    assert "the texts of 4 items dropped" in said
    assert [i for i, text in texts(database).items() if text] == [1, 2]
    assert {item.id for item in searching.find(database, lambda: NOW, "herons")} == {1, 2}
    # The feed still serves it: it is known, so it does not come up again.
    again = Entry(key="5", title="Title 5", text="Herons of marsh 5. " * 30, url="https://e.example/5")
    report = writing.keep(database, clock_at(NOW + 2 * YEAR), source, FetchResult(entries=(again,)))
    assert (report.new, report.revised) == (0, 0)


def test_nothing_is_dropped_unless_the_reader_says_so(database: Database) -> None:
    stored(database, 6)
    assert maintenance.tidy(database, RetentionConfig(), NOW + 20 * YEAR).startswith("nothing to drop")
    assert all(texts(database).values())


def test_who_was_asked_is_counted_by_day_and_forgotten_after_a_month(database: Database) -> None:
    async def ask() -> None:
        async with http_client(database, clock_at(NOW), "polling") as client:
            client.asked["e.example"] += 2

    asyncio.run(ask())
    asyncio.run(ask())
    with database.read() as connection:
        (row,) = contacts.since(connection, NOW - timedelta(days=7))
    assert (row.host, row.purpose, row.requests) == ("e.example", "polling", 4)
    maintenance.tidy(database, RetentionConfig(), NOW + timedelta(days=40))
    with database.read() as connection:
        assert contacts.since(connection, NOW - timedelta(days=7)) == []
