"""What a reader sets for a source, and what polling makes of it."""

from __future__ import annotations

import asyncio

import pytest
from loopback import LoopbackServer, Route
from world import NOW

from triage.config import Config
from triage.core.errors import UsageError
from triage.services.fetching import ingest, sources
from triage.services.fetching.writing import SourceReport
from triage.store import sources as store
from triage.store.engine import Database

FEED = b"""<rss version="2.0"><channel><title>Harbour Notes</title>
<item><guid>1</guid><title>Tides</title></item></channel></rss>"""


def sync(database: Database, **how: object) -> list[SourceReport]:
    return asyncio.run(ingest.sync(database, Config(), lambda: NOW, **how))  # type: ignore[arg-type]


@pytest.fixture
def feed(database: Database, server: LoopbackServer) -> int:
    """The id of a feed that was added and never polled."""
    server.routes["/f"] = Route(FEED)
    return sources.add(database, lambda: NOW, server.url("/f"), allow_local=True).id


def test_a_paused_source_is_not_polled_until_it_is_resumed(database: Database, feed: int) -> None:
    with database.write() as connection:
        store.pause(connection, feed, "the reader said so")
    assert sync(database, ask_now=True) == []
    with pytest.raises(UsageError, match="is paused: the reader said so"):
        sync(database, only=[feed])
    with database.write() as connection:
        store.resume(connection, feed, NOW)
    assert [report.new for report in sync(database)] == [1]


def test_a_name_that_the_reader_gave_outlives_the_feed(database: Database, feed: int) -> None:
    with database.write() as connection:
        store.change(connection, feed, title="My harbour", options={store.NAME: "My harbour"})
    sync(database)
    assert [view.title for view in sources.listing(database, NOW)] == ["My harbour"]


def test_another_target_is_asked_without_the_validators_of_the_old_one(
    database: Database, feed: int, server: LoopbackServer
) -> None:
    """IDN-13."""
    sync(database)
    server.routes["/moved"] = Route(FEED)
    with database.write() as connection:
        store.change(connection, feed, target=server.url("/moved"))
        store.resume(connection, feed, NOW)
    (report,) = sync(database)
    assert (report.error, report.new) == (None, 0)
    assert "if-none-match" not in server.requests("/moved")[0].headers
