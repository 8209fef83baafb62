"""Which sources are asked now and in what order, and what a fetch means for the next time.

Translates between what ingestors answer and `triage.core.polling`, which decides. Fetches nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ingestors.base import FetchResult
from triage.core import polling, schedule
from triage.core.errors import UsageError
from triage.core.polling import Answer, Asked, Failure, PollState
from triage.store.sources import SourceRow

INTERVAL = "interval_minutes"
"""The option with the least interval of a feed, where the reader wants another than an hour."""
LEAST_MINUTES, MOST_MINUTES = (
    int(span / timedelta(minutes=1)) for span in (schedule.MIN_INTERVAL, schedule.MAX_INTERVAL)
)


def due(
    active: Iterable[SourceRow], now: datetime, *, only: Collection[int] | None, ask_now: bool
) -> list[SourceRow]:
    """The sources to ask now, by id.

    Args:
        active: All that are not removed, or those of them that are due.
        now: The present.
        only: Ids of those that are wanted; None means all.
        ask_now: A person asks: also for sources that are not due, unless they answered in the last five
            minutes or their server said to wait.

    Raises:
        UsageError: `only` names a source that there is not, or one that is paused.
    """
    by_id = {source.id: source for source in active}
    if only is not None and (unknown := set(only) - by_id.keys()):
        raise UsageError(f"there is no source {min(unknown)}", fix="triage sources")
    wanted = [by_id[number] for number in sorted(by_id if only is None else set(only))]
    if only is not None and (paused := next((source for source in wanted if source.paused), None)):
        raise UsageError(
            f"source {paused.id} is paused: {paused.paused}", fix=f"triage sources resume {paused.id}"
        )
    return [
        source
        for source in wanted
        if source.paused is None and (_is_due(source, now) or (ask_now and _may_ask(source, now)))
    ]


def next_time(source: SourceRow, now: datetime) -> datetime | None:
    """When a source is asked on its own account; None if it is paused."""
    if source.paused is not None:
        return None
    if not schedule.is_due(source.next_due_at, source.attempted_at, now):
        return source.next_due_at
    # It may have come due while the machine slept, and wake in an hour in which it wants to be left alone.
    return schedule.after_quiet(_seed(source), now, source.polling.skip_hours, source.polling.skip_days)


def fairly(sources: Iterable[SourceRow]) -> list[SourceRow]:
    """One source of every host before the second of any; within a host, the longest due first.

    A host with two hundred feeds, or one that hangs, then keeps nobody waiting.
    """
    earlier: Counter[str] = Counter()
    order: list[tuple[int, datetime, int, SourceRow]] = []
    for source in sorted(sources, key=lambda source: (source.next_due_at, source.id)):
        host = _host(source)
        order.append((earlier[host], source.next_due_at, source.id, source))
        earlier[host] += 1
    return [source for *_, source in sorted(order, key=lambda place: place[:3])]


def state_after(source: SourceRow, result: FetchResult, now: datetime) -> PollState:
    """What is stored of a source after a fetch that ended at `now`."""
    asked = Asked(seed=_seed(source), kind=source.kind, least=_least(source, result))
    error = result.error
    if error is None:
        answer = Answer(
            published=[entry.published for entry in result.entries if entry.published is not None],
            asked_s=result.interval_s,
            retry_after_s=result.retry_after_s,
            revalidates=result.revalidates,
            skip_hours=sorted(result.skip_hours),
            skip_days=sorted(result.skip_days),
            moved_to=result.moved_to,
        )
        return polling.after_answer(asked, source.polling, answer, now)
    if error.kind == "postponed":
        return polling.after_pause_of_host(asked, source.poll_state, result.retry_after_s or 0.0, now)
    failure = Failure(kind=error.kind, message=error.message, retry_after_s=result.retry_after_s)
    return polling.after_failure(asked, source.poll_state, failure, now)


def _is_due(source: SourceRow, now: datetime) -> bool:
    moment = next_time(source, now)
    return moment is not None and moment <= now


def _may_ask(source: SourceRow, now: datetime) -> bool:
    """Whether a person may ask before the time is due.

    What failed on the way, or for want of a setting, may be asked at once: it may have been mended. So may
    the reader's own mailbox. A server that has answered is not asked again within minutes, whatever it said.
    """
    if source.wait_until is not None and source.wait_until > now:
        return False
    mended = source.kind == "mail" or source.polling.refusal in (None, "usage")
    return (
        source.attempted_at is None
        or (bool(source.failures) and mended)
        or now - source.attempted_at >= schedule.MANUAL_FLOOR
    )


def _least(source: SourceRow, result: FetchResult) -> timedelta:
    if source.kind != "feed":
        return schedule.OWN_INTERVAL if result.interval_s is not None else schedule.DEFAULT_INTERVAL
    minutes = source.options.get(INTERVAL)
    if not isinstance(minutes, int):
        return schedule.DEFAULT_INTERVAL
    return timedelta(minutes=min(max(minutes, LEAST_MINUTES), MOST_MINUTES))


def _seed(source: SourceRow) -> str:
    return f"{source.ingestor} {source.target}"


def _host(source: SourceRow) -> str:
    try:
        return urlsplit(source.target).netloc.rpartition("@")[2] or source.ingestor
    except ValueError:
        return source.ingestor
