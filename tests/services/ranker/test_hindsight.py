"""`triage evaluate history`: other orders on the reader's own days, foreseen from what was said before."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
import pytest
from world import NOW, TOPICS, add_source, new_item

from model.blend import Settings
from triage import config
from triage.core import feedback as said
from triage.core import hindsight as told
from triage.core.hindsight import Hindsight
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.ranker import hindsight
from triage.services.ranker.learn import Material
from triage.services.ranker.worker import Worker
from triage.services.reader import feedback, rules
from triage.store import items
from triage.store.engine import Database

DAYS = 6
A_DAY = 12
"""Items of each day, on four topics in turn."""


@pytest.fixture
def inner(paths: Paths, database: Database) -> Iterator[Worker]:
    """The worker's inside, in this process."""
    started = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())
    yield started
    started.close()


def lived(database: Database, wants: Callable[[int, str], bool], days: int = DAYS, marks: int = 8) -> None:
    """Some days: items come in, and the reader marks the first of them by topic, the oldest news first."""
    with database.write() as connection:
        source = add_source(connection)
    for day in range(days):
        morning = NOW + timedelta(days=day)
        new = [
            new_item(
                f"{day}/{n}",
                f"{topic} {day}/{n}",
                f"{TOPICS[topic]} A detail: {'abcdefghijkl'[n] * 5} {day}.",
                published_at=morning - timedelta(minutes=n),
                words=1400,
            )
            for n, topic in enumerate(list(TOPICS) * (A_DAY // 4))
        ]
        with database.write() as connection:
            ids = items.insert_new(connection, source, new, morning)
        for n in range(marks):
            at = morning + timedelta(hours=1, minutes=n)
            place = A_DAY - 1 - n
            verb = Verb.LIKE if wants(day, new[place].title.split()[0]) else Verb.DISLIKE
            feedback.mark(database, lambda at=at: at, ids[place], verb)  # type: ignore[misc]


def material(inner: Worker) -> Material:
    inner.answer({"op": "build", "now": (NOW + timedelta(days=DAYS)).isoformat(), "minutes": None})
    inner.finish()
    return inner._ranking.past(NOW + timedelta(days=DAYS))


def look(material: Material, minutes: float = 15.0, **models: Settings) -> Hindsight:
    return hindsight.compare(material, minutes, models or {"now": Settings()}, lambda *_: None)


def test_a_taste_that_can_be_learned_is_found_sooner_than_by_date(database: Database, inner: Worker) -> None:
    lived(database, lambda day, topic: topic == "bees")
    found = look(material(inner), before=Settings(words=0.25), now=Settings())
    assert [order.name for order in found.orders] == ["chronological", "rules", "before", "now"]
    plain, by_hand, _, now = found.orders
    assert (found.marks, found.days, found.liked) == (8 * DAYS, DAYS - 1, 2 * (DAYS - 1))
    assert now.found == found.liked > plain.found == by_hand.found == 0
    assert (now.share.value, plain.share.value) == (1.0, 0.0)
    assert now.average_precision.value > 0.9 > plain.average_precision.value
    assert plain.behind is not None
    assert (plain.behind.low, plain.behind.value, plain.behind.high) == (1.0, 1.0, 1.0)
    assert now.behind is None
    says = "the order of now puts 10 of 10 liked items into the first 15 min of their day, chronological 0"
    assert found.message == says


def test_a_taste_that_changes_by_chance_is_not_called_learned(database: Database, inner: Worker) -> None:
    coins = np.random.default_rng(3).random(1000) < 0.4
    turns = iter(coins.tolist())
    lived(database, lambda day, topic: next(turns))
    found = look(material(inner))
    plain, *_, now = found.orders
    assert plain.behind is not None
    assert plain.behind.low < plain.behind.value < plain.behind.high
    assert now.share.low <= now.share.value <= now.share.high


def test_nothing_that_was_said_later_changes_a_day(database: Database, inner: Worker) -> None:
    lived(database, lambda day, topic: topic == "bees")
    whole = material(inner)
    turned = {Verb.LIKE: Verb.DISLIKE, Verb.DISLIKE: Verb.LIKE}
    last = NOW + timedelta(days=DAYS - 1)
    events = [
        dataclasses.replace(event, verb=turned[event.verb]) if event.at > last else event
        for event in whole.events
    ]
    one, other = look(whole), look(dataclasses.replace(whole, events=events))
    assert one.orders[-1].share.value == 1.0
    assert other.orders[-1].share.value == pytest.approx((DAYS - 2) / (DAYS - 1), abs=0.1)


def test_rules_that_the_reader_wrote_count_from_the_day_they_were_written(
    database: Database, inner: Worker
) -> None:
    def wants(day: int, topic: str) -> bool:
        if day == 3 and not said.rules(feedback.events(database)):
            rules.add(database, lambda: NOW + timedelta(days=3, minutes=30), "always title:bees")
        return topic == "bees"

    lived(database, wants)
    by_hand = look(material(inner)).orders[1]
    assert (by_hand.name, by_hand.found) == ("rules", 2 * (DAYS - 3))


def test_too_little_to_compare_says_how_much_is_needed(database: Database, inner: Worker) -> None:
    assert look(material(inner)) == Hindsight(
        message="20 marks are needed to compare orders, and there are 0: 20 to go", marks=0
    )
    lived(database, lambda day, topic: topic == "bees", days=4)
    found = look(material(inner))
    assert (found.marks, found.orders) == (32, ())
    assert found.message == (
        "likes on 5 days are needed, after the first ten marks, and there are 3 such days"
    )


def test_the_worker_compares_the_version_before_with_the_one_of_now(
    database: Database, inner: Worker, paths: Paths
) -> None:
    lived(database, lambda day, topic: topic == "bees")
    answer = inner.answer({"op": "hindsight", "now": (NOW + timedelta(days=40)).isoformat(), "minutes": None})
    orders = answer["hindsight"]["orders"]
    assert [(order["name"], order["says"]) for order in orders] == [
        ("chronological", "chronological"),
        ("rules", "your rules and interests alone"),
        ("now", "the order of now"),
    ]
    assert orders[-1]["found"] == 10, "items from before the digest's window are there to choose from"


def test_the_reader_is_told_that_few_days_may_be_chance() -> None:
    even = told.Estimate(value=0.1, low=-0.2, high=0.4)
    order = told.Order(
        name="now", says="the order of now", found=7, share=even, precision=even, average_precision=even
    )
    plain = dataclasses.replace(order, name="chronological", says="chronological", found=6, behind=even)
    assert told.summary((plain, order), 10, 15.0) == (
        "the order of now puts 7 of 10 liked items into the first 15 min of their day, chronological 6; "
        "with so few days that may be chance"
    )
