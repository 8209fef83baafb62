"""What polling knows of a source: its rhythm and wishes, its failures, where it is moving to.

Pure transitions: a state and what a fetch came to give the next state. Owns when a source is paused
and when it counts as moved; the lengths of waits are in `triage.core.schedule`. Knows no database and no
ingestor.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.core import schedule

MOVE_AFTER = timedelta(days=1)
"""A source has moved when it has said so twice, this far apart, and nothing else in between."""
GONE_TIMES = 3
GONE_FOR = timedelta(hours=48)
"""How often, and over how long, a server must say that a page is gone for good before it is believed."""
DENIED_TIMES = 3
"""A mailbox that refuses the password is tried no more often: providers lock accounts."""
MAX_FORMER = 10
RECENT = 20
"""Documents that the rhythm of a source is taken from."""

_NO_ANSWER = ("network", "timeout", "blocked", "postponed")
"""Failures in which the source itself said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """What polling a source has taught; all of it can be lost without losing a document."""

    asked_s: float | None = None
    """The least interval that it asks for."""
    gap_s: float | None = None
    """Median seconds between its latest documents."""
    span_s: float | None = None
    """Seconds from the oldest to the newest document that it served."""
    revalidates: bool = True
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    refusal: str | None = None
    """The kind of error that it answers with, time and again; failures on the way to it say nothing."""
    refusals: int = 0
    refused_since: datetime | None = None
    moving_to: str | None = None
    moving_since: datetime | None = None
    former: tuple[str, ...] = ()
    """Its targets before it moved, the latest last."""

    def moved_to(self, now: datetime) -> str | None:
        """Where it has moved to, once it has said so for long enough."""
        if self.moving_since is None or now - self.moving_since < MOVE_AFTER:
            return None
        return self.moving_to

    def forgiven(self) -> Polling:
        """Without what it has refused."""
        return dataclasses.replace(self, refusal=None, refusals=0, refused_since=None)

    def moved(self, former: str) -> Polling:
        """After its target has been changed."""
        return dataclasses.replace(
            self, moving_to=None, moving_since=None, former=(*self.former, former)[-MAX_FORMER:]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What is stored of a source about polling it."""

    next_due_at: datetime
    wait_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    paused: str | None = None
    polling: Polling = Polling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What matters of a fetch that succeeded. `published` is empty if nothing has changed."""

    published: Sequence[datetime] = ()
    asked_s: float | None = None
    retry_after_s: float | None = None
    revalidates: bool = True
    skip_hours: Sequence[int] = ()
    skip_days: Sequence[int] = ()
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What matters of a fetch that failed."""

    kind: str
    message: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The source that was asked. `seed` identifies it; it is never asked more often than every `least`."""

    seed: str
    kind: str
    least: timedelta


def after_answer(asked: Asked, before: Polling, answer: Answer, now: datetime) -> PollState:
    """The state of a source that answered at `now`: one success makes good all failures."""
    gap_s, span_s = rhythm(answer.published, now) if answer.published else (before.gap_s, before.span_s)
    again = answer.moved_to is not None and answer.moved_to == before.moving_to
    polling = Polling(
        asked_s=answer.asked_s,
        gap_s=gap_s,
        span_s=span_s,
        revalidates=answer.revalidates,
        skip_hours=tuple(sorted(answer.skip_hours)),
        skip_days=tuple(sorted(answer.skip_days)),
        moving_to=answer.moved_to,
        moving_since=before.moving_since if again else (now if answer.moved_to else None),
        former=before.former,
    )
    # New mail and papers are wanted however seldom they come, and asking for them costs nobody much.
    paced = asked.kind == "feed"
    wait = schedule.interval(
        least=asked.least,
        asked_s=polling.asked_s,
        gap_s=polling.gap_s if paced else None,
        span_s=polling.span_s,
        revalidates=polling.revalidates,
    )
    due = schedule.after_answer(asked.seed, now, wait)
    wait_until = schedule.next_allowed(now, answer.retry_after_s)
    return PollState(
        next_due_at=_allowed(asked.seed, due, wait_until, polling), wait_until=wait_until, polling=polling
    )


def after_failure(asked: Asked, before: PollState, failure: Failure, now: datetime) -> PollState:
    """The state of a source that failed at `now`; what it taught before stays."""
    failures = before.failures + 1
    since = before.failing_since if before.failures and before.failing_since else now
    polling = _refused(before.polling, failure.kind, now)
    wait = schedule.backoff(failures, now - since)
    wait_until = schedule.next_allowed(now, failure.retry_after_s)
    return PollState(
        next_due_at=_allowed(asked.seed, schedule.after_failure(asked.seed, now, wait), wait_until, polling),
        wait_until=wait_until,
        failures=failures,
        failing_since=since,
        paused=_pause(asked, polling, failure, now),
        polling=polling,
    )


def after_pause_of_host(asked: Asked, before: PollState, left_s: float, now: datetime) -> PollState:
    """The state of a source that was not asked, because its host wants to be left alone: no failure."""
    until = schedule.next_allowed(now, left_s)
    assert until is not None
    due = schedule.after_pause(asked.seed, until)
    return dataclasses.replace(
        before, next_due_at=_allowed(asked.seed, due, until, before.polling), wait_until=until
    )


def rhythm(published: Sequence[datetime], now: datetime) -> tuple[float | None, float | None]:
    """Median gap of the latest documents and the span of all, in seconds; None where dates do not tell."""
    dates = sorted({moment for moment in published if moment <= now})
    if len(dates) < 2:
        return None, None
    recent = dates[-RECENT:]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(recent)]
    span_s = (dates[-1] - dates[0]).total_seconds()
    import statistics  # where nothing has changed, nobody asks for it

    # One gap is no rhythm.
    return (statistics.median(gaps) if len(gaps) > 1 else None), span_s


def _allowed(seed: str, due: datetime, wait_until: datetime | None, polling: Polling) -> datetime:
    if wait_until is not None:
        due = max(due, wait_until)
    return schedule.after_quiet(seed, due, polling.skip_hours, polling.skip_days)


def _refused(before: Polling, kind: str, now: datetime) -> Polling:
    if kind in _NO_ANSWER:
        return before
    if kind == before.refusal:
        return dataclasses.replace(before, refusals=before.refusals + 1)
    return dataclasses.replace(before, refusal=kind, refusals=1, refused_since=now)


def _pause(asked: Asked, polling: Polling, failure: Failure, now: datetime) -> str | None:
    """Why the source is not to be asked again until the reader says so; None if it is."""
    if failure.kind == "gone" and polling.refusals >= GONE_TIMES:
        since = polling.refused_since or now
        if now - since >= GONE_FOR:
            return f"{failure.message}, {polling.refusals} times since {since:%d %B}; what it brought stays"
    if failure.kind == "denied" and asked.kind == "mail" and polling.refusals >= DENIED_TIMES:
        return f"{failure.message}, {polling.refusals} times in a row; mend the password first"
    return None
