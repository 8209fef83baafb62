"""Full texts from the poll to the reading pane: who is asked, how often, and what becomes of the text."""

from __future__ import annotations

import asyncio
import dataclasses
import pkgutil
from datetime import datetime, timedelta
from typing import Any

import pytest
from documents import SENTENCE, article, pdf
from loopback import LoopbackServer, Route
from waiting import wait_for
from world import NOW

from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import RefusalError
from triage.config import Config, FullTextConfig
from triage.core.errors import TriageError, UsageError
from triage.core.items import Digest, Highlight, Item
from triage.paths import Paths
from triage.services.fetching import fulltext, ingest, sources
from triage.services.fetching.fulltext import Fetched
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, reading, searching
from triage.store import items
from triage.store.engine import Database

ITEM = (
    "<item><guid>{n}</guid><title>{title}</title><link>{url}</link><description>{text}</description></item>"
)
HTML = {"Content-Type": "text/html; charset=utf-8"}


class World:
    """A home with one feed on a loopback server, whose clock a test moves."""

    def __init__(self, database: Database, server: LoopbackServer) -> None:
        self.database = database
        self.server = server
        self.now = NOW
        self.config = Config()

    def clock(self) -> datetime:
        return self.now

    def feed(self, *summaries: tuple[str, str, str]) -> None:
        """Serves (title, path or address, text) as items and polls."""
        body = "".join(
            ITEM.format(n=n, title=title, text=text, url=self.server.url(at) if at.startswith("/") else at)
            + "</item>"
            for n, (title, at, text) in enumerate(summaries, 1)
        )
        rss = f"<rss version='2.0'><channel><title>Harbour</title>{body}</channel></rss>"
        self.server.routes["/feed"] = Route(rss.encode())
        sources.add(self.database, self.clock, self.server.url("/feed"), allow_local=True)
        self.poll()

    def poll(self) -> None:
        (report,) = asyncio.run(ingest.sync(self.database, self.config, self.clock))
        assert report.error is None

    def page(self, path: str, body: str, **route: object) -> None:
        self.server.routes[path] = Route(body.encode(), headers=HTML, **route)

    def likely(self, shown: list[Item] | None = None) -> list[Fetched]:
        """Fetches what a digest of these items, or of all, would have."""
        digest = digest_of(reading.best(self.database, 99) if shown is None else shown)
        return asyncio.run(fulltext.fetch_likely(self.database, self.config, self.clock, digest))

    def asked(self, *ids: int) -> list[Fetched]:
        return asyncio.run(fulltext.fetch_asked(self.database, self.clock, ids))

    def set_option(self, value: str) -> None:
        with self.database.write() as connection:
            connection.exec_driver_sql("UPDATE source SET options = ?", (f'{{"full_text": "{value}"}}',))

    def pages_asked_for(self) -> list[str]:
        return [request.path for request in self.server.log if request.path != "/feed"]


def digest_of(shown: list[Item]) -> Digest:
    return Digest(built_at=NOW, budget_minutes=15.0, items=tuple(shown))


