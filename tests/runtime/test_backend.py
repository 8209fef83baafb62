"""What the terminal interface gets from the real services."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route
from waiting import wait_for
from world import NOW, stored_items

from triage.core import feedback as said
from triage.core.errors import TriageError
from triage.core.feedback import Said
from triage.core.muting import condition
from triage.core.rules import Rule
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.reader_backend import ReaderBackend
from triage.runtime import Runtime
from triage.services.reader import feedback
from triage.store.engine import Database
from triage.tui.backend import Backend


@pytest.fixture
def runtime(database: Database, paths: Paths) -> Iterator[Runtime]:
    stored_items(database)
    with Runtime(paths, clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def backend(runtime: Runtime) -> Backend:
    return ReaderBackend(runtime)


def test_a_morning(backend: Backend) -> None:
    assert backend.first_page() is None
    digest = backend.digest()
    assert backend.first_page() == digest
    first = digest.items[0]
    assert backend.read(first.id).text.startswith("Beekeepers")

    recorded = backend.mark(first.id, Verb.LIKE)
    assert recorded.message == f"liked: {first.title}"
    assert recorded.states == {first.id: "like"}
    change = backend.learn()
    assert change.moved > 0
    assert next(i for i in change.digest.items if i.id == first.id).state == "like"
    explained = backend.explain(first.id)
    assert sum(r.contribution for r in explained.reasons) == pytest.approx(explained.score, abs=1e-5)
    marks = backend.read(first.id).item.highlights
    assert all(backend.read(first.id).text[h.start : h.end] == h.text for h in marks)

    assert backend.undo().states == {first.id: "new"}
    assert backend.learn().digest == digest
    with pytest.raises(TriageError, match="nothing to undo"):
        backend.undo()
    assert backend.status() == "daemon: not running"
    assert {item.title.split()[0] for item in backend.search("bishop")} == {"chess"}


def test_an_item_outside_the_digest_is_explained_when_it_is_opened(backend: Backend) -> None:
    digest = backend.digest()
    backend.mark(digest.items[0].id, Verb.LIKE)
    backend.learn()
    shown = {item.id for item in digest.items}
    other = next(item for item in backend.search("chess") if item.id not in shown)
    assert backend.read(other.id).item.why


def test_undo_and_redo_go_through_everything_that_was_said(backend: Backend, runtime: Runtime) -> None:
    digest = backend.digest()
    first, second, *_ = digest.items
    both = {first.id: "dislike", second.id: "dislike"}
    assert backend.mark_all([first.id, second.id], Verb.DISLIKE).states == both
    disliked = backend.learn().digest
    backend.set_interest("tides", 1.0)
    backend.add_rule(Rule(condition("source", first.source), "never", timedelta(days=7)))
    muted = backend.learn().digest
    assert backend.said() == Said({"tides": 1.0}, {f'source:"{first.source}"': "never"})
    assert first.id not in {item.id for item in muted.items}

    assert backend.undo().message.startswith("undone: a rule: never source:")
    assert backend.undo().states == {}
    assert backend.learn().digest == disliked
    undone = backend.undo()
    assert undone.states == dict.fromkeys(both, "new"), "what was marked at once is taken back at once"
    assert backend.learn().digest == digest
    with pytest.raises(TriageError, match="nothing to undo"):
        backend.undo()
    redone = backend.redo()
    assert redone.message == "redone: disliked: 2 items"
    assert redone.states == both
    assert backend.learn().digest == disliked
    assert backend.redo().message == "redone: an interest (+1): tides"
    backend.mark(second.id, Verb.SAVE)
    with pytest.raises(TriageError, match="nothing to redo"):
        backend.redo()


def test_words_to_mute_that_nothing_has_are_said_to_meet_nothing(backend: Backend) -> None:
    backend.digest()
    for words, meets in (("bishop", True), ("BISH*", True), ("zeppelin", False), ('bishop "zeppelin', False)):
        said = backend.add_rule(Rule(condition("mentions", words), "never", timedelta(days=7))).message
        assert ("meets nothing yet" not in said) == meets, said


def test_a_mute_ends_by_itself(backend: Backend, runtime: Runtime) -> None:
    digest = backend.digest()
    backend.add_rule(Rule(condition("source", digest.items[0].source), "never", timedelta(days=7)))
    change = backend.learn()
    assert digest.items[0].source not in {item.source for item in change.digest.items}
    log = feedback.events(runtime.database)
    assert log[-1].until == runtime.clock() + timedelta(days=7)
    assert said.rules(log, NOW + timedelta(days=6)) == {f'source:"{digest.items[0].source}"': "never"}
    assert said.rules(log, NOW + timedelta(days=7)) == {}


def test_why_leads_to_the_marks_behind_it_and_one_of_them_is_taken_back(backend: Backend) -> None:
    first, second, *_ = backend.digest().items
    backend.mark(first.id, Verb.LIKE)
    backend.mark(second.id, Verb.DISLIKE)
    assert {share.item for share in backend.mark_shares(first.id)} == {first.id, second.id}
    assert backend.unmark(first.id).message == f"undone: liked: {first.title}"
    assert {share.item for share in backend.mark_shares(first.id)} == {second.id}
    with pytest.raises(TriageError, match="is not marked"):
        backend.unmark(first.id)


def test_what_another_process_stores_is_noticed(backend: Backend, database: Database) -> None:
    assert not backend.changed()
    assert not backend.changed()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET title = 'renamed'")
    assert backend.changed()
    assert not backend.changed()


def test_a_mark_stands_when_nothing_can_be_learned_and_the_next_start_learns(
    runtime: Runtime, backend: Backend, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-01."""
    item = backend.digest().items[0].id
    runtime.worker.close()
    with monkeypatch.context() as broken:
        broken.setattr("triage.services.ranker.worker_client.ModelWorker.COMMAND", ("/bin/false",))
        backend.mark(item, Verb.LIKE)
        with pytest.raises(TriageError, match="what you marked is stored"):
            backend.learn()
    with Runtime(paths, clock=lambda: NOW) as again:
        late = ReaderBackend(again)
        assert {i.id: i.state for i in late.digest().items}[item] == "like", "shown before it is learned from"
        wait_for(lambda: (page := again.first_page()) is not None and page.labels > 0)
        page = again.first_page()
        assert page is not None
        assert {i.id: i.state for i in page.items}[item] == "like"


