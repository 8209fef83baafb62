"""An item opened: where its text leads, what belongs to it, and that it was opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta

import pytest
from world import NOW, add_source, clock

from ingestors.base import Entry
from triage.services.fetching.translate import new_item
from triage.services.reader import reading
from triage.store import items, openings
from triage.store.engine import Database


def stored(database: Database, *entries: Entry, kind: str = "feed") -> list[int]:
    """The ids of entries of one source."""
    with database.write() as connection:
        source = add_source(connection, f"https://{kind}.example/", kind=kind)
        return items.insert_new(connection, source, [new_item(entry, kind, NOW) for entry in entries], NOW)


def mail(key: str, minutes: int, identifiers: Mapping[str, str]) -> Entry:
    """A mail of a conversation."""
    return Entry(
        key=key,
        title=f"Re: {key}",
        text=f"About {key}.",
        people=(f"{key}@a.example",),
        published=NOW - timedelta(days=1) + timedelta(minutes=minutes),
        identifiers=identifiers,
    )


def test_links_are_stored_with_the_text_and_numbered_in_it(database: Database) -> None:
    links = (("the plan", "https://p.example/"), ("bad", "javascript:x"), ("a\x1b[2Jb", "https://q.example/"))
    (item,) = stored(database, Entry(key="k", title="t", text="See the plan, or a\x1b[2Jb.", links=links))
    found = reading.read(database, item).links
    assert [(link.words, link.url) for link in found] == [
        ("the plan", "https://p.example/"),
        ("a\ufffd[2Jb", "https://q.example/"),
    ]
    assert all(link.end is not None for link in found)


def test_a_revised_text_brings_its_own_links(database: Database) -> None:
    entry = Entry(key="k", title="t", text="See the plan.", links=(("the plan", "https://p.example/"),))
    (item,) = stored(database, entry)
    revised = dataclasses.replace(entry, text="See the map.", links=(("the map", "https://m.example/"),))
    with database.write() as connection:
        items.revise(connection, {item: new_item(revised, "feed", NOW)}, NOW)
    assert [link.url for link in reading.read(database, item).links] == ["https://m.example/"]


def test_a_mail_names_the_messages_of_its_conversation_the_oldest_first(database: Database) -> None:
    asked, answered, other, thanked = stored(
        database,
        mail("asked", 0, {"message-id": "a", "thread": "a"}),
        mail("answered", 5, {"message-id": "b", "thread": "a"}),
        mail("other", 6, {"message-id": "c", "thread": "c"}),
        mail("thanked", 9, {"message-id": "d", "thread": "a"}),
        kind="mail",
    )
    found = reading.read(database, answered).related
    assert [(each.id, each.relation) for each in found] == [(asked, "thread"), (thanked, "thread")]
    assert found[0].who == "asked@a.example"
    assert reading.read(database, other).related == ()


def test_a_story_leads_to_its_newsletter_and_back(database: Database) -> None:
    whole, one, two = stored(
        database,
        *(Entry(key=key, title=key, text=key) for key in ("whole", "one", "two")),
        kind="mail",
    )
    with database.write() as connection:
        items.set_parents(connection, {one: whole, two: whole})
    assert [(each.id, each.relation) for each in reading.read(database, one).related] == [(whole, "whole")]
    assert [each.id for each in reading.read(database, whole).related] == [one, two]


@pytest.mark.parametrize("seconds", [None, 12.5])
def test_an_opening_is_remembered(database: Database, seconds: float | None) -> None:
    (item,) = stored(database, Entry(key="k", title="t", text="x"))
    reading.opened(database, clock, item, seconds)
    reading.opened(database, clock, item + 1, seconds)  # gone meanwhile
    with database.read() as connection:
        found = openings.since(connection, NOW)
    assert [(each.item_id, each.seconds) for each in found] == [(item, seconds)]