@pytest.fixture(autouse=True)
def parsing_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting children takes a second a test; what they do with pages is tested elsewhere."""

    async def parse(_: ParserPool, parser: str, body: bytes, **params: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = pkgutil.resolve_name(parser)(body, **params)
        except RefusalError as refused:
            raise ParseRefused(str(refused)) from refused
        return found

    monkeypatch.setattr(ParserPool, "parse", parse)


@pytest.fixture
def world(database: Database, server: LoopbackServer) -> World:
    return World(database, server)


TRAM = ("The tram line", "/tram", "The tram line to the harbour opens …")


def test_a_summary_gets_its_full_text_and_keeps_it(world: World) -> None:
    world.page("/tram", article("<p>Nobody knew of the zeppelin.</p>"))
    world.feed(TRAM)
    (before,) = reading.best(world.database, 1)
    assert reading.read(world.database, before.id).text_state == "summary"
    (fetched,) = world.likely()
    assert (fetched.id, fetched.got) == (before.id, True)
    after = reading.read(world.database, before.id)
    assert after.text.startswith(SENTENCE)
    assert (after.text_state, after.text_note, after.text_url) == ("full", None, world.server.url("/tram"))
    assert after.item.minutes > before.minutes
    assert [item.id for item in searching.find(world.database, lambda: NOW, "zeppelin")] == [before.id]
    world.server.close()
    assert world.likely() == []
    assert reading.read(world.database, before.id).text == after.text, "offline afterwards"


def test_the_next_poll_neither_revises_nor_loses_it(world: World) -> None:
    world.page("/tram", article())
    world.feed(TRAM)
    world.likely()
    world.now += timedelta(hours=2)
    world.feed(TRAM, ("Another", "/other", "It is new."))
    (tram,) = searching.find(world.database, lambda: NOW, "carriages")
    assert reading.read(world.database, tram.id).text_state == "full"
    assert len(reading.best(world.database, 9)) == 2
    assert world.pages_asked_for() == ["/tram"]


def test_only_summaries_on_the_site_of_their_feed_are_fetched_unasked(world: World) -> None:
    """PRV-01, PRV-07: other sites are contacted when the reader says so, and never on a stranger's word."""
    with LoopbackServer({"/far": Route(article().encode(), headers=HTML)}) as other:
        far = other.url("/far").replace("127.0.0.1", "localhost")
        world.feed(
            ("Far", far, "The tram …"), ("Long", "/long", "word " * 150), ("None", "mailto:x", "short")
        )
        assert world.likely() == []
        opened = {
            item.title: reading.read(world.database, item.id) for item in reading.best(world.database, 9)
        }
        assert opened["Far"].text_note == "its page is on localhost, which is not the site of its feed"
        assert {opened["Long"].text_state, opened["None"].text_state} == {"served"}
        # Not even `always` lets what a local feed carries reach another server of a private network.
        world.set_option("always")
        (fetched,) = world.likely()
        assert fetched.message.startswith("localhost was not contacted: ")
        assert fetched.message.endswith(" is a private address")
        assert other.log == []


def test_it_can_be_switched_off_for_a_source_and_for_all(world: World) -> None:
    world.page("/tram", article())
    world.feed(TRAM)
    world.set_option("never")
    assert world.likely() == []
    world.set_option("auto")
    world.config = Config(full_text=FullTextConfig(fetch=False))
    assert world.likely() == []
    world.server.routes["/tram"] = Route(status=503)
    (item,) = reading.best(world.database, 1)
    world.asked(item.id)
    world.now += timedelta(hours=2)
    assert world.likely() == [], "what has failed is not repeated either"
    world.page("/tram", article())
    world.set_option("always")
    assert [fetched.got for fetched in world.likely()] == [True]


def test_a_failure_that_may_pass_is_tried_again_after_longer_and_longer_waits(world: World) -> None:
    world.server.routes["/tram"] = Route(status=503)
    world.feed(TRAM)
    assert len(world.likely()) == 1
    (item,) = reading.best(world.database, 1)
    note = reading.read(world.database, item.id).text_note
    assert note is not None
    assert note.startswith("127.0.0.1 is out of order (503) (next try Mon ")
    for hours in (1, 6, 24):
        world.now += timedelta(hours=hours, minutes=-1)
        assert world.likely() == []
        world.now += timedelta(minutes=1)
        assert len(world.likely()) == 1
    world.now += timedelta(days=30)
    assert world.likely() == [], "now only the reader asks again"
    world.page("/tram", article())
    assert [fetched.got for fetched in world.asked(item.id)] == [True]
    assert len(world.pages_asked_for()) == 5


def test_what_will_not_pass_is_not_tried_again(world: World) -> None:
    world.page("/tram", "<form>Log in <input type=password></form>")
    world.feed(TRAM)
    assert [fetched.message for fetched in world.likely()] == ["its page asks for a login"]
    world.now += timedelta(days=20)
    assert world.likely() == []


