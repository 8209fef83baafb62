"""When a source is asked again, and when a digest's day begins: pure functions.

Owns the numbers of politeness towards one source; spacing between requests to one host belongs to
`ingestors.http`. Waits are lengthened by chance, never shortened below what was asked for: sources that were
fetched together drift apart. The chance comes from a seed, so the same poll always gives the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, tzinfo

DEFAULT_INTERVAL = timedelta(hours=1)
"""The least interval of a feed, whatever it allows, unless the reader sets a shorter one."""
MIN_INTERVAL = timedelta(minutes=30)
"""The shortest that a reader may set."""
MAX_INTERVAL = timedelta(hours=24)
OWN_INTERVAL = timedelta(minutes=5)
"""The least interval of sources that know their own: mailboxes, paper services."""
UNKNOWN_INTERVAL = timedelta(hours=6)
"""Of a feed that always sends everything and dates nothing, so that its pace is unknown."""
MAX_RETRY_AFTER = timedelta(days=7)
BACKOFF = (
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""After the first, second, ... failure in a row. A source is never given up, only asked daily."""
DEAD_AFTER = timedelta(days=30)
DEAD_INTERVAL = timedelta(days=7)
"""What has failed for a month is asked once a week."""
MANUAL_FLOOR = timedelta(minutes=5)
"""A sync that a person asks for does not go back to the same source sooner."""
JITTER = 0.1
LONGEST_PLAN = timedelta(days=17)
"""More than any plan reaches ahead: a week that a server asks for, one that it rules out by its days."""
DAWN = time(4)
"""When the day of a digest begins for a reader who names no hour: nobody reads then."""
LEAD = timedelta(minutes=10)
"""So long before the reader's hour its day begins, and the digest is built."""


def interval(
    *,
    least: timedelta,
    asked_s: float | None = None,
    gap_s: float | None = None,
    span_s: float | None = None,
    revalidates: bool = True,
) -> timedelta:
    """How long a source is left alone after it answered.

    Args:
        least: Never shorter than this.
        asked_s: What the source asks for: max-age, Expires, ttl and their kin.
        gap_s: Median seconds between its documents: half of it loses little and asks seldom.
        span_s: Seconds between the oldest and the newest document that it serves.
        revalidates: False if every request brings the whole document. Then it is asked just often enough
            that no document is missed: twice in the time that its documents span.

    Returns:
        The longest of these, at most a day.
    """
    wanted = [least]
    if asked_s is not None:
        wanted.append(_seconds(asked_s))
    if gap_s is not None:
        wanted.append(_seconds(gap_s / 2))
    if not revalidates:
        wanted.append(UNKNOWN_INTERVAL if span_s is None else _seconds(span_s / 2))
    return min(max(wanted), MAX_INTERVAL)


def backoff(failures: int, failing_for: timedelta) -> timedelta:
    """How long a source is left alone after its `failures`-th failure in a row."""
    if failing_for >= DEAD_AFTER:
        return DEAD_INTERVAL
    return BACKOFF[min(max(failures, 1), len(BACKOFF)) - 1]


def after_answer(seed: str, now: datetime, wait: timedelta) -> datetime:
    """`wait` from now and up to a tenth more."""
    return now + wait * (1 + JITTER * _chance(seed, now))


def after_failure(seed: str, now: datetime, wait: timedelta) -> datetime:
    """`wait` from now, give or take a tenth."""
    return now + wait * (1 + JITTER * (2 * _chance(seed, now) - 1))


def after_pause(seed: str, until: datetime) -> datetime:
    """Some minutes after the pause of a host, so that its sources do not all come back at once."""
    return until + MANUAL_FLOOR * _chance(seed, until)


def quiet(moment: datetime, hours: Collection[int], days: Collection[int]) -> bool:
    """Whether a source asks not to be polled at that hour (UTC) or on that day of the week (0 = Monday).

    One that rules out every hour or every day has not meant it.
    """
    if len(hours) >= 24 or len(days) >= 7:
        return False
    return moment.hour in hours or moment.weekday() in days


def after_quiet(seed: str, due: datetime, hours: Collection[int], days: Collection[int]) -> datetime:
    """`due`, or some minute of the next hour in which the source may be asked."""
    if not quiet(due, hours, days):
        return due
    start = due.replace(minute=0, second=0, microsecond=0)
    while quiet(start, hours, days):
        start += timedelta(hours=1)
    return start + timedelta(minutes=55) * _chance(seed, start)


def is_due(next_due_at: datetime, attempted_at: datetime | None, now: datetime) -> bool:
    """Whether a source may be asked on its own account.

    A last attempt that lies ahead of `now` was made before the clock was set back, and so was the plan
    for the next one: without this, a source would stay silent until the clock is there again. So was a plan
    that lies further ahead than any that is made.
    """
    clock_was_ahead = next_due_at > now + LONGEST_PLAN or (attempted_at is not None and attempted_at > now)
    return next_due_at <= now or clock_was_ahead


def next_allowed(now: datetime, retry_after_s: float | None) -> datetime | None:
    """Until when the server wants to be left alone, at most a week; None if it did not say."""
    if retry_after_s is None:
        return None
    return now + min(_seconds(max(0.0, retry_after_s)), MAX_RETRY_AFTER)


def day_of(moment: datetime, at: time | None, zone: tzinfo | None = None) -> datetime:
    """When the day began that a digest of `moment` belongs to: the last time that clocks showed its hour.

    On the day on which clocks skip that hour, it is the one after; where they show it twice, the first.

    Args:
        moment: Aware.
        at: The reader's hour by their clock, of which `LEAD` is taken off; None for `DAWN`.
        zone: Where the reader is; None for the zone of this machine.
    """
    lead = LEAD if at is not None else timedelta(0)
    date = (moment + lead).astimezone(zone).date()
    for days in (0, 1, 2):
        hour = datetime.combine(date - timedelta(days), at or DAWN).replace(tzinfo=zone)
        begins = hour.astimezone(UTC) - lead
        if begins <= moment:
            return begins
    raise AssertionError("no two days pass without that hour")


def edition_due(built_at: datetime | None, now: datetime, at: time | None) -> bool:
    """Whether the digest of the day is still to be built, given when the last one was."""
    return built_at is None or built_at < day_of(now, at)


def _seconds(seconds: float) -> timedelta:
    """Seconds as a span that can be added to a date: a source may name any number."""
    return timedelta(seconds=min(max(seconds, 0.0), 366 * 86_400.0))


def _chance(seed: str, moment: datetime) -> float:
    """A number in [0, 1) that nobody chose."""
    digest = hashlib.sha256(f"{seed}\0{moment.isoformat()}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
