from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from triage.core.polling import (
    Answer,
    Asked,
    Failure,
    Polling,
    PollState,
    after_answer,
    after_failure,
    rhythm,
)
from triage.core.schedule import DEFAULT_INTERVAL

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
FEED = Asked(seed="feeds https://a.example/", kind="feed", least=DEFAULT_INTERVAL)
MAIL = Asked(seed="imap imaps://a.example/", kind="mail", least=DEFAULT_INTERVAL)
GONE = Failure(kind="gone", message="a.example says that this is gone for good (410)")
DENIED = Failure(kind="denied", message="the password is refused")
NO_NETWORK = Failure(kind="network", message="cannot connect")


def fail(asked: Asked, failures: list[Failure]) -> tuple[PollState, list[datetime]]:
    """One failure after the other, each when the one before says; until it is paused."""
    state, now, at = PollState(next_due_at=NOW), NOW, []
    for failure in failures:
        at.append(now)
        state = after_failure(asked, state, failure, now)
        now = state.next_due_at
        if state.paused:
            break
    return state, at


def test_a_dead_source_is_soon_asked_once_a_day_and_after_a_month_once_a_week() -> None:
    """NET-13."""
    _, at = fail(FEED, [Failure(kind="not-found", message="404")] * 60)
    hours = [(later - earlier) / timedelta(hours=1) for earlier, later in itertools.pairwise(at)]
    assert [round(wait) for wait in hours[:4]] == [1, 2, 4, 8]
    assert sum(hours[:4]) <= 17
    month = next(n for n, moment in enumerate(at) if moment - NOW >= timedelta(days=30))
    assert all(21 < wait < 27 for wait in hours[4:month])
    assert all(6 < wait / 24 < 8 for wait in hours[month:])


def test_one_success_makes_good_all_failures() -> None:
    dead, _ = fail(FEED, [Failure(kind="http", message="500")] * 20)
    well = after_answer(FEED, dead.polling, Answer(), NOW)
    assert (well.failures, well.failing_since, well.polling.refusals) == (0, None, 0)
    assert well.next_due_at <= NOW + timedelta(hours=1.1)


def test_gone_is_believed_after_three_times_and_two_days() -> None:
    """NET-14."""
    state, at = fail(FEED, [GONE] * 30)
    assert state.paused is not None
    assert at[-1] - at[0] >= timedelta(hours=48)
    assert 3 <= len(at) <= 8
    assert "gone for good" in state.paused
    assert fail(FEED, [GONE])[0].paused is None


def test_gone_in_between_other_answers_is_not_believed() -> None:
    """NET-14."""
    assert fail(FEED, [GONE, GONE, Failure(kind="http", message="502")] * 20)[0].paused is None


def test_a_network_that_fails_says_nothing_about_the_source() -> None:
    assert fail(FEED, [GONE, NO_NETWORK] * 20)[0].paused is not None


def test_a_mailbox_that_refuses_the_password_is_tried_three_times() -> None:
    """MAIL-17."""
    state, at = fail(MAIL, [DENIED] * 9)
    assert len(at) == 3
    assert state.paused is not None
    assert "password" in state.paused
    assert fail(FEED, [DENIED] * 50)[0].paused is None


def test_a_source_has_moved_when_it_says_so_twice_a_day_apart() -> None:
    """NET-07."""
    there, elsewhere = Answer(moved_to="https://b.example/"), Answer(moved_to="https://c.example/")

    def said(*answers: tuple[int, Answer]) -> str | None:
        polling = Polling()
        for hour, answer in answers:
            now = NOW + timedelta(hours=hour)
            polling = after_answer(FEED, polling, answer, now).polling
        return polling.moved_to(now)

    assert said((0, there)) is None
    assert said((0, there), (23, there)) is None
    assert said((0, there), (12, there), (24, there)) == "https://b.example/"
    assert said((0, there), (12, elsewhere), (24, there)) is None
    assert said((0, there), (12, Answer()), (24, there)) is None
    assert Polling().moved("https://a.example/").former == ("https://a.example/",)


@pytest.mark.parametrize(
    ("hours", "gap", "span"),
    [
        ([], None, None),
        ([5], None, None),
        ([5, 5, 5], None, None),
        ([0, 10], None, 10),
        ([0, 1, 3, 100], 2, 100),
        ([0, 24, 48, -5000, -9000], 24, 48),
    ],
)
def test_the_rhythm_is_the_median_gap_of_what_has_appeared(
    hours: list[int], gap: float | None, span: float | None
) -> None:
    """Dates in the future do not count."""
    dates = [NOW - timedelta(hours=h) for h in hours]
    assert rhythm(dates, NOW) == (gap and gap * 3600, span and span * 3600)


def test_a_slow_blog_is_asked_seldom_also_while_nothing_changes() -> None:
    slow = Answer(published=[NOW - timedelta(days=3 * n) for n in range(10)])
    first = after_answer(FEED, Polling(), slow, NOW)
    assert first.next_due_at >= NOW + timedelta(hours=24)
    second = after_answer(FEED, first.polling, Answer(), first.next_due_at)
    assert second.next_due_at >= first.next_due_at + timedelta(hours=24)
    mail = after_answer(MAIL, Polling(), slow, NOW)
    assert mail.next_due_at <= NOW + timedelta(hours=1.1)
