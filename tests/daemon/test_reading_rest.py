"""The daemon goes on reading what came in a flood, but not while something else is due."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from world import NOW, stored_items

from triage.config import Config
from triage.daemon.app import Daemon
from triage.paths import Paths
from triage.services.ranker.worker_client import ModelWorker
from triage.store import items
from triage.store.engine import Database


class Reads(ModelWorker):
    """A worker that reads six items at a time, without an encoder."""

    def __init__(self, paths: Paths, database: Database) -> None:
        super().__init__(paths, demo=False)
        self._database = database
        self.portions = 0
        self.stop_after = -1
        self.daemon: Daemon | None = None

    def read_on(self, now: datetime) -> int:
        self.portions += 1
        with self._database.write() as connection:
            portion = items.leads(connection, "fake@1", items.best_leads(connection, "fake@1")[:6])
            items.mark_indexed(connection, {row.id: row.edition for row in portion}, "fake@1")
            if self.portions == self.stop_after and self.daemon is not None:
                self.daemon._stop.set()
            return items.count_leads(connection)


@pytest.fixture
def reads(database: Database, paths: Paths) -> Reads:
    ids = stored_items(database)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET next_due_at = '2026-03-03 00:00:00'")
        items.mark_indexed(connection, dict.fromkeys(ids, 0), items.lead_of("fake@1"))
        assert items.count_leads(connection) == len(ids)
    return Reads(paths, database)


def daemon(reads: Reads, paths: Paths, database: Database) -> Daemon:
    return Daemon(paths, Config(), lambda: NOW, database, reads)


async def test_it_reads_until_nothing_is_left(reads: Reads, paths: Paths, database: Database) -> None:
    await daemon(reads, paths, database)._read_on()
    assert reads.portions == 4
    with database.read() as connection:
        assert items.count_leads(connection) == 0
    await daemon(reads, paths, database)._read_on()
    assert reads.portions == 4, "nobody is asked when nothing is left"


async def test_a_source_that_is_due_comes_first(reads: Reads, paths: Paths, database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE source SET next_due_at = ?", ((NOW - timedelta(minutes=1)).replace(tzinfo=None),)
        )
    await daemon(reads, paths, database)._read_on()
    assert reads.portions == 1


async def test_it_ends_when_it_is_asked_to(reads: Reads, paths: Paths, database: Database) -> None:
    reads.daemon = daemon(reads, paths, database)
    reads.stop_after = 2
    await reads.daemon._read_on()
    assert reads.portions == 2
