"""Wakes the daemon every so often, whatever is done to the clock of the machine.

Owns how APScheduler is set up. It counts by the clock, which may be set at any moment and goes on while the
machine sleeps: set back by a day, it would wait for a day; set ahead by fifty years, it would list every
wake-up that was missed. What is due is in the tables, and no matter of this module.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""How often the clock is compared with the one that nobody sets."""
LEAP = timedelta(seconds=2)
"""By less than this a clock is corrected all the time."""


class Every(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """So long after it fired last: what was missed meanwhile is made up for once."""

    def __init__(self, span: timedelta) -> None:
        self._span = span

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next moment after `now`."""
        return now + self._span


class Wakeups:
    """Calls functions and coroutines every so often, the first time at once; none while it still runs."""

    def __init__(self) -> None:
        # Memory job store: the jobs are always the same. No misfire grace: what is late runs nevertheless.
        self._scheduler: Any = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._heeding: asyncio.Task[None] | None = None

    def every(self, seconds: float, call: Callable[[], object]) -> None:
        """Has something called from `start` on."""
        self._scheduler.add_job(call, Every(timedelta(seconds=seconds)), next_run_time=_now())

    def start(self) -> None:
        """Begins; needs a running event loop."""
        self._scheduler.start()
        self._heeding = asyncio.create_task(self._heed_leaps())

    def pause(self) -> None:
        """Begins nothing more; what runs goes on."""
        self._scheduler.pause()

    def close(self) -> None:
        """Ends; what runs is left to itself."""
        if self._heeding is not None:
            self._heeding.cancel()
        self._scheduler.shutdown(wait=False)

    async def _heed_leaps(self) -> None:
        """Has everything called anew when the clock was set or the machine has slept."""
        while True:
            expected = _now() - timedelta(seconds=time.monotonic())
            await asyncio.sleep(LOOK_S)
            leap = _now() - timedelta(seconds=time.monotonic()) - expected
            if abs(leap) > LEAP:
                what = "ahead, or this machine slept," if leap > timedelta(0) else "back"
                log.warning(
                    "the clock was set %s by %s", what, timedelta(seconds=round(abs(leap).total_seconds()))
                )
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=_now())


def _now() -> datetime:
    return datetime.now(UTC)
