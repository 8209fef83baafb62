"""The same document under another name, the same work from another server, parts of a whole."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime, timedelta

import pytest
from world import NOW, add_source

from ingestors.base import Claim, Entry, FetchRequest, FetchResult, Kind, Tools
from triage.config import Config
from triage.services.fetching import ingest
from triage.services.fetching.writing import SourceReport
from triage.services.reader import reading, searching
from triage.store import items
from triage.store.engine import Database
from triage.store.items import RESTLESS

TEXT = "The ferry to the islands sails twice a day from the first of May, at eight and at half past four. "


class Scripted:
    """An ingestor that brings what the test has written down for each target."""

    name = "scripted"
    kind: Kind = "feed"

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}

    def claim(self, target: str) -> Claim | None:
        return None

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        return FetchResult(entries=tuple(self.entries.get(request.target, ())))


class Sources:
    """Sources that are polled together, an hour apart."""

    def __init__(self, database: Database, ingestor: Scripted) -> None:
        self.database = database
        self.ingestor = ingestor
        self.now = NOW

    def poll(self, *entries: Entry, target: str = "a", kind: Kind = "feed") -> SourceReport:
        """Polls one source, which now holds `entries`."""
        with self.database.write() as connection:
            source = add_source(
                connection,
                target,
                title=target,
                ingestor="scripted",
                kind=kind,
                allow_local=True,
                now=self.now,
            )
        self.ingestor.entries[target] = list(entries)
        self.now += timedelta(hours=1)
        (report,) = asyncio.run(
            ingest.sync(self.database, Config(), lambda: self.now, only={source}, ask_now=True)
        )
        assert report.error is None
        return report

    def stored(self) -> list[items.ItemRow]:
        with self.database.read() as connection:
            return items.seen_since(connection, NOW, 1_000)


@pytest.fixture
def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> Sources:
    ingestor = Scripted()
    monkeypatch.setattr("triage.services.fetching.ingest.registry.get", {"scripted": ingestor}.get)
    return Sources(database, ingestor)


def post(n: int = 1, **changes: object) -> Entry:
    entry = Entry(
        key=f"guid-{n}",
        title=f"Sailings of week {n}",
        text=TEXT + f"This is week {n}.",
        url=f"https://ferry.example/week/{n}",
        published=NOW - timedelta(days=1),
    )
    return dataclasses.replace(entry, **changes)  # type: ignore[arg-type]


def test_a_feed_that_gives_all_its_entries_new_guids_brings_nothing_new(world: Sources) -> None:
    """IDN-03."""
    world.poll(*(post(n) for n in range(20)))
    report = world.poll(*(post(n, key=f"new-{n}") for n in range(20)))
    assert (report.new, report.revised, len(world.stored())) == (0, 0, 20)
    # From now on the new guid is a name of the item too, whatever else changes.
    assert world.poll(post(3, key="new-3", title="Moved", url="https://ferry.example/x")).revised == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "new", "url": "http://www.ferry.example/week/1/?utm_source=rss"},
        {"key": "new", "url": "https://ferry.example/2026/week-1"},
        {"key": "new", "published": NOW + timedelta(days=300)},
        {"key": "new", "text": TEXT + "Corrected: at nine."},
    ],
)
def test_a_document_is_found_again_by_what_is_left_of_its_names(
    world: Sources, changes: dict[str, object]
) -> None:
    """IDN-03, IDN-04."""
    world.poll(post())
    assert world.poll(post(**changes)).new == 0
    assert len(world.stored()) == 1


def test_an_edited_title_is_a_revision_and_keeps_its_date(world: Sources) -> None:
    world.poll(post())
    report = world.poll(post(title="Sailings of week 1, corrected", published=NOW + timedelta(days=2)))
    (item,) = world.stored()
    assert (report.new, report.revised) == (0, 1)
    assert item.title == "Sailings of week 1, corrected"
    assert item.published_at == NOW - timedelta(days=1)
    assert item.revised_at == world.now


def test_a_revision_of_a_work_that_was_never_news_is_none_either(world: Sources) -> None:
    revised = post(2, identifiers={"arxiv": "2601.00002", "version": "2", "announce": "replace"})
    assert world.poll(post(1), revised).new == 1
    new = post(2, text=TEXT, identifiers={"arxiv": "2601.00002", "announce": "new"})
    assert world.poll(new).new == 1
    assert world.poll(revised).revised == 1
    assert len(world.stored()) == 2


def test_a_page_that_changes_with_every_look_is_not_called_revised_for_ever(world: Sources) -> None:
    """IDN-06."""
    for look in range(RESTLESS + 3):
        world.poll(post(text=f"{TEXT} {look} people are reading this."))
    (item,) = world.stored()
    assert item.revised_at is not None
    assert item.revised_at < world.now
    assert f"{RESTLESS + 2} people" in reading.read(world.database, item.id).text


def test_a_page_that_always_holds_the_latest_hides_no_issue(world: Sources) -> None:
    latest = {"url": "https://ferry.example/", "title": "Today"}
    world.poll(post(1, **latest))
    assert world.poll(post(2, **latest)).new == 1
    assert len(world.stored()) == 2


def test_entries_with_one_link_and_title_stay_apart(world: Sources) -> None:
    same = {"url": "https://ferry.example/notes", "title": "Note"}
    world.poll(post(1, **same), post(2, **same))
    assert world.poll(post(2, **same), post(3, **same)).new == 1
    assert len(world.stored()) == 3


def test_a_few_words_are_no_identity(world: Sources) -> None:
    world.poll(post(1, text="As usual.", title="Sailings", url=None))
    assert world.poll(post(2, text="As usual.", title="Sailings", url=None)).new == 1


def paper(key: str, **changes: object) -> Entry:
    entry = Entry(
        key=key,
        title="Timetables of Small Ferries under Tidal Constraints",
        text=TEXT,
        people=("Ada Lovelace", "Grace Hopper"),
        published=NOW - timedelta(days=3),
    )
    return dataclasses.replace(entry, **changes)  # type: ignore[arg-type]


def test_one_work_of_three_servers_is_one_record_that_knows_what_all_of_them_know(world: Sources) -> None:
    """IDN-11."""
    world.poll(paper("W1", text="", identifiers={"doi": "10.1/f"}), target="a", kind="paper")
    second = world.poll(
        paper("9", people=("Lovelace, A.",), identifiers={"pmid": "9"}), target="b", kind="paper"
    )
    third = world.poll(
        paper("2401.1", title="Another title", identifiers={"pmid": "9", "arxiv": "2401.1"}),
        target="c",
        kind="paper",
    )
    (item,) = world.stored()
    assert (second.new, third.new) == (0, 0)
    assert reading.read(world.database, item.id).text == TEXT.strip()
    # The first server still has no abstract: that takes nothing away.
    again = world.poll(paper("W1", text="", identifiers={"doi": "10.1/f"}), target="a", kind="paper")
    assert (again.new, again.revised) == (0, 0)
    assert reading.read(world.database, item.id).text == TEXT.strip()
    assert searching.find(world.database, lambda: NOW, "tidal timetables")[0].id == item.id


def test_two_records_of_one_work_in_one_answer_are_one(world: Sources) -> None:
    report = world.poll(
        paper("1", identifiers={"doi": "10.1/f"}), paper("2", identifiers={"doi": "10.1/f"}), kind="paper"
    )
    assert (report.new, len(world.stored())) == (1, 1)


def test_two_reports_of_one_title_with_a_doi_each_are_two(world: Sources) -> None:
    world.poll(paper("1", identifiers={"doi": "10.1/2025"}), kind="paper")
    assert world.poll(paper("2", identifiers={"doi": "10.1/2026"}), target="b", kind="paper").new == 1


def test_a_feed_cannot_pass_for_a_paper(world: Sources) -> None:
    world.poll(post(identifiers={"doi": "10.1/f"}))
    assert world.poll(paper("1", identifiers={"doi": "10.1/f"}), target="b", kind="paper").new == 1


def test_a_mail_in_two_mailboxes_is_one_and_a_borrowed_id_hides_none(world: Sources) -> None:
    mail = post(identifiers={"message-id": "m@a.example"})
    world.poll(mail, target="a", kind="mail")
    assert world.poll(mail, target="b", kind="mail").new == 0
    forged = post(text=TEXT + "Not what it was.", key="guid-9", identifiers=mail.identifiers)
    assert world.poll(forged, target="c", kind="mail").new == 1


def test_a_part_knows_its_whole_also_when_it_comes_later(world: Sources) -> None:
    whole = post(1)
    world.poll(whole, post(2, parent="guid-1"))
    world.poll(whole, post(2, parent="guid-1"), post(3, parent="guid-1"))
    with world.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT key, parent_id FROM item ORDER BY id").all()
    first = world.stored()[0].id
    assert [tuple(row) for row in rows] == [("guid-1", None), ("guid-2", first), ("guid-3", first)]


@pytest.mark.parametrize("moment", [datetime.max.replace(tzinfo=NOW.tzinfo), None])
def test_odd_dates_neither_flood_nor_vanish(world: Sources, moment: datetime | None) -> None:
    """IDN-10."""
    world.poll(post(published=moment))
    assert world.poll(post(published=NOW)).new == 0
    (item,) = world.stored()
    assert item.published_at is None or item.published_at <= world.now


def test_two_feeds_may_use_one_guid_and_tell_the_same(world: Sources) -> None:
    """IDN-05."""
    world.poll(post(1))
    other = post(1, title="Trams of week 1", text="The tram stops at the harbour.", url="https://t.example/1")
    assert world.poll(other, target="b").new == 1
    assert world.poll(post(1), target="c").new == 1
    assert sorted(item.title for item in world.stored()) == [
        "Sailings of week 1", "Sailings of week 1", "Trams of week 1",
    ]  # fmt: skip


def test_a_guid_that_is_used_again_is_said_to_be_another_text(world: Sources) -> None:
    """IDN-07."""
    world.poll(post(1))
    world.now += timedelta(days=30)
    other = post(2, key="guid-1", title="Dough", text="Rye wants two days.", url="https://ferry.example/rye")
    report = world.poll(other)
    (item,) = world.stored()
    assert (report.new, report.revised) == (0, 1)
    assert (item.title, item.revised_at) == ("Dough", world.now)
    assert searching.find(world.database, lambda: NOW, "ferry islands") == []


def test_what_left_its_feed_and_comes_back_is_what_it_was(world: Sources) -> None:
    """IDN-08."""
    world.poll(post(1), post(2))
    (first,) = (item for item in world.stored() if item.title.endswith("1"))
    world.poll(post(2))
    report = world.poll(post(1), post(2))
    assert (report.new, report.revised) == (0, 0)
    assert {item.id for item in world.stored()} >= {first.id}
    assert len(world.stored()) == 2


def test_a_paper_that_is_withdrawn_or_moved_stays_one_paper_with_its_abstract(world: Sources) -> None:
    """IDN-12."""
    arxiv = {"arxiv": "2601.00001"}
    world.poll(paper("2601.00001", tags=("cs.IR",), identifiers=arxiv), kind="paper")
    moved = world.poll(paper("2601.00001", tags=("cs.LG",), text="", identifiers=arxiv), kind="paper")
    withdrawn = paper("2601.00001", text="This paper has been withdrawn by its authors.", identifiers=arxiv)
    report = world.poll(withdrawn, kind="paper")
    (item,) = world.stored()
    assert (moved.new, report.new, report.revised) == (0, 0, 1)
    assert "withdrawn" in reading.read(world.database, item.id).text