def test_a_page_with_no_more_words_is_no_failure(world: World) -> None:
    said = "Herring boats stay in port."
    world.page("/toot", f"<html><body><article><p>{said}</p></article></body></html>")
    world.feed(("Herring", "/toot", said))
    assert [fetched.got for fetched in world.likely()] == [False]
    (item,) = reading.best(world.database, 1)
    opened = reading.read(world.database, item.id)
    assert (opened.text, opened.text_state, opened.text_note) == (
        "Herring boats stay in port.",
        "served",
        None,
    )


def test_a_source_whose_pages_bring_nothing_is_left_alone_for_a_week(world: World) -> None:
    paths = [f"/{n}" for n in range(6)]
    for path in paths:
        world.page(path, "<form>Log in <input type=password></form>")
    world.feed(*((f"Tram {n}", path, "The tram …") for n, path in enumerate(paths)))
    shown = reading.best(world.database, 9)
    assert len(world.likely(shown[:3])) == 3
    assert world.likely(shown) == []
    world.now += timedelta(days=8)
    assert len(world.likely(shown)) == 3


def test_a_server_that_wants_to_be_left_alone_is(world: World) -> None:
    """NET-15: Retry-After of the feed holds for the pages of its site, also when a person asks."""
    world.page("/tram", article())
    world.feed(TRAM)
    world.server.routes["/feed"] = Route(status=429, headers={"Retry-After": "7200"})
    world.now += timedelta(hours=2)
    asyncio.run(ingest.sync(world.database, world.config, world.clock))
    assert world.likely() == []
    (item,) = reading.best(world.database, 1)
    with pytest.raises(TriageError, match="asks to be left alone until"):
        world.asked(item.id)
    assert world.pages_asked_for() == []
    world.now += timedelta(hours=2)
    assert [fetched.got for fetched in world.likely()] == [True]


def test_the_retry_after_of_a_page_is_kept(world: World) -> None:
    world.server.routes["/tram"] = Route(status=429, headers={"Retry-After": "36000"})
    world.feed(TRAM)
    assert len(world.likely()) == 1
    world.now += timedelta(hours=9)
    assert world.likely() == []
    world.now += timedelta(hours=2)
    assert len(world.likely()) == 1


def test_the_reader_may_ask_for_any_page(world: World) -> None:
    world.page("/tram", article())
    world.feed(TRAM, ("No link", "mailto:x", "short"))
    world.set_option("never")
    ids = {item.title: item.id for item in reading.best(world.database, 9)}
    assert [fetched.message for fetched in world.asked(ids[TRAM[0]])] == ["the full text is here, 180 words"]
    for unknown, why in ((10**30, "no item"), (999, "no item"), (ids["No link"], "no link")):
        with pytest.raises(UsageError, match=why):
            world.asked(ids[TRAM[0]], unknown)
    assert world.pages_asked_for() == ["/tram"]


def test_a_paper_is_fetched_only_when_the_reader_asks(world: World) -> None:
    presented = "<head><meta name='citation_pdf_url' content='/paper.pdf'>"
    world.page("/abs", article().replace("<head>", presented))
    lines = [f"Section {n} of the paper says more of pooling." for n in range(40)]
    world.server.routes["/paper.pdf"] = Route(pdf([lines]), headers={"Content-Type": "application/pdf"})
    world.feed(("Attention pooling", "/abs", "An abstract on pooling, in a paper of many words …"))
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE item SET kind = 'paper'")
    (item,) = reading.best(world.database, 1)
    assert world.likely() == []
    assert reading.read(world.database, item.id).text_note == "this is the abstract of a paper"
    world.server.routes["/paper.pdf"], paper = Route(status=503), world.server.routes["/paper.pdf"]
    assert [fetched.got for fetched in world.asked(item.id)] == [False]
    world.now += timedelta(days=2)
    assert world.likely() == [], "nor is it asked for again"
    world.server.routes["/paper.pdf"] = paper
    world.server.log.clear()
    assert [fetched.got for fetched in world.asked(item.id)] == [True]
    assert "Section 39 of the paper" in reading.read(world.database, item.id).text
    assert world.pages_asked_for() == ["/abs", "/paper.pdf"]


