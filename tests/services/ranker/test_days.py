"""A digest is for a day: what stays in it, what comes again tomorrow, and what an absence changes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from world import NOW, clock, stored_items

from triage import config
from triage.core.items import Digest
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.ranker.worker import Worker
from triage.services.reader import feedback, reading, rules
from triage.store import openings
from triage.store.engine import Database

DAY = timedelta(days=1)


class InProcess:
    """A model worker without a process of its own: several tests in the time that one takes to start."""

    def __init__(self, paths: Paths) -> None:
        settings = config.load(paths.config_file)
        self._worker = Worker(paths, settings, demo=False, replies=io.BytesIO())

    def build(self, days: float = 0.0, minutes: float = 6.0) -> Digest:
        return self._ask("build", days, minutes=minutes)

    def rerank(self, days: float = 0.0) -> Digest:
        return self._ask("rerank", days)

    def why(self, item: int) -> str:
        asked = {"op": "explain", "item": item, "now": NOW.isoformat()}
        return str(self._worker.answer(asked)["explained"]["calibration"])

    def _ask(self, op: str, days: float, **more: object) -> Digest:
        now = NOW + days * DAY
        return Digest.from_json(self._worker.answer({"op": op, "now": now.isoformat(), **more})["digest"])

    def finish(self) -> None:
        self._worker.finish()

    def close(self) -> None:
        self._worker.close()


@pytest.fixture
def model(paths: Paths, database: Database) -> Iterator[InProcess]:
    stored_items(database, 40)
    started = InProcess(paths)
    yield started
    started.close()


def ids(digest: Digest) -> set[int]:
    return {item.id for item in digest.items}


def look(paths: Paths, digest: Digest, days: float = 0.0) -> None:
    digest_file.looked(paths.seen, digest, NOW + days * DAY)


def opened(database: Database, item: int, seconds: float | None, days: float = 0.0) -> None:
    with database.write() as connection:
        openings.add(connection, item, NOW + days * DAY, seconds)


def test_what_is_marked_stays_for_the_day_and_is_done_with_tomorrow(
    model: InProcess, database: Database
) -> None:
    digest = model.build()
    item = digest.items[0].id
    feedback.mark(database, clock, item, Verb.DISLIKE)
    again = model.build(0.4)
    assert item in ids(again)
    assert again.minutes <= again.budget_minutes + 0.01
    assert item not in ids(model.build(1))


def test_a_later_build_of_the_day_exchanges_nothing_without_reason(model: InProcess) -> None:
    first = model.build()
    later = model.build(0.3)
    assert ids(later) - {drawn.id for drawn in later.drawn} <= ids(first)
    assert len(ids(first) & ids(later)) >= len(ids(first)) - 2


def test_what_was_seen_and_left_alone_gives_way_and_what_was_not_seen_comes_again(
    model: InProcess, paths: Paths
) -> None:
    first = model.build()
    unseen = model.build(1)
    assert len(ids(first) & ids(unseen)) >= len(ids(first)) - 2
    look(paths, unseen, 1)
    third = model.build(2)
    assert len(ids(third) & ids(unseen)) <= 2
    passed = next(iter(ids(unseen) - ids(third)))
    assert "it was passed over on 1 day (half each time)" in model.why(passed)


def test_what_was_read_is_done_with_tomorrow_and_a_glance_is_no_reading(
    model: InProcess, database: Database
) -> None:
    first, second = [item.id for item in model.build().items[:2]]
    opened(database, first, 60.0)
    opened(database, second, 1.0)
    assert {first, second} <= ids(model.rerank())
    tomorrow = ids(model.build(1, minutes=120.0))  # there is room for all
    assert first not in tomorrow
    assert second in tomorrow


def test_what_was_read_or_marked_and_then_muted_comes_back_with_the_undo_of_the_mute(
    model: InProcess, database: Database
) -> None:
    read, disliked, *_ = [item.id for item in model.build().items[::-1]]
    reading.opened(database, clock, read, 300.0)
    feedback.mark(database, clock, disliked, Verb.DISLIKE)
    before = model.rerank()
    assert {read, disliked} <= ids(before)
    for item in before.items:
        rules.add(database, clock, f'never source:"{item.source}"')
        if not ids(muted := model.rerank()) & {read, disliked}:
            break
    assert not ids(muted) & {read, disliked}
    for _ in feedback.events(database)[1:]:
        feedback.undo(database, clock)
    assert model.rerank() == before


@pytest.mark.parametrize("said", [(Verb.LATER,), (Verb.LIKE, Verb.LATER), (Verb.DISLIKE, Verb.LATER)])
def test_what_was_kept_for_later_comes_again_although_it_was_read_or_judged(
    model: InProcess, database: Database, said: tuple[Verb, ...]
) -> None:
    item = model.build().items[-1].id
    opened(database, item, 60.0)
    for verb in said:
        feedback.mark(database, clock, item, verb)
    found = model.build(9)
    (kept,) = (each for each in found.items if each.id == item)
    assert kept.lane == "people"


@pytest.mark.parametrize(("away", "since"), [(1, False), (4, True)])
def test_after_an_absence_one_digest_of_the_same_minutes_says_since_when(
    model: InProcess, paths: Paths, away: int, since: bool
) -> None:
    look(paths, model.build())
    for day in range(1, away):
        model.build(day)
    back = model.build(away)
    assert back.since == (NOW if since else None)
    assert back.minutes <= back.budget_minutes


def test_the_readers_own_pace_changes_the_minutes_everywhere(model: InProcess, database: Database) -> None:
    before = model.build()
    assert (before.words_per_minute, before.paced_by) == (230.0, 0)
    for item in list(ids(before)) * 3:
        opened(database, item, 60 * 200 / 400)
    after = model.build(1)
    assert after.paced_by == 3 * len(before.items)
    assert 300 < after.words_per_minute < 400
    assert after.items[0].minutes < before.items[0].minutes
    assert reading.best(database, 1)[0].minutes == after.items[0].minutes


def test_a_list_values_items_as_the_digest_does(model: InProcess, database: Database) -> None:
    model.build()
    digest = model.build(1)
    model.finish()
    listed = {item.id: (item.value, item.minutes) for item in reading.best(database, 100)}
    assert {item.id: (item.value, item.minutes) for item in digest.items} == {
        item: listed[item] for item in ids(digest)
    }


def test_what_may_have_been_missed_is_counted_from_enough_marks_on(
    model: InProcess, database: Database
) -> None:
    stored = sorted(ids(model.build(minutes=60)))
    assert model.build().missed is None
    for n, item in enumerate(stored[:20]):
        feedback.mark(database, clock, item, Verb.LIKE if n % 2 else Verb.DISLIKE)
    digest = model.rerank()
    assert digest.missed is not None
    assert 0 <= digest.missed <= digest.considered - len(digest.items)


def test_a_look_that_cannot_be_read_is_none(paths: Paths) -> None:
    assert digest_file.last_look(paths.seen) is None
    for torn in ("", "2026-03-02T07:00:00+00:00", "x y", "2026-03-02 2026-03-02", "é"):
        paths.seen.write_text(torn, encoding="utf-8")
        assert digest_file.last_look(paths.seen) is None
