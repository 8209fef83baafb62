from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core import schedule
from triage.core.schedule import BACKOFF, DEAD_AFTER, DEFAULT_INTERVAL, JITTER, MAX_INTERVAL, MAX_RETRY_AFTER

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # a Monday
NUMBERS = st.none() | st.floats(-1e300, 1e300)


@given(NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.text(max_size=20))
def test_no_server_can_make_us_ask_too_often_or_never_again(
    asked: float | None, gap: float | None, span: float | None, revalidates: bool, seed: str
) -> None:
    wait = schedule.interval(
        least=DEFAULT_INTERVAL, asked_s=asked, gap_s=gap, span_s=span, revalidates=revalidates
    )
    due = schedule.after_answer(seed, NOW, wait) - NOW
    assert DEFAULT_INTERVAL <= due <= MAX_INTERVAL * (1 + JITTER)


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ({}, 1),
        ({"asked_s": 900}, 1),
        ({"asked_s": 2 * 3600}, 2),
        ({"gap_s": 10 * 3600}, 5),
        ({"gap_s": 10 * 3600, "asked_s": 6 * 3600}, 6),
        ({"gap_s": 90 * 86_400}, 24),
        ({"revalidates": False, "span_s": 8 * 3600}, 4),
        ({"revalidates": False, "span_s": 60 * 86_400}, 24),
        ({"revalidates": False}, 6),
    ],
)
def test_the_interval_is_the_longest_that_anybody_asks_for(said: dict[str, float], hours: int) -> None:
    assert schedule.interval(least=DEFAULT_INTERVAL, **said) == timedelta(hours=hours)  # type: ignore[arg-type]


@given(st.integers(1, 10**6), st.integers(0, 29))
def test_a_failing_source_backs_off_to_once_a_day_and_is_never_given_up(failures: int, days: int) -> None:
    """NET-13, NET-16."""
    wait = schedule.backoff(failures, timedelta(days=days))
    assert wait == BACKOFF[min(failures, len(BACKOFF)) - 1]
    due = schedule.after_failure("s", NOW, wait) - NOW
    assert wait * (1 - JITTER) <= due <= wait * (1 + JITTER)
    assert schedule.backoff(failures, DEAD_AFTER) == timedelta(days=7)


@given(st.floats(0, 1e300))
def test_retry_after_is_honoured_up_to_a_week(seconds: float) -> None:
    """NET-15."""
    allowed = schedule.next_allowed(NOW, seconds)
    assert allowed == NOW + timedelta(seconds=min(seconds, MAX_RETRY_AFTER.total_seconds()))


@given(
    st.sets(st.integers(0, 23)), st.sets(st.integers(0, 6)), st.integers(0, 7 * 24 * 60), st.text(max_size=9)
)
def test_nobody_is_asked_in_hours_or_on_days_that_they_rule_out(
    hours: set[int], days: set[int], minutes: int, seed: str
) -> None:
    due = NOW + timedelta(minutes=minutes)
    moved = schedule.after_quiet(seed, due, hours, days)
    assert due <= moved <= due + timedelta(days=8)
    assert not schedule.quiet(moved, hours, days)


def test_who_rules_out_all_hours_has_not_meant_it() -> None:
    assert schedule.after_quiet("s", NOW, set(range(24)), set()) == NOW
    assert schedule.after_quiet("s", NOW, set(), set(range(7))) == NOW


def test_sources_that_were_fetched_together_spread_out() -> None:
    due = {schedule.after_answer(f"s{n}", NOW, DEFAULT_INTERVAL) for n in range(100)}
    assert len(due) > 90
    assert max(due) - min(due) > timedelta(minutes=5)
    assert min(due) >= NOW + DEFAULT_INTERVAL
    after = {schedule.after_pause(f"s{n}", NOW) for n in range(100)}
    assert max(after) - min(after) > timedelta(minutes=4)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "begins"),
    [
        ("2026-03-02T12:00+01:00", "2026-03-02T06:50+01:00"),
        ("2026-03-02T06:50+01:00", "2026-03-02T06:50+01:00"),
        ("2026-03-02T06:49+01:00", "2026-03-01T06:50+01:00"),
        ("2026-03-02T23:59+01:00", "2026-03-02T06:50+01:00"),
        # Clocks go forward in the night to the 29th, and back in the night to 25 October.
        ("2026-03-29T06:49+02:00", "2026-03-28T06:50+01:00"),
        ("2026-03-29T06:50+02:00", "2026-03-29T06:50+02:00"),
        ("2026-10-25T06:49+01:00", "2026-10-24T06:50+02:00"),
        ("2026-10-25T06:51+01:00", "2026-10-25T06:50+01:00"),
    ],
)
def test_the_day_of_a_digest_begins_by_the_readers_clock(moment: str, begins: str) -> None:
    found = schedule.day_of(datetime.fromisoformat(moment), time(7), BERLIN)
    assert found == datetime.fromisoformat(begins)


def test_an_hour_that_clocks_skip_comes_one_later_and_a_double_one_once() -> None:
    """DB-17."""
    assert schedule.day_of(datetime(2026, 3, 29, 9, tzinfo=UTC), time(2, 30), BERLIN) == datetime(
        2026, 3, 29, 1, 20, tzinfo=UTC
    )
    first = datetime(2026, 10, 25, 0, 20, tzinfo=UTC)
    for hours in (0, 1, 2):
        assert schedule.day_of(first + timedelta(hours=hours), time(2, 30), BERLIN) == first


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Europe/Berlin", time(0, 5)),
        ("Europe/Berlin", time(2, 30)),
        ("America/New_York", time(2, 30)),
        ("Australia/Lord_Howe", time(2, 15)),  # clocks there go forward and back by half an hour
        ("Australia/Lord_Howe", time(1, 45)),
    ],
)
def test_days_follow_each_other_without_a_gap_all_year(zone: str, at: time) -> None:
    """DB-17."""
    moment, days = datetime(2026, 1, 1, tzinfo=UTC), set()
    while moment.year == 2026:
        begins = schedule.day_of(moment, at, ZoneInfo(zone))
        assert timedelta(0) <= moment - begins <= timedelta(hours=25)
        days.add(begins)
        moment += timedelta(minutes=115)
    assert 365 <= len(days) <= 366
    shown = {(begins + schedule.LEAD).astimezone(ZoneInfo(zone)).time() for begins in days}
    assert len(shown) <= 2, "the hour that was asked for, and once what comes in the place of a skipped one"
    assert at in shown


def test_without_an_hour_the_day_begins_before_dawn() -> None:
    assert schedule.day_of(datetime(2026, 3, 2, 3, 0, tzinfo=UTC), None, UTC) == datetime(
        2026, 3, 1, 4, tzinfo=UTC
    )
