"""What is asked every round takes no longer when more is stored: no large table is read from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import encoder_in_process
import pytest
from sqlalchemy import Connection, Engine, event
from world import NOW, stored_items

from triage.paths import Paths
from triage.services.fetching import ingest
from triage.store.engine import Database

LARGE = {"item", "item_text", "item_terms", "item_story", "identity", "passage", "vector", "score"}
"""Tables with a row or more for each item that was ever stored."""


@contextmanager
def reading_whole() -> Iterator[list[str]]:
    """Statements of the block, whoever makes them, that read a large table without an index that leads."""
    found: list[str] = []

    def explain(connection: Connection, _: object, statement: str, parameters: object, *__: object) -> None:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            return
        values = parameters[0] if isinstance(parameters, list) else parameters
        driver = connection.connection.driver_connection
        assert driver is not None
        steps = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        if any(step.startswith("SCAN") and step.split()[1] in LARGE for step in steps):
            found.append(f"{statement}: {steps}")

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def test_a_round_reads_no_table_of_items_whole(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker_in_process import WorkerInProcess

    encoder_in_process.install(monkeypatch.setattr)
    stored_items(database, 30)
    worker = WorkerInProcess(paths)
    digest = worker.build(NOW)
    worker.close()
    with reading_whole() as found:
        assert not ingest.anything_new(database, digest, NOW)
        ingest.unread(database)
        ingest.until_next(database, lambda: NOW, timedelta(hours=1))
        worker.build(NOW + timedelta(hours=1))
        worker.rerank(NOW + timedelta(hours=1))
        worker.read_on(NOW + timedelta(hours=1))
    worker.close()
    assert found == []
