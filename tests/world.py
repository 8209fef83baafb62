"""A small world of stored items, and what tests ask of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from triage.store import items, search, sources
from triage.store.engine import Database
from triage.store.items import NewItem

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""The present of every test that needs a fixed one."""


class Ticking:
    """A clock that goes on by a minute at every look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


TOPICS = {
    "bees": "Beekeepers count their hives in spring; queens, drones and honey were found in good health.",
    "trams": "The tram line to the harbour opens in May, with new tracks, stops and quieter carriages.",
    "chess": "A quiet bishop sacrifice decided the tournament; the endgame was studied for hours.",
    "bread": "Sourdough bread wants time, flour, water and salt; the oven does the rest at great heat.",
}


def babble(n: int) -> tuple[str, str]:
    """A title and a text whose words say nothing: drawn by chance from a hundred."""
    rng = random.Random(n)
    words = ["".join(random.Random(f"word {number}").choices("bdfgklmnprst", k=6)) for number in range(100)]
    return " ".join(rng.choices(words, k=4)), " ".join(rng.choices(words, k=30)) + "."


def stored_items(
    database: Database, count: int = 24, said: Callable[[int], tuple[str, str]] | None = None
) -> list[int]:
    """Items from two sources in turn, on four topics in turn or with what was `said`; returns their ids."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    topics = [
        (f"{topic} number {n}", f"{text} Item {n} adds a detail of its own: {letters[n % 26] * 5}.")
        for n, (topic, text) in zip(range(count), list(TOPICS.items()) * count, strict=False)
    ]
    new = [
        NewItem(
            key=f"k{n}",
            kind="feed",
            title=title,
            text=text,
            url=f"https://feed.example/{n}",
            people=[],
            tags=[],
            identifiers={},
            personal=False,
            published_at=NOW,
            content_hash=f"h{n}",
            words=200,
            cjk_characters=0,
        )
        for n, (title, text) in enumerate(map(said, range(count)) if said else topics)
    ]
    ids: list[int] = []
    with database.write() as connection:
        for number in range(2):
            source, _ = sources.add(
                connection,
                ingestor="feeds",
                kind="feed",
                target=f"https://{number}.example/",
                title=f"Source {number}",
                tags=[],
                allow_local=False,
                now=NOW,
            )
            part = new[number::2]
            added = items.insert_new(connection, source, part, NOW)
            rows = [
                search.SearchRow(i, item.title, item.text, [], "s")
                for i, item in zip(added, part, strict=True)
            ]
            search.index(connection, rows)
            ids += added
    return ids


def scores(database: Database) -> dict[int, float]:
    """Item id -> stored score."""
    with database.read() as connection:
        return {row.id: row.logit for row in items.best(connection, 1000) if row.logit is not None}


def clock() -> datetime:
    """Ten minutes after the digest was built."""
    return NOW + timedelta(minutes=10)
