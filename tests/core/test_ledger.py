"""When a source is spoken of, and with how much certainty."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from triage.core.interval import wilson
from triage.core.ledger import Account, judge

EMPTY = Account(
    source=1,
    title="A",
    kind="feed",
    items=100,
    minutes_in=60.0,
    minutes_read=0.0,
    opened=0,
    shown=0,
    judged=0,
    kept=0,
    wanted=0,
    last_kept=None,
)
USUAL = dataclasses.replace(EMPTY, source=2, judged=100, wanted=30)
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def advice(judged: int, wanted: int, others: Account = USUAL) -> str:
    account = dataclasses.replace(EMPTY, judged=judged, wanted=wanted)
    return next(each.advice for each in judge([account, others]) if each.source == 1)


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_the_share_and_narrows_with_trials(one: int, other: int) -> None:
    successes, trials = min(one, other), max(one, other)
    low, high = wilson(successes, trials)
    assert 0 <= low <= (successes / trials if trials else 0) + 1e-9
    assert low <= high <= 1
    wider = wilson(successes / 2, trials / 2)
    assert high - low <= wider[1] - wider[0] + 1e-9


def test_an_interval_is_that_of_the_literature() -> None:
    """0 of 10 and 5 of 10 at 90 %, by the closed form that Brown, Cai and DasGupta (2001) give."""
    assert [round(end, 3) for end in wilson(0, 10)] == [0.0, 0.213]
    assert [round(end, 3) for end in wilson(5, 10)] == [0.269, 0.731]


def test_a_source_of_two_items_is_not_judged() -> None:
    assert advice(0, 0) == advice(2, 0) == advice(2, 2) == "unsure"


def test_nothing_is_said_where_there_is_nothing_to_compare_with() -> None:
    assert advice(50, 0, dataclasses.replace(USUAL, judged=3)) == "unsure"
    assert advice(50, 0, dataclasses.replace(USUAL, wanted=0)) == "unsure"


def test_the_longer_a_source_gives_nothing_the_more_is_suggested() -> None:
    assert [advice(judged, 0) for judged in (10, 20, 40)] == ["fine", "quiet", "drop"]


def test_a_source_that_gives_more_than_others_needs_nothing() -> None:
    assert advice(40, 20) == "loved"
    assert advice(40, 13) == "fine"


def test_what_is_in_force_is_said_and_named_with_what_takes_it_back() -> None:
    quiet = dataclasses.replace(EMPTY, judged=90, quiet=True)
    paused = dataclasses.replace(quiet, source=3, paused="you paused it")
    found = {each.source: each for each in judge([quiet, paused, USUAL])}
    assert (found[1].advice, found[1].undo) == ("settled", "unquiet")
    assert (found[3].advice, found[3].undo) == ("settled", "resume")
    assert found[2].undo is None


def test_suggestions_come_first_then_what_takes_most_time() -> None:
    long = dataclasses.replace(EMPTY, source=3, minutes_in=600.0)
    useless = dataclasses.replace(EMPTY, source=4, judged=80)
    assert [each.source for each in judge([EMPTY, long, useless, USUAL])] == [4, 3, 1, 2]
