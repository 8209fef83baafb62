"""The guided start on the real services."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route
from world import NOW, stored_items

from triage.core.errors import TriageError
from triage.core.starting import Progress, Step
from triage.core.verbs import Verb
from triage.guided_start import GuidedStart
from triage.paths import Paths
from triage.runtime import Runtime
from triage.services.fetching import sources
from triage.services.reader import feedback, starting
from triage.store.engine import Database


@pytest.fixture
def runtime(database: Database, paths: Paths) -> Iterator[Runtime]:
    with Runtime(paths, clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def guide(runtime: Runtime) -> GuidedStart:
    return runtime.guided_start()


def test_a_reader_is_asked_about_what_teaches_and_sees_what_it_did(
    guide: GuidedStart, database: Database, runtime: Runtime
) -> None:
    stored_items(database)
    guide.say_interests(["honey"])
    question = guide.question([])
    topics = []
    passed: list[int] = []
    for _ in range(4):
        assert question.item is not None
        topic = question.item.title.split()[0]
        topics.append(topic)
        verb = Verb.LIKE if topic == "trams" else Verb.DISLIKE
        question = guide.answer(question.item.id, verb, passed)
    assert len(set(topics)) >= 3  # never the same thing again and again
    assert question.number == 5
    assert "trams" in [item.title.split()[0] for item in question.top[:2]]
    assert question.moved > 0

    assert question.item is not None
    last = feedback.events(database)[-1].item_id
    assert last is not None
    again = guide.undo(last, passed)
    assert again.number == 4
    assert feedback.interests(database) == {"honey": 1.0}


def test_what_was_disliked_outside_of_the_digest_is_not_brought_into_it(
    guide: GuidedStart, database: Database, runtime: Runtime
) -> None:
    stored_items(database, 48)
    shown = {item.id for item in runtime.worker.build(NOW).items}
    question = guide.question([])
    passed: list[int] = []
    while question.item is not None and question.item.id in shown:
        passed.append(question.item.id)
        question = guide.question(passed)
    assert question.item is not None
    disliked = question.item.id
    for _ in range(2):
        guide.answer(disliked, Verb.DISLIKE, passed)
        digest = runtime.first_page()
        assert digest is not None
        assert disliked not in {item.id for item in digest.items}


def test_what_was_passed_or_handed_in_is_not_asked_about_and_the_questions_end(
    guide: GuidedStart, database: Database, tmp_path: Path
) -> None:
    items = stored_items(database, 6)
    liked = tmp_path / "liked.txt"
    liked.write_text("Trams at night\nBees in March\n")
    guide.add(guide.look_at(str(liked)))
    passed: list[int] = []
    while (question := guide.question(passed)).item is not None:
        assert question.item.id not in passed
        assert {item.id for item in question.top} == set(items)
        passed.append(question.item.id)
    assert sorted(passed) == sorted(items)


def test_interests_are_what_was_said_last(guide: GuidedStart, database: Database) -> None:
    feedback.set_interest(database, lambda: NOW, "celebrities", -1.0)
    guide.say_interests(["tides", "bread"])
    assert guide.say_interests(["bread", "chess", "chess"]).interests == ("bread", "chess")
    assert feedback.interests(database) == {"celebrities": -1.0, "bread": 1.0, "chess": 1.0}


def test_taking_a_pack_twice_adds_its_sources_once(guide: GuidedStart, database: Database) -> None:
    assert guide.take(["python", "linux"]) == "6 sources added"  # one of them is in both
    assert guide.take(["python"]) == "0 sources added"
    view = sources.listing(database, NOW)[0]
    assert view.tags


def test_the_first_round_says_what_failed_and_goes_on(
    guide: GuidedStart, database: Database, server: LoopbackServer
) -> None:
    item = "<item><title>Spring tide</title></item>"
    body = f'<rss version="2.0"><channel><title>Tides</title>{item}</channel></rss>'
    server.routes["/tides"] = Route(body.encode(), headers={"Content-Type": "application/rss+xml"})
    for path in ("/tides", "/gone"):
        sources.add(database, lambda: NOW, server.url(path), allow_local=True)
    said: list[Progress] = []
    fetched = guide.fetch(said.append)
    assert (fetched.asked, fetched.failed, fetched.new, fetched.items) == (2, 1, 1, 1)
    assert "Tides: 1 item" in [progress.line for progress in said]
    assert any("failed" in progress.line for progress in said)


def test_leaving_does_not_wait_for_a_source_that_hangs(
    guide: GuidedStart, database: Database, server: LoopbackServer
) -> None:
    server.routes["/slow"] = Route(b"", delay=5)
    sources.add(database, lambda: NOW, server.url("/slow"), allow_local=True)
    threading.Timer(0.3, guide.close).start()
    with pytest.raises(TriageError, match="not waited for"):
        guide.fetch(lambda _: None)


def test_where_a_reader_stands_survives_the_process(guide: GuidedStart, runtime: Runtime) -> None:
    assert guide.stand().step is Step.INTERESTS
    assert not starting.is_under_way(runtime.paths.start)
    assert guide.go_past(Step.INTERESTS).step is Step.PACKS
    assert starting.is_under_way(runtime.paths.start)
    assert runtime.guided_start().stand().step is Step.PACKS
    assert guide.go_back(Step.INTERESTS).step is Step.INTERESTS
    runtime.paths.start.write_text("[not what was written")
    assert guide.stand().step is Step.INTERESTS
    guide.go_past(Step.DONE)
    assert not starting.is_under_way(runtime.paths.start)
