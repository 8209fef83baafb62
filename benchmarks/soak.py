"""A month of items through the daemon's rounds, without an encoder: does anything grow that should not?

    python benchmarks/soak.py [--items 1000000] [--days 30] [--sources 200] [--json FILE]

Rounds, jobs and model worker are those of the daemon (`triage.daemon.app.Daemon.round`), on a clock that goes
on by six hours from round to round. Each round every source brings new items and some that were there
before; each morning the reader looks at the digest and marks ten items. As in life, a worker is ended when
it is six hours old. Sources invent their documents, and vectors are drawn by hash instead of being encoded,
which the first line of the output says.

Prints a line a day: memory of this process, the peak of the day's workers, processor seconds of both for
each 1,000 items, size of the files for each item, open files and threads. Ends with 1 if memory of either
has grown by 5 % or more after the first week. Needs `/proc`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ingestors.base import Entry, FetchRequest, FetchResult, Tools
from triage.config import Config, DaemonConfig, FullTextConfig, NotifyConfig
from triage.core.verbs import Verb
from triage.daemon.app import Daemon
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import ingest
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback
from triage.store import sources
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

START = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
ROUND = timedelta(hours=6)
ROUNDS_A_DAY = 4
OLDEST = timedelta(hours=6)
"""Of a worker, by the clock of this month; see `triage.services.ranker.worker_client.OLDEST_S`."""
AGAIN = 5
"""Entries that a source still shows of the poll before."""
WARM_UP_DAYS = 7
LIMIT = 0.05
"""Growth of memory after these days that is too much."""
SETTINGS = Config(
    full_text=FullTextConfig(fetch=False),
    notify=NotifyConfig(desktop=False),
    daemon=DaemonConfig(on_battery=True, backups=0),
)


class Clock:
    """The clock of the month."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The present; a look takes no time."""
        return self.now


class Inventing:
    """An ingestor whose sources bring documents of invented words, all different."""

    name = "inventing"
    kind = "feed"

    def __init__(self, portions: Sequence[int]) -> None:
        """Takes how many documents each poll brings, of one source after the other."""
        letters = "aeioubdglmnprst"
        choose = random.Random("soak")  # noqa: S311
        self._words = ["".join(choose.choices(letters, k=6)) for _ in range(5_000)]
        self._portions = portions

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """The documents of the next poll, after the last few of the one before."""
        first = int(str(request.cursor.get("next", 0)))
        size = self._portions[int(request.target)]
        entries = [self._entry(f"{request.target}-{n}") for n in range(max(0, first - AGAIN), first + size)]
        return FetchResult(entries=tuple(entries), cursor={"next": first + size}, title=request.target)

    def _entry(self, key: str) -> Entry:
        """One document of 40 words."""
        said = random.Random(key).choices(self._words, k=40)  # noqa: S311
        return Entry(key=key, title=" ".join(said[:6]), text=" ".join(said), url=f"https://e.example/{key}")


class SoakedWorker(ModelWorker):
    """A worker with the stub, as old as the clock of the month says."""

    COMMAND = (sys.executable, "-P", __file__, "--worker")

    def __init__(self, paths: Paths, clock: Clock) -> None:
        super().__init__(paths, demo=False)
        self._clock = clock
        self._since: datetime | None = None
        self.peak_mb = 0.0
        """The most that any worker had since this was last set."""

    def rest(self) -> None:
        """Ends the process if it is old."""
        if self._since is None:
            self._since = self._clock()
        elif self._clock() - self._since >= OLDEST:
            self.close()

    def close(self) -> None:
        """Ends the process."""
        if self._child is not None:
            self.peak_mb = max(self.peak_mb, megabytes(self._child.pid, "VmHWM"))
        super().close()
        self._since = None


@dataclass(frozen=True, slots=True)
class Day:
    """What one day has come to."""

    day: int
    items: int
    """Stored so far."""
    parent_mb: float
    worker_mb: float
    parent_ms: float
    """Processor milliseconds an item."""
    worker_ms: float
    bytes_an_item: float
    """Of database and vectors."""
    wal_mb: float
    files: int
    threads: int


