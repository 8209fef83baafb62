"""When a source is asked again: a pure function of what it answered and how often it failed.

Owns the numbers of politeness towards one source; spacing between requests to one host belongs to
`ingestors.http`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_INTERVAL = timedelta(hours=1)
MIN_INTERVAL = timedelta(minutes=30)
"""No source is asked more often, whatever it allows."""
MAX_INTERVAL = timedelta(hours=24)
MAX_RETRY_AFTER = timedelta(days=7)
BACKOFF = (
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""After the first, second, ... failure in a row. A source is never given up, only asked daily."""
MANUAL_FLOOR = timedelta(minutes=5)
"""A sync that a person asks for does not go back to the same source sooner."""
JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What matters of one fetch for the time of the next."""

    failed: bool
    retry_after_s: float | None = None
    interval_s: float | None = None


def next_due(source: str, now: datetime, outcome: Outcome, failures: int) -> datetime:
    """The earliest time of the next fetch.

    Args:
        source: Anything that identifies the source; it seeds the jitter, so that sources spread out
            and the same poll always gives the same answer.
        now: When the fetch ended.
        outcome: How it ended.
        failures: Failures in a row, this fetch included.

    Returns:
        `now` plus the interval that the source asks for within [30 min, 24 h], one hour if it asks for
        nothing, or the backoff of its failures, +-10 %; never before its Retry-After.
    """
    if outcome.failed:
        wait = BACKOFF[min(max(failures, 1), len(BACKOFF)) - 1]
    elif outcome.interval_s is not None:
        wait = min(max(timedelta(seconds=outcome.interval_s), MIN_INTERVAL), MAX_INTERVAL)
    else:
        wait = DEFAULT_INTERVAL
    digest = hashlib.sha256(f"{source}\0{now.isoformat()}".encode()).digest()
    spread = 1 + JITTER * (int.from_bytes(digest[:4], "big") / 2**31 - 1)
    due = now + wait * spread
    allowed = next_allowed(now, outcome.retry_after_s)
    return due if allowed is None else max(due, allowed)


def is_due(next_due_at: datetime, attempted_at: datetime | None, now: datetime) -> bool:
    """Whether a source may be asked on its own account.

    A last attempt that lies ahead of `now` was made before the clock was set back, and so was the plan
    for the next one: without this, a source would stay silent until the clock is there again.
    """
    return next_due_at <= now or (attempted_at is not None and attempted_at > now)


def next_allowed(now: datetime, retry_after_s: float | None) -> datetime | None:
    """Until when the server wants to be left alone, at most a week; None if it did not say."""
    if retry_after_s is None:
        return None
    return now + min(timedelta(seconds=max(0.0, retry_after_s)), MAX_RETRY_AFTER)
