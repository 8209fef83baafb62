"""What rules do to a digest, through the real worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import NOW, clock, stored_items

from triage.core.errors import UsageError
from triage.core.items import Digest
from triage.core.verbs import Verb
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, profile, reading, rules, searching
from triage.store import items
from triage.store.engine import Database


def titles(digest: Digest) -> list[str]:
    return [item.title.split()[0] for item in digest.items]


def test_never_keeps_out_of_the_digest_and_of_nothing_else(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database)
    before = worker.build(NOW)
    assert "bees" in titles(before)
    rules.add(database, clock, "never title:bees")
    digest, moved = worker.rerank(NOW)
    assert moved > 0
    assert "bees" not in titles(digest)
    assert (digest.ruled_out, digest.considered) == (6, before.considered)
    worker.flush(NOW)
    assert {item.id for item in reading.best(database, 100)} == set(ids)
    assert len(searching.find(database, lambda: NOW, "bees")) == 6
    explained = worker.explain(ids[0], NOW)
    assert (explained.reasons[0].kind, explained.reasons[0].contribution) == ("rule", 0.0)
    assert explained.reasons[0].name == 'never in a digest: title:"bees"'
    assert sum(r.contribution for r in explained.reasons) == pytest.approx(explained.score, abs=1e-5)

    feedback.undo(database, clock)
    assert worker.rerank(NOW)[0] == before


def test_always_comes_first_whatever_is_liked_and_beats_never(
    database: Database, worker: ModelWorker
) -> None:
    ids = stored_items(database)
    worker.build(NOW)
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    rules.add(database, clock, 'always title:chess and mentions:"of its own: ccccc"')
    rules.add(database, clock, "never title:chess")
    digest, _ = worker.rerank(NOW)
    assert titles(digest).count("chess") == 1
    assert digest.items[0].title == "chess number 2"
    assert [(r.kind, r.contribution) for r in digest.items[0].why[:2]] == [("rule", 0.0), ("rule", 0.0)]
    assert digest.items[0].why[0].name.startswith("always first: ")
    assert digest.items[0].why[1].name == 'overruled: never in a digest: title:"chess"'


def test_a_soft_rule_is_a_share_of_the_score_that_marks_revise(
    database: Database, worker: ModelWorker
) -> None:
    ids = stored_items(database)
    worker.build(NOW)
    before = worker.explain(ids[0], NOW).score
    rules.add(database, clock, "title:bees +2")
    said = worker.explain(ids[0], NOW)
    assert said.score == pytest.approx(before + 2, abs=1e-5)
    assert [(r.name, r.contribution) for r in said.reasons if r.kind == "rule"] == [
        ('you said +2: title:"bees"', 2.0)
    ]
    assert not [r for r in worker.explain(ids[1], NOW).reasons if r.kind == "rule"]  # it is about chess

    feedback.mark(database, clock, ids[0], Verb.DISLIKE)
    revised = worker.explain(ids[2], NOW)
    (share,) = [r for r in revised.reasons if r.kind == "rule"]
    assert share.name.startswith("you said +2, your marks say -0.")
    assert 1.5 < share.contribution < 2
    assert sum(r.contribution for r in revised.reasons) == pytest.approx(revised.score, abs=1e-5)


def test_an_alias_lets_an_interest_speak_for_the_other_name(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database)
    feedback.set_interest(database, clock, "oven", 1.0)
    worker.build(NOW)

    def spoken_for() -> set[str]:
        found = [worker.explain(item, NOW) for item in ids]
        return {e.item.title.split()[0] for e in found if any(r.kind == "interest" for r in e.reasons)}

    assert spoken_for() == {"bread"}
    rules.alias(database, clock, "oven", "tram line")
    assert spoken_for() == {"bread", "trams"}
    feedback.undo(database, clock)
    assert spoken_for() == {"bread"}


def test_an_age_is_measured_from_the_digest(database: Database) -> None:
    rules.add(database, clock, "older than 3d -1")
    (rule,) = profile.profile(feedback.events(database), (), NOW).rules
    (later,) = profile.profile(feedback.events(database), (), NOW + timedelta(days=1)).rules
    assert rule.name == later.name == "older than 3d"
    assert rule.condition.than == (NOW - timedelta(days=3)).timestamp()  # type: ignore[union-attr]
    assert later.condition.than == (NOW - timedelta(days=2)).timestamp()  # type: ignore[union-attr]


def test_an_item_has_the_tags_of_its_source_too(database: Database) -> None:
    ids = stored_items(database)
    with database.write() as connection:
        connection.exec_driver_sql("""UPDATE source SET tags = '["work"]'""")
        connection.exec_driver_sql(f"""UPDATE item SET tags = '["urgent"]' WHERE id = {ids[0]}""")
        row = items.by_ids(connection, ids[:1])[ids[0]]
    assert profile.document(row, "", NOW).tags == ("urgent", "work")


def test_a_list_of_rules_may_say_no_to_a_number(database: Database) -> None:
    rules.add(database, clock, "title:bees +1")
    for number in (0, 2, -1):
        with pytest.raises(UsageError, match=f"no rule {number}"):
            rules.remove(database, clock, number)


def test_a_rule_that_ends_is_gone_from_the_next_digest(database: Database, worker: ModelWorker) -> None:
    stored_items(database)
    rules.add(database, clock, "never title:bees for 1h")
    muted = worker.build(NOW)
    assert muted.ruled_out == 6
    after = worker.build(NOW + timedelta(hours=2))
    assert after.ruled_out == 0
    assert after.profile != muted.profile


def test_keep_leaves_out_nothing_and_does_not_lift_it(database: Database, worker: ModelWorker) -> None:
    stored_items(database)
    small = worker.build(NOW, minutes=8.0)
    assert titles(small).count("bread") < 6
    rules.add(database, clock, "keep title:bread")
    rules.add(database, clock, "never mentions:oven")
    feedback.set_interest(database, clock, "bishop sacrifice", 1.0)
    kept = worker.build(NOW, minutes=8.0)
    assert titles(kept).count("bread") == 6
    assert titles(kept)[0] == "chess"
    assert kept.items[-1].why[0].name == 'never left out: title:"bread"'
    assert kept.items[-1].why[1].name == 'overruled: never in a digest: mentions:"oven"'


def test_lane_puts_what_a_rule_meets_among_the_people(database: Database, worker: ModelWorker) -> None:
    stored_items(database)
    rules.add(database, clock, "lane people title:trams")
    digest = worker.build(NOW)
    assert {item.lane for item in digest.items if item.title.startswith("trams")} == {"people"}
    assert {item.lane for item in digest.items if not item.title.startswith("trams")} <= {
        "for-you",
        "exploring",
    }
    assert digest.items[0].why[0].name == 'in the lane of people: title:"trams"'