async def test_a_try_is_on_record_before_it_is_made(world: World) -> None:
    world.page("/tram", article(), delay=1.0)
    await asyncio.to_thread(world.feed, TRAM)
    digest = digest_of(reading.best(world.database, 9))
    trying = asyncio.create_task(fulltext.fetch_likely(world.database, world.config, world.clock, digest))
    await asyncio.to_thread(wait_for, lambda: bool(world.pages_asked_for()))
    trying.cancel()
    await asyncio.wait({trying})
    assert world.pages_asked_for() == ["/tram"]
    note = reading.read(world.database, digest.items[0].id).text_note
    assert note is not None
    assert note.startswith("fetching it was interrupted (next try")


async def test_nothing_more_is_begun_when_the_daemon_stops(world: World) -> None:
    await asyncio.to_thread(world.feed, TRAM)
    digest = digest_of(reading.best(world.database, 9))
    done = await fulltext.fetch_likely(
        world.database, world.config, world.clock, digest, stopping=lambda: True
    )
    assert (done, world.pages_asked_for()) == ([], [])


def test_a_source_that_changes_an_item_has_its_page_fetched_again(world: World) -> None:
    world.page("/tram", article())
    world.feed(TRAM)
    world.likely()
    (item,) = reading.best(world.database, 1)
    world.now += timedelta(hours=2)
    world.feed((TRAM[0], "/tram", "The tram line to the harbour opens in June …"))
    opened = reading.read(world.database, item.id)
    assert (opened.text_state, opened.text[:40]) == ("full", SENTENCE[:40]), "until there is a new one"
    world.server.routes["/tram"] = Route(status=404)
    assert [fetched.got for fetched in world.likely()] == [False]
    opened = reading.read(world.database, item.id)
    assert (opened.text_state, opened.text_note) == ("full", "127.0.0.1 knows no such page (404)")
    world.page("/tram", article("<p>It is June now.</p>"))
    assert [fetched.got for fetched in world.asked(item.id)] == [True]
    assert "It is June now." in reading.read(world.database, item.id).text


def test_a_text_that_was_being_split_when_it_was_exchanged_is_split_again(world: World) -> None:
    world.page("/tram", article())
    world.feed(TRAM)
    with world.database.read() as connection:
        split = items.stale(connection, None, 9)
    world.likely()
    with world.database.write() as connection:
        items.mark_indexed(connection, {row.id: row.edition for row in split}, "words")
        assert items.count_stale(connection, None) == 1


def test_the_digest_is_ranked_with_the_new_text(world: World, worker: ModelWorker, paths: Paths) -> None:
    world.page("/tram", article("<p>A zeppelin was seen above the pier.</p>"))
    world.feed(TRAM, ("Bees", "mailto:x", "Beekeepers count their hives in spring."))
    feedback.set_interest(world.database, world.clock, "zeppelin above the pier", 1.0)
    before = worker.build(world.now)
    tram = next(item for item in before.items if item.title == TRAM[0])
    world.likely()
    opened = reading.read(world.database, tram.id, before)
    assert all(opened.text[h.start : h.end] == h.text for h in opened.item.highlights)
    after = worker.reread(world.now)
    assert after.built_at == before.built_at, "the same digest, in a new order"
    found = next(item for item in after.items if item.id == tram.id)
    assert found.score is not None
    assert tram.score is not None
    assert found.score > tram.score
    assert any("zeppelin" in highlight.text for highlight in found.highlights)
    opened = reading.read(world.database, tram.id, after)
    assert opened.item.highlights == found.highlights


def test_highlights_of_an_earlier_text_are_left_out(world: World) -> None:
    world.feed(TRAM)
    (item,) = reading.best(world.database, 1)
    good, bad = Highlight(0, 8, "The tram", 0.5), Highlight(2, 9, "another", 0.5)
    digest = digest_of([dataclasses.replace(item, highlights=(good, bad))])
    assert reading.read(world.database, item.id, digest).item.highlights == (good,)
