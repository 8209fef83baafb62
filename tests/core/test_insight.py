"""What the insight page counts, and how honest it is about few counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core import insight, plots
from triage.core.feedback import Event
from triage.core.history import Shown
from triage.core.insight import Insight, Learned, Shift
from triage.core.insight_page import page
from triage.core.verbs import Verb

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=90)


def day(moment: datetime):
    return moment.date()


def mark(number: int, item: int, verb: Verb = Verb.LIKE, undoes: int | None = None) -> Event:
    return Event(id=number, at=NOW + timedelta(minutes=number), verb=verb, item_id=item, undoes=undoes)


def shown(
    digest: int, item: int, days: float = 0, interest: str | None = None, minutes: float = 2.0
) -> Shown:
    why = ({"kind": "interest", "name": interest, "contribution": 0.5},) if interest else ()
    return Shown(digest, NOW + timedelta(days=days), item, "for-you", minutes, why)


# ---------------------------------------------------------------- calibration


def test_what_was_foreseen_is_compared_with_what_was_said_last() -> None:
    events = [
        mark(1, 10, Verb.DISLIKE),
        mark(2, 10, Verb.LIKE),  # the mind was changed; by then the ranker had learned from the first mark
        mark(3, 11, Verb.LATER),  # says when, not whether
        mark(4, 12),
        mark(5, 12, Verb.UNDO, undoes=4),
        mark(6, 13, Verb.KNOWN),  # was never shown
        mark(7, 14),  # from a list without numbers
    ]
    foreseen = {1: 0.32, 2: 0.05, 3: 0.9, 4: 0.9, 6: 0.9}
    found = insight.calibration(events, foreseen, SINCE)
    (only,) = found.bins
    assert (found.marks, only.low, only.marks, only.expected, only.liked) == (1, 0.3, 1, 0.32, 1.0)
    assert insight.calibration(events, foreseen, NOW + timedelta(days=1)).marks == 0


def test_few_marks_give_no_error_and_many_give_the_one_of_the_definition() -> None:
    events = [mark(n, n, Verb.LIKE if n % 4 else Verb.DISLIKE) for n in range(40)]
    foreseen = {n: 0.25 if n < 20 else 0.65 for n in range(40)}
    few = insight.calibration(events[:29], foreseen, SINCE)
    assert few.error is few.by_chance is None
    found = insight.calibration(events, foreseen, SINCE)
    assert [(b.marks, b.liked) for b in found.bins] == [(20, 0.75), (20, 0.75)]
    assert found.error == pytest.approx((0.5 + 0.1) / 2)
    assert found.by_chance is not None
    assert 0 < found.by_chance < 0.1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_every_mark_is_in_one_bin(said: list[tuple[float, bool]]) -> None:
    events = [mark(n, n, Verb.LOVE if wanted else Verb.DISLIKE) for n, (_, wanted) in enumerate(said)]
    found = insight.calibration(events, {n: p for n, (p, _) in enumerate(said)}, SINCE)
    assert sum(b.marks for b in found.bins) == found.marks == len(said)
    assert all(b.low - 1e-9 <= b.expected <= b.high + 1e-9 for b in found.bins)
    assert all(b.least - 1e-9 <= b.liked <= b.most + 1e-9 for b in found.bins)


# ---------------------------------------------------------------- time, topics, chance


def test_of_several_digests_of_a_day_the_last_one_was_planned() -> None:
    digests = [shown(1, 10), shown(1, 11), shown(2, 10, days=0.1), shown(3, 12, days=2, minutes=7.0)]
    opened = [(NOW, 60.0), (NOW, None), (NOW + timedelta(days=1), 30.0)]
    found = insight.time_spent(digests, opened, day)
    assert [(d.planned, d.read, d.opened) for d in found] == [(2.0, 1.0, 2), (0.0, 0.5, 1), (7.0, 0.0, 0)]


def test_topics_are_the_interests_that_speak_for_what_was_shown() -> None:
    digests = [
        shown(1, 10, 0, "bees"),
        shown(1, 11, 0, "trams"),
        shown(2, 10, 1, "bees"),
        shown(3, 12, 7, "bees"),
    ]
    found = insight.topics([*digests, shown(3, 13, 7)], {}, {10}, day)
    assert (found.by, found.shown) == ("interest", (2, 2))
    assert [(t.name, t.shown, t.kept) for t in found.topics] == [
        ("bees", (1, 1), (1, 0)),
        ("trams", (1, 0), (0, 0)),
    ]
    by_source = insight.topics([shown(1, 10), shown(1, 11)], {10: "Wire", 11: "Wire"}, set(), day)
    assert (by_source.by, by_source.topics[0].shown) == ("source", (2,))


def test_what_was_drawn_rarely_speaks_for_more() -> None:
    digests = [shown(1, 10), shown(1, 11), shown(1, 12), shown(2, 11, 1)]
    found = insight.exploration(digests, {(1, 10): 0.5, (1, 11): 0.1}, {11, 12}, {10})
    assert (found.shown, found.kept, found.disliked) == (2, 1, 1)
    assert found.weighed == pytest.approx(10 / 12)
    assert (found.chosen, found.chosen_kept) == (1, 1)
    nothing = insight.exploration(digests, {}, set(), set())
    assert (nothing.shown, nothing.weighed, nothing.least, nothing.most) == (0, None, 0.0, 1.0)


# ---------------------------------------------------------------- the page


def empty() -> Insight:
    return Insight(
        days=90,
        calibration=insight.calibration([], {}, SINCE),
        time=(),
        topics=insight.topics([], {}, set(), day),
        exploration=insight.exploration([], {}, set(), set()),
    )


def test_a_page_without_anything_says_so_and_is_json_too() -> None:
    text = "\n".join("".join(piece for piece, _ in line) for line in page(empty(), None, 80))
    assert text.count("yet") == 4
    assert json.loads(json.dumps(empty().to_json()))["calibration"]["marks"] == 0


def test_what_was_learned_crosses_from_the_worker_unchanged() -> None:
    shift = Shift(kind="item", name="\x1b[2J[b]evil[/b]\u202e", change=-0.5, items=1)
    learned = Learned(since=NOW, said=3, shifts=(shift,))
    assert Learned.from_json(json.loads(json.dumps(learned.to_json()))) == learned
    text = "".join(piece for line in page(empty(), learned, 80) for piece, _ in line)
    assert "\x1b" not in text
    assert "\u202e" not in text


@given(st.lists(st.floats(0, 1e9), max_size=30))
def test_columns_are_one_cell_a_value_and_ascii_where_asked(values: list[float]) -> None:
    drawn = plots.columns(values)
    assert len(drawn) == len(values)
    assert plots.plain(drawn).isascii()
    if any(values):
        assert plots.COLUMNS[-1] in drawn


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2), st.just("●"))))
def test_points_stay_on_their_plane(points: list[tuple[float, float, str]]) -> None:
    rows = plots.plane(points, 21, 7)
    assert [len(row) for row in rows] == [21] * 7
    assert ("●" in "".join(rows)) is bool(points)
    assert plots.plain("".join(rows)).isascii()


@given(st.floats(-1, 1))
def test_a_signed_bar_goes_one_way(value: float) -> None:
    drawn = plots.signed(value, 1.0, 12)
    left, right = drawn.split("│")
    assert (len(left), len(right)) == (6, 6)
    assert not (left.strip() and right.strip())
