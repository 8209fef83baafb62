from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from triage.core.schedule import (
    BACKOFF,
    JITTER,
    MAX_INTERVAL,
    MAX_RETRY_AFTER,
    MIN_INTERVAL,
    Outcome,
    next_due,
)

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


@given(st.floats(-1e12, 1e12), st.text(max_size=20))
def test_no_server_can_make_us_ask_too_often_or_never_again(interval: float, source: str) -> None:
    wait = next_due(source, NOW, Outcome(failed=False, interval_s=interval), 0) - NOW
    assert MIN_INTERVAL * (1 - JITTER) <= wait <= MAX_INTERVAL * (1 + JITTER)


@given(st.integers(1, 10**6))
def test_a_failing_source_backs_off_to_once_a_day_and_is_never_given_up(failures: int) -> None:
    wait = next_due("s", NOW, Outcome(failed=True), failures) - NOW
    planned = BACKOFF[min(failures, len(BACKOFF)) - 1]
    assert planned * (1 - JITTER) <= wait <= planned * (1 + JITTER)


@given(st.floats(0, 1e12))
def test_retry_after_is_honoured_up_to_a_week(seconds: float) -> None:
    due = next_due("s", NOW, Outcome(failed=True, retry_after_s=seconds), 1)
    assert due >= NOW + min(timedelta(seconds=seconds), MAX_RETRY_AFTER)
    assert due <= NOW + MAX_RETRY_AFTER + BACKOFF[0]


def test_sources_that_were_fetched_together_spread_out() -> None:
    due = {next_due(f"s{n}", NOW, Outcome(failed=False), 0) for n in range(100)}
    assert len(due) > 90
    assert max(due) - min(due) > timedelta(minutes=5)
