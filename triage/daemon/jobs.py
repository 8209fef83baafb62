"""What the daemon does now and then besides polling and ranking: learning, copying the database, tidying up.

Owns when each is due. A job runs once however often it came due while the machine slept, and never while a
round is under way; one that fails is tried again, but not sooner than in an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.config import Clock, Config
from triage.core import schedule
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.services.digest import digest_file, digest_mail
from triage.services.fetching import client
from triage.services.ranker.worker_client import ModelWorker, Progress
from triage.services.reader import feedback
from triage.services.upkeep import backups, maintenance
from triage.store.engine import Database
from triage.store.jobs import JobRow

AGAIN = timedelta(hours=1)
"""After a failure."""
DAY = timedelta(days=1)
SOON = timedelta(minutes=1)
"""For a job that looks itself whether it was done today."""
NEW_MARKS = 20
"""So many likes and dislikes since the last time are worth another search for settings."""
LARGE = 500 * 2**20
"""Bytes of a database from which on it is copied weekly instead of daily."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done every so often."""

    name: str
    doing: str
    """For the sign of life: `copying the database`."""
    every: timedelta
    run: Callable[[], str]
    """Blocks; returns what came of it in words, raises TriageError or OSError."""
    worth_it: Callable[[JobRow | None], bool] = lambda _: True
    """Whether there is anything to do, given how it ran last."""


def due(jobs: tuple[Job, ...], last: Mapping[str, JobRow], now: datetime) -> list[Job]:
    """Those whose turn has come.

    A time that lies ahead was written before the clock was set back, and tells nothing.
    """
    found = []
    past = {name: row for name, row in last.items() if row.started_at <= now}
    for job in jobs:
        if (ran := past.get(job.name)) is not None:
            wait = AGAIN if ran.failed or ran.finished_at is None else job.every
            if now < ran.started_at + wait:
                continue
        if job.worth_it(ran):
            found.append(job)
    return found


def jobs(
    paths: Paths,
    config: Config,
    clock: Clock,
    database: Database,
    worker: ModelWorker,
    on_progress: Progress | None = None,
) -> tuple[Job, ...]:
    """All jobs, in the order in which they are done when several are due."""

    def copy() -> str:
        made = backups.make(paths, clock(), automatic=config.daemon.backups)
        return f"{made.path}, {made.bytes / 2**20:.1f} MiB"

    def learn() -> str:
        return worker.learn(clock(), on_progress).message

    def tidy() -> str:
        now = clock()
        return maintenance.tidy(database, config.retention, now, lambda ids: worker.shown(now, ids))

    def enough_marks(ran: JobRow | None) -> bool:
        return feedback.labels_since(database, ran.started_at if ran else None) >= NEW_MARKS

    def is_there(_: JobRow | None) -> bool:
        return config.daemon.backups > 0 and paths.database.exists()

    def mail() -> str:
        digest = digest_file.read(paths.digest)
        if digest is None:
            raise TriageError("there is no digest to send")
        client.note(database, clock, "sending", filter(None, [config.digest.mail.host]))
        to = digest_mail.send(digest, config.digest.mail, clock())
        # Who has it in the mail need not get the same tomorrow.
        digest_file.looked(paths.seen, digest, clock())
        return f"sent to {to}"

    def to_be_sent(ran: JobRow | None) -> bool:
        day = schedule.day_of(clock(), config.digest.hour)
        return config.digest.send and (ran is None or ran.failed or ran.started_at < day)

    large = paths.database.exists() and paths.database.stat().st_size > LARGE
    return (
        Job("mail", "sending the digest", SOON, mail, to_be_sent),
        Job("backup", "copying the database", 7 * DAY if large else DAY, copy, is_there),
        Job("tidy", "tidying up", DAY, tidy),
        Job("learn", "learning from your marks", DAY, learn, enough_marks),
    )


_TITLES = {"mail": "last mail", "backup": "last copy", "tidy": "last tidied", "learn": "last learned"}


def listed(ran: Iterable[JobRow]) -> list[str]:
    """Each job as it ran last, a line each, for a status."""
    return [f"{_TITLES.get(row.name, row.name)}: {_ran(row)}" for row in ran]


def _ran(row: JobRow) -> str:
    began = f"{row.started_at.astimezone():%a %d %b %H:%M}"
    if row.finished_at is None:
        return f"began {began}, not ended yet"
    return f"{began}, {'failed: ' if row.failed else ''}{row.said or 'nothing to do'}"
