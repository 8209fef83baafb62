from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import world
from encoder_in_process import install
from world import NOW, add_source, clock, new_item

from triage import config
from triage.core import feedback as log
from triage.core.errors import UsageError
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.ranker.indexing import index_items
from triage.services.ranker.stories import Grouping
from triage.services.ranker.vectors import Vectors
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, reading, rules, searching
from triage.store.engine import Database

FLOOD = (
    "Levee fails at Marlowe Bridge",
    "About 620 people left their homes when the levee at Marlowe Bridge failed on Tuesday. The river"
    " Tarn stood at 5.83 metres, and the hospital of Eastholm took in 41 patients.",
)
RETOLD = (FLOOD[0], f"(Wire) {FLOOD[1]} Read more on our page.")
BREAD = ("Slow bread", "Rye dough wants 48 hours, says baker Ilona Varga of Sandhaven in her book.")


def store(
    database: Database,
    *said: tuple[str, str],
    source: str = "a",
    at: datetime = NOW,
    personal: bool = False,
) -> list[int]:
    """Stores items of one source; returns their ids."""
    new = [
        new_item(
            f"{title}{at}{n}",
            title,
            text,
            url=f"https://{source}.example/{n}",
            personal=personal,
            published_at=at,
            content_hash=f"{source}{title}{n}",
            words=60,
        )
        for n, (title, text) in enumerate(said)
    ]
    with database.write() as connection:
        of = add_source(connection, f"https://{source}.example/", title=f"Source {source}")
        return world.store(connection, of, new, name=source, now=at)


@pytest.fixture
def grouping(database: Database, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grouping]:
    install(monkeypatch.setattr)
    vectors = Vectors(database, paths, config.Config(), lambda *_: None)
    yield Grouping(database, vectors)
    vectors.close()


def group(database: Database, grouping: Grouping, now: datetime = NOW) -> int:
    index_items(database, grouping.vectors, lambda *_: None)
    return grouping.group_new(now)


def told_with(database: Database, item: int) -> list[int]:
    return [copy.id for copy in reading.read(database, item).copies]


def test_items_that_come_later_join_the_story_and_each_is_grouped_once(
    database: Database, grouping: Grouping
) -> None:
    (first,) = store(database, FLOOD)
    assert group(database, grouping) == 1
    second, bread = store(database, RETOLD, BREAD, source="b")
    assert group(database, grouping) == 2
    assert told_with(database, first) == [second]
    assert told_with(database, bread) == []
    assert group(database, grouping) == 0


def test_a_new_process_knows_what_was_grouped_before(database: Database, grouping: Grouping) -> None:
    (first,) = store(database, FLOOD)
    group(database, grouping)
    (second,) = store(database, RETOLD, source="b")
    again = Grouping(database, grouping.vectors)
    assert group(database, again) == 1
    assert told_with(database, second) == [first]


def test_mail_from_a_person_is_never_folded(database: Database, grouping: Grouping) -> None:
    (first,) = store(database, FLOOD)
    (letter,) = store(database, FLOOD, source="b", personal=True)
    assert group(database, grouping) == 2
    assert told_with(database, first) == told_with(database, letter) == []


def test_a_list_folds_a_story_and_says_how_many_tell_it(database: Database, grouping: Grouping) -> None:
    (first,) = store(database, FLOOD)
    (second,) = store(database, RETOLD, source="b")
    (bread,) = store(database, BREAD, source="c")
    group(database, grouping)
    listed = {item.id: item.copies for item in reading.best(database, 10)}
    assert listed == {first: 1, bread: 0}
    found = {item.id: item.story for item in searching.find(database, lambda: NOW, "levee")}
    assert found == {first: None, second: first}
    assert [[item.id for item in told] for told in reading.stories(database, NOW)] == [[first, second]]


def test_a_mark_settles_the_other_copies_until_it_is_undone(database: Database, grouping: Grouping) -> None:
    """ML-08."""
    (first,) = store(database, FLOOD)
    (second,) = store(database, RETOLD, source="b")
    group(database, grouping)
    feedback.mark(database, clock, first, Verb.DISLIKE)
    states = {item.id: item.state for item in searching.find(database, lambda: NOW, "levee")}
    assert states == {first: "dislike", second: "settled"}
    feedback.undo(database, clock)
    assert {item.state for item in searching.find(database, lambda: NOW, "levee")} == {"new"}


def test_what_comes_days_after_the_mark_is_news_again(database: Database, grouping: Grouping) -> None:
    (first,) = store(database, FLOOD)
    (soon,) = store(database, RETOLD, source="b", at=NOW + timedelta(hours=5))
    (late,) = store(database, RETOLD, source="c", at=NOW + timedelta(days=2))
    group(database, grouping, NOW + timedelta(days=2))
    feedback.mark(database, clock, first, Verb.LIKE)
    states = {item.id: item.state for item in searching.find(database, lambda: NOW, "levee")}
    assert states == {first: "like", soon: "settled", late: "new"}


def test_a_split_is_an_event_that_undo_takes_back(database: Database, grouping: Grouping) -> None:
    (first,) = store(database, FLOOD)
    (second,) = store(database, RETOLD, source="b")
    (third,) = store(database, RETOLD, source="c")
    group(database, grouping)
    assert "told apart" in feedback.split(database, clock, second).message
    assert told_with(database, second) == []
    assert told_with(database, first) == [third]
    assert log.parted(feedback.events(database)) == {second}
    feedback.undo(database, clock)
    assert told_with(database, second) == [first, third]
    assert len(feedback.events(database)) == 2


def test_what_nobody_else_tells_cannot_be_split(database: Database) -> None:
    (bread,) = store(database, BREAD)
    for item in (bread, 999):
        with pytest.raises(UsageError):
            feedback.split(database, clock, item)


def test_a_digest_tells_a_story_once_and_not_again_tomorrow(database: Database, worker: ModelWorker) -> None:
    (first,) = store(database, FLOOD)
    (second,) = store(database, RETOLD, source="b")
    store(database, BREAD, source="c")
    digest = worker.build(NOW)
    (shown,) = (item for item in digest.items if item.id in (first, second))
    assert (shown.copies, digest.repeats) == (1, 1)
    feedback.mark(database, clock, shown.id, Verb.LIKE)
    tomorrow = worker.build(NOW + timedelta(hours=22))
    assert not {first, second} & {item.id for item in tomorrow.items}


def test_what_a_rule_keeps_stands_beside_others_of_its_story(database: Database, worker: ModelWorker) -> None:
    (first,) = store(database, FLOOD)
    (second,) = store(database, RETOLD, source="b")
    rules.add(database, clock, 'keep source:"Source b"')
    digest = worker.build(NOW)
    assert {first, second} <= {item.id for item in digest.items}
    assert digest.repeats == 0