def megabytes(process: int | str, field: str) -> float:
    """A field of a process's status, in MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) / 1024


def cpu(who: int) -> float:
    """Processor seconds."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def live(home: Paths, items: int, days: int, source_count: int) -> list[Day]:
    """Runs the month; prints and returns its days."""
    clock = Clock()
    database = Database(home.database, checkpoints=True)
    ensure_schema(database, home.backups, START)
    polls = days * ROUNDS_A_DAY
    a_round = -(-items // polls)
    portions = [a_round // source_count + (n < a_round % source_count) for n in range(source_count)]
    with database.write() as connection:
        for number in range(source_count):
            sources.add(
                connection,
                ingestor="inventing",
                kind="feed",
                target=str(number),
                title=f"Source {number}",
                tags=[],
                allow_local=False,
                now=START,
            )
    inventing = Inventing(portions)
    ingest.registry.get = lambda name: inventing  # type: ignore[assignment]
    worker = SoakedWorker(home, clock)
    daemon = Daemon(home, SETTINGS, clock, database, worker)
    found = []
    for day in range(days):
        started = cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN)
        for number in range(ROUNDS_A_DAY):
            with database.write() as connection:
                sources.recall(connection, range(1, source_count + 1), clock())
            asyncio.run(daemon.round())
            if number == 0:
                read(home, database, worker, clock)
            clock.now += ROUND
        worker.close()
        spent = cpu(resource.RUSAGE_SELF) - started[0], cpu(resource.RUSAGE_CHILDREN) - started[1]
        found.append(measured(day + 1, home, database, worker, spent, a_round * ROUNDS_A_DAY))
        say(found[-1])
        worker.peak_mb = 0.0
    database.close()
    return found


def read(home: Paths, database: Database, worker: ModelWorker, clock: Clock) -> None:
    """The reader's morning: looks at the digest, marks ten of it."""
    digest = digest_file.read(home.digest)
    assert digest is not None
    digest_file.looked(home.seen, digest, clock())
    for n, item in enumerate(digest.items[:10]):
        feedback.mark(database, clock, item.id, Verb.LIKE if n % 2 else Verb.DISLIKE)
    worker.rerank(clock())


def measured(
    day: int, home: Paths, database: Database, worker: SoakedWorker, spent: tuple[float, float], new: int
) -> Day:
    """The figures of a day. To count items, SQLite reads an index into this process's memory."""
    parent = megabytes("self", "VmRSS")
    with database.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM item").scalar_one()
    size = home.database.stat().st_size + sum(file.stat().st_size for file in home.vectors.iterdir())
    wal = home.database.with_name(home.database.name + "-wal")
    return Day(
        day=day,
        items=count,
        parent_mb=parent,
        worker_mb=worker.peak_mb,
        parent_ms=1000 * spent[0] / new,
        worker_ms=1000 * spent[1] / new,
        bytes_an_item=size / count,
        wal_mb=wal.stat().st_size / 2**20 if wal.exists() else 0.0,
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=threading.active_count(),
    )


def say(day: Day) -> None:
    """Prints a line."""
    write(
        f"{day.day:>4} {day.items:>9} {day.parent_mb:>9.1f} {day.worker_mb:>9.1f} {day.parent_ms:>11.2f}"
        f" {day.worker_ms:>11.2f} {day.bytes_an_item:>10.0f} {day.wal_mb:>7.1f}"
        f" {day.files:>6} {day.threads:>8}"
    )


def write(line: str) -> None:
    """Prints it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def growth(values: Sequence[float]) -> float:
    """By what share the most after the warm-up exceeds the most in it."""
    return max(values[WARM_UP_DAYS:]) / max(values[:WARM_UP_DAYS]) - 1


def serve_stub() -> None:
    """A model worker whose encoder is the stub."""
    import encoder_in_process

    from triage.services.ranker import worker

    encoder_in_process.install()
    worker.main()


def main() -> int:
    """Runs the month and judges it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        serve_stub()
        return 0
    write("vectors are stubs: sums of random directions, one for each word")
    write(" day     items parent MB worker MB parent ms/i worker ms/i bytes/item  WAL MB  files  threads")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        os.environ["TRIAGE_HOME"] = folder
        home = Paths.of()
        home.create()
        days = live(home, asked.items, asked.days, asked.sources)
    report: dict[str, Any] = {"days": [asdict(day) for day in days]}
    if asked.days > WARM_UP_DAYS:
        for who in ("parent", "worker"):
            grown = report[who] = growth([getattr(day, f"{who}_mb") for day in days])
            write(f"growth of the {who}'s memory after day {WARM_UP_DAYS}: {grown:+.1%}")
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return int(any(report.get(who, 0.0) >= LIMIT for who in ("parent", "worker")))


if __name__ == "__main__":
    sys.exit(main())
