"""What the insight page finds in a real database, and what the worker says was learned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import NOW, clock, stored_items

from triage.core.verbs import Verb
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, insight
from triage.store import openings, scores
from triage.store.engine import Database

LATER = NOW + timedelta(hours=1)


def test_marks_openings_and_draws_are_found_again(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database, 80)
    feedback.set_interest(database, clock, "honey hives", 1.0)
    digest = worker.build(NOW, minutes=20.0)
    drawn = next(item for item in digest.items if item.lane == "exploring")
    first = digest.items[0]
    worker.flush(NOW)
    with database.read() as connection:
        foreseen = [scores.score(connection, item.id) for item in (first, drawn)]
    feedback.mark(database, clock, first.id, Verb.LIKE)
    feedback.mark(database, clock, drawn.id, Verb.DISLIKE)
    with database.write() as connection:
        openings.add(connection, ids[0], clock(), 90.0)
        openings.add(connection, ids[0], LATER + timedelta(days=400), 90.0)  # by a clock that was wrong
    assert insight.look(database, LATER).exploration.shown == 0, "nobody has looked at it"
    with database.write() as connection:
        scores.set_seen(connection, digest.built_at, clock())
    found = insight.look(database, LATER)
    assert found.calibration.marks == 2
    expected = sum(each.probability for each in foreseen if each is not None)
    assert sum(b.expected * b.marks for b in found.calibration.bins) == pytest.approx(expected)
    (spent,) = found.time
    assert (spent.read, spent.opened) == (1.5, 1)
    assert abs(spent.planned - digest.minutes) < 0.1
    assert (found.exploration.shown, found.exploration.kept, found.exploration.disliked) == (1, 0, 1)
    assert (found.exploration.chosen, found.exploration.chosen_kept) == (len(digest.items) - 1, 1)
    assert found.topics.by == "interest"
    assert [topic.name for topic in found.topics.topics] == ["honey hives"]
    assert found.topics.shown == (len(digest.items),)


def test_a_look_at_an_empty_database_is_empty(database: Database) -> None:
    found = insight.look(database, LATER)
    assert (found.calibration.marks, found.time, found.topics.topics) == (0, (), ())


def test_what_was_said_this_week_moves_what_is_like_it_and_nothing_is_written(
    database: Database, worker: ModelWorker
) -> None:
    ids = stored_items(database, 40)
    feedback.mark(database, lambda: NOW - timedelta(days=9), ids[0], Verb.LIKE)
    worker.build(NOW)
    for item in ids[1:4:2]:  # both on chess
        feedback.mark(database, clock, item, Verb.LOVE)
    before, _ = worker.rerank(NOW)
    worker.flush(NOW)
    database.change_counter()
    counter = database.change_counter()
    learned = worker.learned(NOW, NOW - timedelta(days=7))
    assert learned.said == 2
    up = {(shift.kind, shift.name) for shift in learned.shifts if shift.change > 0}
    assert ("word", "chess") in up
    assert not {("item", "chess number 2"), ("item", "chess number 6")} & up, "that these moved is no news"
    assert worker.learned(NOW, NOW + timedelta(days=1)).shifts == ()
    assert database.change_counter() == counter
    assert worker.rerank(NOW) == (before, 0)
