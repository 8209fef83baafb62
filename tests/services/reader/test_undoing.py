"""The learning journal: what each event did, and any one of them taken back or brought back."""

from __future__ import annotations

import pytest
from world import NOW, Ticking, scores, stored_items

from triage.core import feedback as said
from triage.core.errors import UsageError
from triage.core.journal import Effect
from triage.core.verbs import Verb
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, journal
from triage.store import feedback as event_log
from triage.store.engine import Database


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


def test_undoing_any_step_gives_exactly_what_would_have_been_without_it(
    database: Database, worker: ModelWorker, clock: Ticking
) -> None:
    """Also after later steps, and in whatever order steps are taken back and brought back."""
    ids = stored_items(database)
    worker.build(NOW)
    feedback.mark(database, clock, ids[1], Verb.DISLIKE)
    without, _ = worker.rerank(NOW)
    worker.flush(NOW)
    expected = scores(database)

    like = feedback.mark(database, clock, ids[0], Verb.LIKE)
    worker.rerank(NOW)
    interest = feedback.set_interest(database, clock, "honey and hives", 2.0)
    ranked_with_all, _ = worker.rerank(NOW)
    worker.flush(NOW)
    with_all = scores(database)
    assert with_all != expected

    assert journal.undo(database, clock, like.event_id).message == "undone: liked: bees number 0"
    assert journal.undo(database, clock, interest.event_id).message.startswith("undone: an interest (+2)")
    restored, _ = worker.rerank(NOW)
    worker.flush(NOW)
    assert [i.id for i in restored.items] == [i.id for i in without.items]
    assert restored.profile == without.profile
    assert scores(database) == expected

    assert journal.redo(database, clock, like.event_id).message == "redone: liked: bees number 0"
    assert journal.toggle(database, clock, interest.event_id).message.startswith("redone: an interest")
    again, _ = worker.rerank(NOW)
    worker.flush(NOW)
    assert [i.id for i in again.items] == [i.id for i in ranked_with_all.items]
    assert scores(database) == with_all


def test_the_journal_says_what_each_event_did(
    database: Database, worker: ModelWorker, clock: Ticking
) -> None:
    ids = stored_items(database)
    feedback.mark(database, clock, ids[5], Verb.LIKE)  # nothing on the screen that it could move
    worker.build(clock())
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    first, moved = worker.rerank(clock())
    feedback.mark(database, clock, ids[1], Verb.DISLIKE)
    feedback.mark(database, clock, ids[2], Verb.LATER)
    digest, both = worker.rerank(clock())
    worker.rerank(clock())  # nothing new was said: nothing is put down to anybody
    feedback.undo(database, clock)
    newest, *older = journal.entries(database, clock())
    assert (newest.says, newest.undoes, newest.effect) == ("undone: kept for later: bees number 4", 4, None)
    together = Effect(both, len(digest.items), 2)
    assert [(e.id, e.undone_by, e.effect) for e in older] == [
        (4, 5, together),
        (3, None, together),
        (2, None, Effect(moved, len(first.items), 1)),
        (1, None, None),
    ]
    assert moved > 0
    assert [e.id for e in journal.entries(database, clock(), limit=2)] == [5, 4]
    assert [e.id for e in journal.entries(database, clock(), since=older[1].at)] == [5, 4, 3]


def test_what_is_undone_is_not_undone_again_and_the_error_names_the_way(
    database: Database, clock: Ticking
) -> None:
    ids = stored_items(database)
    like = feedback.mark(database, clock, ids[0], Verb.LIKE).event_id
    with pytest.raises(UsageError, match="event 1 was not undone") as unneeded:
        journal.redo(database, clock, like)
    assert unneeded.value.fix == "triage undo 1"
    undo = journal.undo(database, clock, like).event_id
    with pytest.raises(UsageError, match="event 1 is undone already, by event 2") as again:
        journal.undo(database, clock, like)
    assert again.value.fix == "triage redo 1"
    assert journal.undo(database, clock, undo).message == "redone: liked: bees number 0"
    with pytest.raises(UsageError, match="event 2 is itself undone already"):
        journal.undo(database, clock, undo)
    assert said.labels(feedback.events(database)) == {ids[0]: 1.0}
    for number in (0, -1, 99, 2**70):
        with pytest.raises(UsageError, match=f"there is no event {number}"):
            journal.undo(database, clock, number)


def test_a_step_of_several_events_comes_and_goes_as_a_whole(database: Database, clock: Ticking) -> None:
    ids, at = stored_items(database), clock()
    with database.write() as connection:
        for item_id in ids[:3]:
            event_log.append(connection, verb=Verb.KNOWN, at=at, item_id=item_id, phrase="a.bib")
    assert journal.undo(database, clock, 2).message == "undone: 3 documents of a.bib liked"
    assert said.labels(feedback.events(database)) == {}
    assert journal.redo(database, clock, 1).message == "redone: 3 documents of a.bib liked"
    assert len(said.labels(feedback.events(database))) == 3