def test_leaving_does_not_wait_for_a_page(
    runtime: Runtime, database: Database, server: LoopbackServer
) -> None:
    server.routes["/slow"] = Route(delay=3.0)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET target = ? || id, allow_local = 1", (server.url("/"),))
        connection.exec_driver_sql("UPDATE item SET url = ?", (server.url("/slow"),))
    backend = ReaderBackend(runtime)
    failed: list[str] = []

    def fetch() -> None:
        try:
            backend.fetch_text(1)
        except TriageError as error:
            failed.append(str(error))

    thread = threading.Thread(target=fetch)
    thread.start()
    while not server.log:
        time.sleep(0.01)
    backend.close()
    thread.join(2.0)
    assert failed == ["the full text was not waited for"]


def test_the_pages_of_the_demo_are_not_fetched(database: Database, paths: Paths) -> None:
    stored_items(database)
    with Runtime(paths, clock=lambda: NOW, demo=True) as runtime:
        with pytest.raises(TriageError, match="as invented as its items"):
            ReaderBackend(runtime).fetch_text(1)
        assert runtime.fetch_texts(lambda what, done, total: None) == 0


def test_interests_are_edited_in_the_home_that_is_open(
    backend: Backend, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "another home"))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "true")
    assert backend.edit_interests() == "Nothing was changed"
    monkeypatch.setenv("EDITOR", "sed -i 1itides")
    assert backend.edit_interests() == "1 change made; u takes back all of it"
    assert backend.said().interests == {"tides": 1.0}
    monkeypatch.setenv("EDITOR", "false")
    with pytest.raises(TriageError, match="not taken over"):
        backend.edit_interests()
    assert backend.undo().message == "undone: an interest (+1): tides"
    assert not (tmp_path / "another home").exists()
