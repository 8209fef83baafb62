"""What chance puts into a digest, through the real worker; and what an event says was on the screen."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from world import NOW, clock, stored_items

from triage.core.items import Digest
from triage.core.verbs import Verb
from triage.services.digest import digest_file
from triage.services.ranker import ranking
from triage.services.ranker.vectors import WORDS_ONLY
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, profile, rules
from triage.store import scores
from triage.store.engine import Database

KIND = scores.kind(ranking.RANKER, WORDS_ONLY)


def explored(digest: Digest) -> list[int]:
    return [item.id for item in digest.items if item.lane == "exploring"]


def columns(database: Database, item_id: int) -> tuple[float | None, str | None, dict[str, Any]]:
    """Standing, model and the rest of the newest event about an item."""
    with database.read() as connection:
        statement = "SELECT standing, model, shown FROM event WHERE item_id = ? ORDER BY id DESC LIMIT 1"
        row = connection.exec_driver_sql(statement, (item_id,)).one()
        return (row[0], row[1], json.loads(row[2]))


def test_one_item_in_ten_is_explored_and_marks_do_not_change_which(
    database: Database, worker: ModelWorker
) -> None:
    ids = stored_items(database, 80)
    digest = worker.build(NOW, minutes=20.0)
    drawn = explored(digest)
    assert len(drawn) == len(digest.items) // 10 == 1
    assert [each.id for each in digest.drawn] == drawn
    feedback.mark(database, clock, next(i for i in ids if i not in drawn), Verb.LIKE)
    feedback.mark(database, clock, drawn[0], Verb.DISLIKE)
    changed, moved = worker.rerank(NOW)
    assert moved > 0
    assert explored(changed) == drawn
    assert changed.drawn == digest.drawn
    feedback.undo(database, clock)
    feedback.undo(database, clock)
    assert worker.rerank(NOW)[0] == digest


def test_a_rule_against_it_takes_it_out_and_undo_brings_it_back(
    database: Database, worker: ModelWorker
) -> None:
    stored_items(database, 80)
    digest = worker.build(NOW, minutes=20.0)
    (item,) = [item for item in digest.items if item.lane == "exploring"]
    rules.add(database, clock, f'never title:"{item.title}"')
    assert explored(worker.rerank(NOW)[0]) == []
    feedback.undo(database, clock)
    assert worker.rerank(NOW)[0] == digest


def test_subjects_that_are_worth_the_same_take_turns(database: Database, worker: ModelWorker) -> None:
    subjects = {"bread": "sourdough flour oven crust", "trains": "locomotive signal viaduct gauge"}

    def said(n: int) -> tuple[str, str]:
        name = "bread" if n < 30 else "trains"
        return f"{name} {chr(97 + n // 26)}{chr(97 + n % 26)}", f"All of it is {subjects[name]}, says {n:b}."

    stored_items(database, 40, said)
    shown = [item for item in worker.build(NOW, minutes=20.0).items if item.lane == "for-you"]
    trains = sum(item.title.startswith("trains") for item in shown)
    assert trains >= len(shown) // 4  # none without it: the others came first


@pytest.mark.slow
def test_other_days_explore_other_items(database: Database, worker: ModelWorker) -> None:
    stored_items(database, 80)
    days = [explored(worker.build(NOW + timedelta(hours=n), minutes=20.0))[0] for n in range(6)]
    assert len(set(days)) > 2


@pytest.mark.slow
def test_the_mark_of_an_explored_item_says_how_likely_it_was(database: Database, worker: ModelWorker) -> None:
    stored_items(database, 80)
    digest = worker.build(NOW, minutes=20.0)
    (drawn,) = digest.drawn
    feedback.mark(database, clock, drawn.id, Verb.LIKE)
    _, _, shown = columns(database, drawn.id)
    assert (shown["propensity"], shown["lane"]) == (drawn.propensity, "exploring")
    assert worker.rerank(NOW)[0].labels == 1


# ---------------------------------------------------------------- what calibration learns from


def test_a_mark_carries_how_high_its_item_stood(database: Database, worker: ModelWorker) -> None:
    stored_items(database)
    digest = worker.build(NOW)
    item = digest.items[2]
    feedback.mark(database, clock, item.id, Verb.LIKE)
    standing, model, shown = columns(database, item.id)
    assert (standing, model) == (digest.standings[2], KIND)
    assert (shown["rank"], shown["score"]) == (3, item.score)
    (label,) = profile.profile(feedback.events(database), [item.id], NOW, KIND).labels
    assert (label.value, label.at, label.standing) == (1.0, clock().timestamp(), standing)


def test_an_item_of_a_list_carries_its_stored_standing(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database, 60)
    digest = worker.build(NOW, minutes=5.0)
    worker.flush(NOW)
    other = next(i for i in ids if i not in {item.id for item in digest.items})
    feedback.mark(database, clock, other, Verb.DISLIKE)
    with database.read() as connection:
        listed = scores.score(connection, other)
    assert listed is not None
    assert columns(database, other)[:2] == (listed.standing, KIND)


def test_an_unranked_item_and_another_kind_of_ranker_carry_none(database: Database) -> None:
    first, second, *_ = stored_items(database)
    feedback.mark(database, clock, first, Verb.LIKE)
    assert columns(database, first) == (None, None, {})
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO event (at, stamp, verb, item_id, standing, model, shown) "
            "VALUES ('2026-03-02 07:00:00', '2026-03-02 07:00:00', 'like', ?, 1.5, 'other words', '{}')",
            (second,),
        )
    labels = profile.profile(feedback.events(database), [first, second], NOW, KIND).labels
    assert [label.standing for label in labels] == [None, None]
    labels = profile.profile(feedback.events(database), [first, second], NOW, "other words").labels
    assert [label.standing for label in labels] == [None, 1.5]


def test_a_changed_mind_is_judged_by_where_the_item_first_stood_and_undo_restores_it(
    database: Database, worker: ModelWorker
) -> None:
    stored_items(database)
    digest = worker.build(NOW)
    item, stood = digest.items[0], digest.standings[0]

    def label() -> tuple[float, float | None]:
        (found,) = profile.profile(feedback.events(database), [item.id], NOW, KIND).labels
        return found.value, found.standing

    feedback.mark(database, clock, item.id, Verb.LIKE)
    worker.rerank(NOW)
    said = label()
    feedback.mark(database, clock, item.id, Verb.DISLIKE)
    learned = columns(database, item.id)[0]
    assert learned != pytest.approx(stood)
    assert label() == (0.0, stood)
    feedback.undo(database, clock)
    assert label() == said == (1.0, stood)


def test_the_file_of_the_digest_says_what_was_drawn(database: Database, worker: ModelWorker) -> None:
    stored_items(database, 80)
    digest = worker.build(NOW, minutes=20.0)
    on_disk = digest_file.read(worker._paths.digest)
    assert on_disk == digest
    assert on_disk.drawn
