from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from triage.core.items import ItemKind, Lane
from triage.core.pace import GENERAL, LEAST, MOST, Pace, Read, measured, was_read
from triage.core.worth import gain, timeliness
from triage.core.worth import worth as worth_of

DAY = timedelta(days=1)


def worth(
    chance: float, kind: ItemKind, lane: Lane, age: timedelta, *, saved: bool = False, passed: int = 0
) -> float:
    return worth_of(chance, lane, timeliness(kind, lane, age), saved=saved, passed=passed)


def reads(speed: float, count: int, words: int = 600) -> list[Read]:
    return [Read(words, 0, "feed", 60 * words / speed)] * count


def test_minutes_count_words_characters_and_the_kind_of_text() -> None:
    assert 1.0 < GENERAL.minutes(230, 0, "feed") < 1.5
    assert GENERAL.minutes(0, 416, "feed") == pytest.approx(GENERAL.minutes(230, 0, "feed"))
    assert GENERAL.minutes(230, 0, "paper") > GENERAL.minutes(230, 0, "mail")


def test_the_measured_speed_comes_nearer_to_the_readers_with_every_text() -> None:
    speeds = [measured(reads(340, count)).words_per_minute for count in (0, 1, 4, 16, 64)]
    assert speeds[0] == GENERAL.words_per_minute
    assert all(a < b for a, b in pairwise(speeds))
    assert speeds[-1] == pytest.approx(340, rel=0.06)
    assert measured(reads(340, 4)).measured == 4


def test_glances_coffees_and_scraps_say_nothing() -> None:
    nothing = [
        Read(900, 0, "feed", 4.0),
        Read(900, 0, "feed", 20.0),
        Read(900, 0, "feed", 7200.0),
        Read(20, 0, "feed", 12.0),
        Read(900, 0, "feed", None),
        Read(0, 0, "feed", 60.0),
    ]
    assert measured(nothing) == Pace()
    assert measured([*nothing, *reads(300, 9)]) == measured(reads(300, 9))


def test_one_opening_in_three_that_lies_changes_little() -> None:
    honest = reads(300, 20)
    lying = [*honest, *reads(80, 5), *reads(690, 5)]
    assert measured(lying).words_per_minute == pytest.approx(measured(honest).words_per_minute, rel=0.05)


def test_no_pace_is_absurd() -> None:
    assert measured(reads(75, 500)).words_per_minute == LEAST
    assert measured(reads(699, 500)).words_per_minute == MOST


def test_a_glance_is_no_reading() -> None:
    assert not was_read(Read(1000, 0, "feed", 5.0))
    assert was_read(Read(1000, 0, "feed", 120.0))
    assert was_read(Read(1000, 0, "feed", None))
    assert was_read(Read(30_000, 0, "paper", 100.0))  # of something long, the planned part counts


@pytest.mark.parametrize(
    ("kind", "after", "left"), [("feed", 2, 0.5), ("feed", 4, 0.25), ("mail", 3, 0.5), ("paper", 14, 0.5)]
)
def test_worth_halves_with_every_half_life_of_its_kind(kind: str, after: int, left: float) -> None:
    now, later = (worth(0.8, kind, "for-you", age * DAY) for age in (0, after))  # type: ignore[arg-type]
    assert later == pytest.approx(left * now)


def test_of_old_things_the_better_ones_are_worth_more_and_none_is_worth_nothing() -> None:
    years = [worth(chance, "feed", "for-you", days * DAY) for chance, days in ((0.5, 9000), (0.4, 4000))]
    assert years[0] > years[1] > 0
    assert years[0] < worth(0.1, "feed", "for-you", 0 * DAY)


def test_todays_news_goes_before_yesterdays_and_a_paper_holds() -> None:
    assert worth(0.5, "feed", "for-you", 0 * DAY) > worth(0.6, "feed", "for-you", DAY)
    assert worth(0.5, "paper", "for-you", 0 * DAY) < worth(0.6, "paper", "for-you", DAY)


def test_a_letter_and_what_was_saved_are_worth_more_than_their_chance() -> None:
    assert worth(0.01, "mail", "people", 0 * DAY) > 0.5
    assert worth(0.1, "mail", "people", 4 * DAY) > worth(0.3, "mail", "for-you", 4 * DAY)
    saved = worth(0.2, "feed", "people", 90 * DAY, saved=True, passed=9)
    assert saved == worth(0.2, "feed", "people", 0 * DAY, saved=True)


@pytest.mark.parametrize(
    "lower",
    [
        lambda: worth(0.4, "feed", "for-you", DAY),
        lambda: worth(0.5, "feed", "for-you", 2 * DAY),
        lambda: worth(0.5, "feed", "for-you", DAY, passed=1),
    ],
)
def test_chance_age_and_being_passed_over_count(lower: Callable[[], float]) -> None:
    assert 0 < lower() < worth(0.5, "feed", "for-you", DAY) < 1
    assert worth(0.5, "feed", "for-you", -DAY) == 0.5


def test_a_longer_text_is_worth_more_but_not_as_much_more_as_it_is_longer() -> None:
    assert gain(0.5, 1) < gain(0.5, 2) < 2 * gain(0.5, 1)
