"""A flood through the real encoder: the reader has a digest at once, and the whole one a little later."""

from __future__ import annotations

from datetime import timedelta

import pytest
from waiting import wait_for
from world import NOW, stored_items

from triage.core.verbs import Verb
from triage.paths import Paths
from triage.reader_backend import ReaderBackend
from triage.runtime import Runtime
from triage.services.ranker import indexing
from triage.store.engine import Database


@pytest.mark.slow
def test_the_rest_is_read_while_the_reader_marks(database: Database, paths: Paths) -> None:
    paths.config_file.write_text("")
    stored_items(database, indexing.FLOOD + 60)
    with Runtime(paths, clock=lambda: NOW + timedelta(minutes=5)) as runtime:
        backend = ReaderBackend(runtime)
        first = backend.digest()
        assert "A first order" in first.warnings[0]
        backend.mark(first.items[0].id, Verb.LIKE)
        change = backend.learn()
        assert runtime.unread() > 0, "a mark waits for a portion, not for all"
        assert change.digest.warnings
        wait_for(lambda: backend.status() == "daemon: not running")
        assert runtime.unread() == 0
        page = runtime.first_page()
        assert page is not None
        assert page.warnings == ()
        assert next(item for item in page.items if item.id == first.items[0].id).state == "like"
        assert page.drawn == first.drawn
        backend.close()


@pytest.mark.slow
def test_leaving_does_not_wait_for_the_rest_and_the_next_start_goes_on(
    database: Database, paths: Paths
) -> None:
    paths.config_file.write_text("")
    stored_items(database, indexing.FLOOD + 60)
    for _ in range(2):
        runtime = Runtime(paths, clock=lambda: NOW)
        backend = ReaderBackend(runtime)
        backend.digest()
        before = runtime.unread()
        backend.close()
        with Runtime(paths) as again:
            assert 0 < again.unread() <= before
