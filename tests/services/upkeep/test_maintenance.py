"""What is dropped when, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from world import NOW

from ingestors.base import Entry, FetchResult
from triage.config import RetentionConfig
from triage.core.verbs import Verb
from triage.services.fetching import sources, writing
from triage.services.fetching.client import http_client
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, rules, searching
from triage.services.upkeep import maintenance
from triage.store import contacts, items, openings, scores
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


def test_a_rule_keeps_texts_for_as_long_as_it_holds(database: Database, worker: ModelWorker) -> None:
    stored(database, 6)
    later = NOW + YEAR + timedelta(days=1)
    policy = RetentionConfig(feed_days=365)
    rules.add(database, clock_at(NOW), "keep mentions:marsh and title:'title 3'")
    rules.add(database, clock_at(NOW), "always title:'title 4'")
    rules.add(database, clock_at(NOW), "keep title:'title 5' for 7d")
    rules.add(database, clock_at(NOW), "title:'title 2' +3")
    held = "nothing may be dropped where nobody can tell what a rule meets"
    assert maintenance.tidy(database, policy, later) == "6 texts kept by a rule", held
    said = maintenance.tidy(database, policy, later, lambda ids: worker.shown(later, ids))
    assert said.startswith("the texts of 4 items dropped, 2 texts kept by a rule")
    with database.read() as connection:
        left = [
            row.title for i, row in items.by_ids(connection, range(1, 7)).items() if items.text(connection, i)
        ]
    assert left == ["Title 3", "Title 4"]
    for number in (1, 1):
        rules.remove(database, clock_at(NOW), number)
    assert "2 items dropped" in maintenance.tidy(database, policy, later, lambda _: pytest.fail("no rule"))


def test_what_was_marked_while_rules_were_asked_stays(database: Database) -> None:
    stored(database, 6)
    rules.add(database, clock_at(NOW), "keep title:'title 6'")

    def meanwhile(ids: Sequence[int]) -> list[int]:
        feedback.mark(database, clock_at(NOW), 2, Verb.LIKE)
        return []

    maintenance.tidy(database, RetentionConfig(feed_days=365), NOW + 2 * YEAR, meanwhile)
    assert [i for i, text in texts(database).items() if text] == [2]


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


def test_a_digest_that_nobody_looked_at_is_kept_for_a_week(database: Database) -> None:
    days = {name: NOW - timedelta(days=days) for name, days in (("old", 9), ("seen", 8), ("young", 6))}
    with database.write() as connection:
        model = scores.model_version(connection, profile="p", encoder="e", ranker="r", labels=0, now=NOW)
        for at in (*days.values(), NOW):
            scores.add_digest(connection, built_at=at, model_version_id=model, document={"items": []})
        scores.set_seen(connection, days["seen"], NOW)
    maintenance.tidy(database, RetentionConfig(), NOW)
    with database.read() as connection:
        left = connection.exec_driver_sql("SELECT id FROM digest ORDER BY id").scalars().all()
    assert left == [2, 3, 4]
