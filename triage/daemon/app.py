"""The daemon: polls what is due, builds the digest, says that it is alive; all else is in the services.

Due times live in the database, so a restart neither loses nor repeats a poll; APScheduler only wakes us.
SIGTERM, SIGINT and the end of its terminal (SIGHUP) end it after the work under way, or after `DRAIN_S`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from triage.config import Clock, Config
from triage.core.errors import TriageError
from triage.daemon import heartbeat
from triage.daemon.lock import hold
from triage.daemon.notify import ALIVE, READY, STOPPING, notify
from triage.paths import Paths
from triage.services import digest_file, fulltext, ingest
from triage.services.watching import Watching
from triage.services.worker_client import ModelWorker
from triage.store.engine import Database

log = logging.getLogger(__name__)

POLL_S = 30
"""How often the table of due times is looked at: a query of under a millisecond."""
DRAIN_S = 10
LONGEST_NAP = timedelta(hours=1)


class Daemon:
    """One run of the daemon, from start to drained."""

    def __init__(
        self, paths: Paths, config: Config, clock: Clock, database: Database, worker: ModelWorker
    ) -> None:
        self._paths = paths
        self._config = config
        self._clock = clock
        self._database = database
        self._worker = worker
        self._doing = "starting"
        self._stop = asyncio.Event()
        self._busy = asyncio.Lock()

    async def run(self) -> None:
        """Runs until a signal asks to stop; returns when the work under way is done.

        Raises:
            LockedError: Another process ingests already.
        """
        with hold(self._paths.ingest_lock, "the daemon"):
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` has it stay
                    loop.add_signal_handler(number, self._stop.set)
            # Memory job store: the jobs are these two, always; what is due is in our tables. No misfire
            # grace: after a suspend a late job runs once instead of being skipped.
            scheduler = AsyncIOScheduler(
                timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
            )
            scheduler.add_job(
                self._beat, IntervalTrigger(seconds=heartbeat.EVERY.total_seconds(), timezone=UTC)
            )
            scheduler.add_job(
                self._round, IntervalTrigger(seconds=POLL_S, timezone=UTC), next_run_time=datetime.now(UTC)
            )
            self._beat()
            scheduler.start()
            watching = asyncio.create_task(Watching(self._database, self._config, self._clock).run())
            log.info("started, process %d", os.getpid())
            notify(READY)
            try:
                await self._stop.wait()
            finally:
                notify(STOPPING)
                self._say("stopping")
                scheduler.pause()
                watching.cancel()
                await self._drain()
                scheduler.shutdown(wait=False)
                self._paths.heartbeat.unlink(missing_ok=True)
                log.info("stopped")

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._busy.acquire()
        except TimeoutError:
            log.warning(
                "the work under way did not end within %d s; it is repeated at the next start", DRAIN_S
            )
            # A thread that waits for the worker cannot be cancelled, and would be waited for.
            await asyncio.to_thread(self._worker.close)

    async def _round(self) -> None:
        """Polls what is due; when something new came in, builds the digest anew; reads what is unread."""
        if self._stop.is_set():
            return
        async with self._busy:
            try:
                self._say("fetching")
                reports = await ingest.sync(self._database, self._config, self._clock)
                for report in reports:
                    log.info(
                        "source %d: %d new, %d revised%s",
                        report.id,
                        report.new,
                        report.revised,
                        f", {report.error}" if report.error else "",
                    )
                digest = digest_file.read(self._paths.digest)
                now = self._clock()
                if await asyncio.to_thread(ingest.anything_new, self._database, digest, now):
                    self._say("ranking")
                    await asyncio.to_thread(self._worker.build, now)
                await self._fetch_texts()
                await self._read_on()
                nap = await asyncio.to_thread(ingest.until_next, self._database, self._clock, LONGEST_NAP)
                self._say(f"waiting until {(self._clock() + nap).astimezone():%H:%M}")
            except asyncio.CancelledError:
                return  # given up by the drain, which has said so
            except (TriageError, OSError) as error:
                # A full disk or a locked database passes; the next round tries again.
                fix = error.fix if isinstance(error, TriageError) else None
                log.error("%s%s", error, f" ({fix})" if fix else "")
                self._say(f"in trouble: {error}")

    async def _fetch_texts(self) -> None:
        """Fetches the full texts of what is likely to be shown, and ranks again with those that came."""
        done = await fulltext.fetch_likely(
            self._database,
            self._config,
            self._clock,
            digest_file.read(self._paths.digest),
            on_progress=lambda what, _, total: self._say(f"{what}, {total} pages"),
            stopping=self._stop.is_set,
        )
        if any(fetched.got for fetched in done):
            self._say("ranking")
            await asyncio.to_thread(self._worker.reread, self._clock())
        for fetched in done:
            log.info("item %d: %s", fetched.id, fetched.message)

    async def _read_on(self) -> None:
        """Reads what is known by its beginning only, until all is read or a source is due."""
        waiting = await asyncio.to_thread(ingest.unread, self._database)
        while waiting and not self._stop.is_set():
            self._say(f"reading the rest, {waiting} items to go")
            waiting = await asyncio.to_thread(self._worker.read_on, self._clock())
            if not await asyncio.to_thread(ingest.until_next, self._database, self._clock, LONGEST_NAP):
                return

    def _say(self, doing: str) -> None:
        self._doing = doing
        self._beat()

    def _beat(self) -> None:
        notify(ALIVE, f"STATUS={self._doing}")
        try:
            heartbeat.write(
                self._paths.heartbeat, heartbeat.Heartbeat(os.getpid(), self._clock(), self._doing)
            )
        except OSError as error:
            log.error("cannot write %s: %s", self._paths.heartbeat, error.strerror)
