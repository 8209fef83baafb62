"""The daemon: polls what is due, builds the digest, says that it is alive; all else is in the services.

Due times live in the database, so a restart neither loses nor repeats a poll.
SIGTERM, SIGINT and the end of its terminal end it after the work under way, or after `DRAIN_S`; without a
terminal, SIGHUP has it read its settings again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from triage import config
from triage.config import Clock, Config
from triage.core import schedule, words
from triage.core.errors import TriageError, WorkerError
from triage.daemon import desktop, heartbeat, jobs, memory, metrics, power
from triage.daemon.lock import hold
from triage.daemon.notify import ALIVE, READY, STOPPING, notify
from triage.daemon.wakeups import Wakeups
from triage.paths import Paths
from triage.services.digest import digest_file, notifying
from triage.services.fetching import fulltext, ingest
from triage.services.fetching.watching import Watching
from triage.services.fetching.writing import SourceReport
from triage.services.ranker.worker_client import ModelWorker
from triage.store import jobs as job_log
from triage.store.engine import Database

log = logging.getLogger(__name__)

POLL_S = 30
"""How often the table of due times is looked at: a query of under a millisecond."""
DRAIN_S = 10
GIVE_UP_S = 3
LONGEST_PAUSE_S = 3_600.0
"""Between two tries with a model worker that dies each time."""
LONGEST_NAP = timedelta(hours=1)


class Daemon:
    """One run of the daemon, from start to drained."""

    def __init__(
        self, paths: Paths, settings: Config, clock: Clock, database: Database, worker: ModelWorker
    ) -> None:
        self._paths = paths
        self._config = settings
        self._clock = clock
        self._database = database
        self._worker = worker
        self._doing = "starting"
        self._since = time.monotonic()
        self._birth = heartbeat.birth_of(os.getpid())
        self._shown = 0.0
        self._deaths = 0
        self._died: WorkerError | None = None
        self._alone_until = 0.0
        self._muted = False
        self._stop = asyncio.Event()
        self._reloaded = False
        self._busy = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._under_way: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> bool:
        """Runs until a signal asks to stop.

        Returns:
            Whether the work under way has come to its end. If not, a thread may still copy or tidy up the
            database: it cannot be interrupted, and may be killed at any moment.

        Raises:
            LockedError: Another process ingests already.
        """
        with hold(self._paths.ingest_lock, "the daemon"):
            loop = self._loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stop.set)
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` has it stay
                hung_up = self._stop.set if sys.stdin is not None and sys.stdin.isatty() else self._reload
                loop.add_signal_handler(signal.SIGHUP, hung_up)
            wakeups = Wakeups()
            wakeups.every(heartbeat.EVERY_S, self._sign_of_life)
            wakeups.every(heartbeat.EVERY_S, self._measure)
            wakeups.every(POLL_S, self.round)
            self._beat()
            wakeups.start()
            self._watch()
            log.info("started, process %d", os.getpid(), extra={"event": "started", "pid": os.getpid()})
            notify(READY)
            try:
                await self._stop.wait()
            finally:
                notify(STOPPING)
                self._say("stopping")
                wakeups.pause()
                if self._watching is not None:
                    self._watching.cancel()
                ended = await self._drain()
                wakeups.close()
                self._paths.heartbeat.unlink(missing_ok=True)
                log.info("stopped", extra={"event": "stopped"})
        return ended

    def _watch(self) -> None:
        """Waits for news of sources that can say so, in place of whatever waited before."""
        if self._watching is not None:
            self._watching.cancel()
        self._watching = asyncio.create_task(Watching(self._database, self._config, self._clock).run())

    def _reload(self) -> None:
        """Takes the settings as they are now; those that cannot be used change nothing."""
        try:
            self._config = config.load(self._paths.config_file)
        except TriageError as error:
            log.error("the settings are as they were: %s", error, extra={"event": "refused"})
            return
        log.info("the settings were read again", extra={"event": "reloaded"})
        self._watch()
        self._reloaded = True

    async def _drain(self) -> bool:
        """Waits for the work under way, or gives it up; whether it has come to its end."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._busy.acquire()
        except TimeoutError:
            log.warning(
                "the work under way did not end within %d s; it is repeated at the next start", DRAIN_S
            )
            if self._under_way is not None:
                self._under_way.cancel()
            # A thread that waits for the worker cannot be cancelled, and would be waited for.
            await asyncio.to_thread(self._worker.close)
            with contextlib.suppress(TimeoutError):  # what was asked of whom is still put down
                async with asyncio.timeout(GIVE_UP_S):
                    await self._busy.acquire()
            return False
        return True

    async def round(self) -> None:
        """Polls what is due; when something new came in, builds the digest anew; reads what is unread."""
        if self._stop.is_set():
            return
        async with self._busy:
            self._under_way = asyncio.current_task()
            try:
                if self._reloaded:
                    self._reloaded = False
                    await asyncio.to_thread(self._worker.close)  # the next one reads the settings
                    self._died = None
                self._say("fetching")
                await ingest.sync(
                    self._database,
                    self._config,
                    self._clock,
                    on_report=self._fetched,
                    on_portion=self._so_far,
                )
                await asyncio.to_thread(self._worker.rest)
                if not self._config.daemon.on_battery and await asyncio.to_thread(power.on_battery):
                    self._say("on battery: fetching only")
                    return
                died = await self._ask_worker()
                await self._now_and_then()
                nap = await asyncio.to_thread(ingest.until_next, self._database, self._clock, LONGEST_NAP)
                waiting = f"waiting until {(self._clock() + nap).astimezone():%H:%M}"
                self._say(waiting if died is None else f"{heartbeat.TROUBLE}{died}")
            except asyncio.CancelledError:
                return  # given up by the drain, which has said so
            except (TriageError, OSError) as error:
                # A full disk or a locked database passes; the next round tries again.
                fix = f" ({error.fix})" if isinstance(error, TriageError) and error.fix else ""
                log.error("%s%s", error, fix, extra={"event": "trouble"})
                self._say(f"{heartbeat.TROUBLE}{error}{fix}")
            finally:
                self._database.close()  # each connection keeps up to 16 MB of the pages that it read last
                memory.give_back()

    async def _ask_worker(self) -> WorkerError | None:
        """Has everything done that takes the model worker, unless it has just died; how it did.

        For want of memory it would die again at once, and to start it costs seconds of a processor: each time
        it is left alone for twice as long. Sources are polled meanwhile, and jobs done.
        """
        if self._died is not None and time.monotonic() < self._alone_until:
            return self._died
        try:
            await self._rank_what_is_new()
            await self._fetch_texts()
            await self._read_on()
        except WorkerError as error:
            self._deaths += 1
            pause_s = min(POLL_S * 2**self._deaths, LONGEST_PAUSE_S)
            self._alone_until = time.monotonic() + pause_s
            log.error("%s; it is tried again in %.0f s", error, pause_s, extra={"event": "trouble"})
            self._died = error
        else:
            self._deaths, self._died = 0, None
        return self._died

    async def _rank_what_is_new(self) -> None:
        digest = digest_file.read(self._paths.digest)
        now = self._clock()
        late = schedule.edition_due(digest.built_at if digest else None, now, self._config.digest.hour)
        if not late and not await asyncio.to_thread(ingest.anything_new, self._database, digest, now):
            return
        self._say("ranking")
        began = time.monotonic()
        built = await asyncio.to_thread(self._worker.build, now, self._progress)
        seconds = round(time.monotonic() - began, 3)
        told = {"event": "ranked", "items": len(built.items), "seconds": seconds}
        log.info("ranked: a digest of %d items in %.1f s", len(built.items), seconds, extra=told)
        await asyncio.to_thread(self._tell)

    def _fetched(self, report: SourceReport, done: int, total: int) -> None:
        self._progress("fetching", done, total)
        about = f"{report.new} new, {report.revised} revised"
        said = report.error or report.postponed
        log.log(
            logging.WARNING if report.error else logging.INFO,
            "source %d (%s): %s, %.1f s",
            report.id,
            report.title,
            f"{about}, {said}" if said else about,
            report.seconds,
            extra={
                "event": "fetched",
                "source": report.id,
                "title": report.title,
                "new": report.new,
                "revised": report.revised,
                "refused": len(report.refusals),
                "unchanged": report.not_modified,
                "seconds": report.seconds,
                "error": report.error,
                "postponed": report.postponed,
            },
        )

    async def _fetch_texts(self) -> None:
        """Fetches the full texts of what is likely to be shown, and ranks again with those that came."""
        done = await fulltext.fetch_likely(
            self._database,
            self._config,
            self._clock,
            digest_file.read(self._paths.digest),
            on_progress=self._progress,
            stopping=self._stop.is_set,
        )
        if any(fetched.got for fetched in done):
            self._say("ranking")
            await asyncio.to_thread(self._worker.reread, self._clock())
        for fetched in done:
            told = {"event": "full text", "item": fetched.id, "got": fetched.got}
            log.info("item %d: %s", fetched.id, fetched.message, extra=told)

    async def _read_on(self) -> None:
        """Reads what is known by its beginning only, until all is read or a source is due."""
        waiting = await asyncio.to_thread(ingest.unread, self._database)
        while waiting and not self._stop.is_set():
            self._say(f"reading the rest, {waiting} items to go")
            waiting = await asyncio.to_thread(self._worker.read_on, self._clock())
            await asyncio.to_thread(self._database.shorten_log)
            if not await asyncio.to_thread(ingest.until_next, self._database, self._clock, LONGEST_NAP):
                return

    def _tell(self) -> None:
        """Notifies of what cannot wait. A way that does not work is an error in the log, and no more."""
        digest = digest_file.read(self._paths.digest)
        if digest is None or digest.demo:
            return
        for item in notifying.due(self._database, self._clock, digest, self._config.notify):
            try:
                way = desktop.notify(item, self._config.notify)
                log.info("told %s of item %d", way, item.id, extra={"event": "notified", "item": item.id})
            except TriageError as error:
                fix = f" ({error.fix})" if error.fix else ""
                log.error("%s%s", error, fix, extra={"event": "not notified", "item": item.id})

    async def _now_and_then(self) -> None:
        """Does the jobs whose turn has come; one that fails says so in its row and hinders no other."""
        known = jobs.jobs(
            self._paths, self._config, self._clock, self._database, self._worker, self._progress
        )
        for job in await asyncio.to_thread(self._due, known):
            if self._stop.is_set():
                return
            self._say(job.doing)
            await asyncio.to_thread(self._run_job, job)

    def _due(self, known: tuple[jobs.Job, ...]) -> list[jobs.Job]:
        with self._database.read() as connection:
            last = job_log.all_jobs(connection)
        return jobs.due(known, last, self._clock())

    def _run_job(self, job: jobs.Job) -> None:
        with self._database.write() as connection:
            job_log.start(connection, job.name, self._clock())
        failed, began = False, time.monotonic()
        try:
            said = job.run()
        except (TriageError, OSError) as error:
            said, failed = str(error), True
        with self._database.write() as connection:
            job_log.finish(connection, job.name, self._clock(), said, failed=failed)
        log.log(
            logging.ERROR if failed else logging.INFO,
            "%s: %s",
            job.name,
            said,
            extra={
                "event": "job",
                "job": job.name,
                "failed": failed,
                "seconds": round(time.monotonic() - began, 3),
            },
        )

    def _so_far(self, report: SourceReport) -> None:
        self._show(f"fetching {report.title}, {words.plural(report.new, 'item')} so far")

    def _progress(self, what: str, done: int, total: int) -> None:
        """Says how far long work is; may be called in any thread."""
        if total > 1:
            self._show(f"{what}, {done} of {total}")

    def _show(self, doing: str) -> None:
        """Says what is done, at most once a second; may be called in any thread."""
        now = time.monotonic()
        if self._loop is not None and now - self._shown >= 1:
            self._shown = now
            self._loop.call_soon_threadsafe(self._say, doing)

    def _say(self, doing: str) -> None:
        if doing != self._doing:
            self._doing, self._since = doing, time.monotonic()
        self._beat()

    async def _sign_of_life(self) -> None:
        self._beat()

    def _beat(self) -> None:
        notify(ALIVE, f"STATUS={self._doing}")
        try:
            now = time.monotonic()
            beat = heartbeat.Heartbeat(os.getpid(), now, self._doing, self._since, self._birth)
            heartbeat.write(self._paths.heartbeat, beat)
            self._muted = False
        except OSError as error:
            if not self._muted:
                log.error("cannot write %s: %s", self._paths.heartbeat, error.strerror)
            self._muted = True

    def _measure(self) -> None:
        """Writes the figures, if they are wanted. Reads the database, in a thread of the scheduler's."""
        if self._config.daemon.metrics is None:
            return
        path = Path(self._config.daemon.metrics).expanduser()
        try:
            metrics.write(path, self._paths, self._database, self._clock())
        except (TriageError, OSError) as error:
            log.error("no metrics: %s", error)
