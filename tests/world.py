"""A small world of stored items, and what tests ask of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

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


def add_source(
    connection: Connection,
    target: str = "https://feed.example/",
    *,
    title: str = "A source",
    ingestor: str = "feeds",
    kind: str = "feed",
    tags: Sequence[str] = (),
    allow_local: bool = False,
    now: datetime = NOW,
) -> int:
    """Adds a source; returns its id."""
    source, _ = sources.add(
        connection,
        ingestor=ingestor,
        kind=kind,
        target=target,
        title=title,
        tags=list(tags),
        allow_local=allow_local,
        now=now,
    )
    return source


def new_item(key: str, title: str, text: str, **more: Any) -> NewItem:
    """An item of a feed as it is written, with nothing special about it but what `more` says."""
    fields: dict[str, Any] = {
        "kind": "feed",
        "url": None,
        "people": [],
        "tags": [],
        "identifiers": {},
        "personal": False,
        "published_at": NOW,
        "content_hash": key,
        "words": 200,
        "cjk_characters": 0,
    }
    return NewItem(key=key, title=title, text=text, **fields | more)


def store(
    connection: Connection, source: int, new: Sequence[NewItem], *, name: str = "s", now: datetime = NOW
) -> list[int]:
    """Stores items, also for the search, where their source goes by `name`; returns their ids."""
    ids = items.insert_new(connection, source, new, now)
    rows = [
        search.SearchRow(i, item.title, item.text, item.people, name, item.tags)
        for i, item in zip(ids, new, strict=True)
    ]
    search.index(connection, rows)
    return ids


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
        new_item(f"k{n}", title, text, url=f"https://feed.example/{n}")
        for n, (title, text) in enumerate(map(said, range(count)) if said else topics)
    ]
    ids: list[int] = []
    with database.write() as connection:
        for number in range(2):
            source = add_source(connection, f"https://{number}.example/", title=f"Source {number}")
            ids += store(connection, source, new[number::2])
    return ids


def scores(database: Database) -> dict[int, float]:
    """Item id -> stored score."""
    with database.read() as connection:
        return {row.id: row.logit for row in items.best(connection, 1000) if row.logit is not None}


def clock() -> datetime:
    """Ten minutes after the digest was built."""
    return NOW + timedelta(minutes=10)
