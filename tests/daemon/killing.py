"""Processes that ingest, rank, tidy up and mark until they are killed, and what must be true afterwards.

They are forked from a process that has imported everything, so that a life costs milliseconds: a thousand of
them are a matter of minutes. Sources and encoder are scripted; the rest is the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn, cast

from world import NOW

from ingestors.base import Entry, FetchRequest, FetchResult, Tools
from triage.config import Clock, Config, RetentionConfig
from triage.core.errors import LockedError, TriageError
from triage.core.items import Recorded
from triage.core.verbs import MARKS, Verb
from triage.daemon import app
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import ingest
from triage.services.ranker.worker import Worker
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback
from triage.services.upkeep import backups, maintenance
from triage.store.engine import Database
from triage.tui.backend import Backend
from triage.tui.writer import Job, Write, Writer

SOURCES = 4
ENTRIES = 6
"""That each poll of a source brings; two of them were there before."""
HOURS_A_SECOND = 3_600
"""How fast the clock of these processes goes, so that sources are always due."""


class Numbered:
    """An ingestor whose sources bring numbered entries; its cursor counts the polls."""

    name = "numbered"
    kind = "feed"

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """The entries of the next poll, the last two of the one before among them."""
        count = int(str(request.cursor.get("polls", 0)))
        first = count * (ENTRIES - 2)
        entries = tuple(entry(request.target, number) for number in range(first, first + ENTRIES))
        return FetchResult(entries=entries, cursor={"polls": count + 1}, title=request.target)


def entry(source: str, number: int) -> Entry:
    """One document; its words depend on its number, so that no two are taken for the same."""
    rng = random.Random(f"{source} {number}")
    words = ["".join(rng.choices("aeioubdglmnprst", k=7)) for _ in range(25)]
    return Entry(key=f"{source}/{number}", title=" ".join(words[:5]), text=" ".join(words))


@dataclass
class Marking:
    """As much of the interface's backend as marks need."""

    database: Database
    clock: Clock

    def mark(self, item_id: int, verb: Verb) -> Recorded:
        return feedback.mark(self.database, self.clock, item_id, verb)


@dataclass
class Home:
    """A home in which processes live and die."""

    paths: Paths
    started: float = field(default_factory=time.time)
    acknowledged: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Event id -> (item, mark), for every mark that was said to be stored."""

    def clock(self) -> datetime:
        """The same for all processes, and fast."""
        return NOW + timedelta(hours=(time.time() - self.started) * HOURS_A_SECOND / 3_600)

    def prepare(self) -> None:
        """Adds the sources."""
        with self.opened() as database:
            for number in range(SOURCES):
                with database.write() as connection:
                    from triage.store import sources as table

                    table.add(
                        connection,
                        ingestor="numbered",
                        kind="feed",
                        target=f"feed-{number}",
                        title=f"feed-{number}",
                        tags=[],
                        allow_local=False,
                        now=NOW,
                    )

    @contextlib.contextmanager
    def opened(self) -> Iterator[Database]:
        """The database, for as long as the block runs."""
        database = Database(self.paths.database, checkpoints=True)
        try:
            yield database
        finally:
            database.close()

    def ingest(self) -> None:
        """Polls, ranks, tidies up and copies, for ever."""
        with self.opened() as database:
            worker = Worker(self.paths, Config(), demo=False, replies=io.BytesIO())
            while True:
                asyncio.run(ingest.sync(database, Config(), self.clock, ask_now=True))
                worker.answer({"op": "build", "now": self.clock().isoformat()})
                worker.finish()
                maintenance.tidy(database, RetentionConfig(feed_days=30), self.clock())
                backups.make(self.paths, self.clock(), automatic=2)

    def mark(self, acknowledge: Callable[[bytes], object]) -> None:
        """Marks items by chance, for ever, as the interface does; each is acknowledged where it is shown."""
        rng = random.Random(os.getpid())

        def deliver(job: Job, recorded: Recorded | None, error: BaseException | None) -> None:
            if recorded is not None:
                (item,) = job.item_ids
                acknowledge(f"{recorded.event_id} {item} {job.verb}\n".encode())
            elif not isinstance(error, TriageError):  # one that says that the item is not there yet
                os._exit(3)

        with self.opened() as database:
            writer = Writer(cast("Backend", Marking(database, self.clock)), deliver)
            while True:
                item, verb = rng.randrange(1, 40), rng.choice(MARKS)
                write = functools.partial(Marking.mark, item_id=item, verb=verb)
                writer.submit(cast("Write", write), "marked", verb=verb, item_ids=frozenset({item}))
                time.sleep(0.002)

    def run_daemon(self) -> None:
        """Runs a daemon that has nothing to do, or ends with the code of a lock that is held."""
        with self.opened() as database:
            worker = ModelWorker(self.paths, demo=False)
            try:
                asyncio.run(app.Daemon(self.paths, Config(), self.clock, database, worker).run())
            except LockedError as error:
                os._exit(error.exit_code)

    def lives(self, seconds: float, victims: str, *, marked: bool = False) -> float:
        """Has both processes live for so long or, `marked`, until a mark is stored; kills one or both.

        Returns the seconds that they lived.
        """
        reading, writing = os.pipe()
        children = {
            "ingest": fork(self.ingest),
            "mark": fork(lambda: self.mark(lambda line: os.write(writing, line))),
        }
        os.close(writing)
        born = time.monotonic()
        select.select([reading] if marked else [], [], [], seconds)
        lived = time.monotonic() - born
        for name in children if victims == "both" else (victims, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(children[name], signal.SIGKILL)
        endings = [os.waitpid(pid, 0)[1] for pid in children.values()]
        with os.fdopen(reading, "rb") as acknowledged:
            for line in acknowledged.read().splitlines():
                event, item, verb = line.decode().split()
                self.acknowledged[int(event)] = (int(item), verb)
        assert all(os.waitstatus_to_exitcode(ending) == -signal.SIGKILL for ending in endings), endings
        return lived

    def problems(self, *, thorough: bool) -> list[str]:
        """What is lost, double or damaged."""
        found: list[str] = []
        with self.opened() as database:
            if thorough and (said := database.pragma("integrity_check")) != "ok":
                found.append(f"integrity: {said}")
            with database.read() as connection:
                rows = connection.exec_driver_sql("SELECT key, count(*) FROM item GROUP BY key").all()
                cursors = connection.exec_driver_sql("SELECT target, cursor FROM source").all()
                events = connection.exec_driver_sql("SELECT id, item_id, verb FROM event").all()
                unfound = connection.exec_driver_sql(
                    "SELECT count(*) FROM item_text LEFT JOIN item_search ON item_search.rowid = item_id"
                    " WHERE item_search.rowid IS NULL"
                ).scalar_one()
                orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        found += [f"{key} is there {count} times" for key, count in rows if count > 1]
        there = {key for key, _ in rows}
        for target, cursor in cursors:
            import json

            polls = json.loads(cursor).get("polls", 0)
            expected = {f"{target}/{n}" for n in range(polls * (ENTRIES - 2) + 2 if polls else 0)}
            found += [f"{key} is lost" for key in expected - there]
            mine = {key for key in there if key.startswith(f"{target}/")}
            found += [f"{key} came without its cursor" for key in mine - expected]
        stored = {event: (item, verb) for event, item, verb in events}
        found += [f"mark {event} is lost" for event in self.acknowledged.keys() - stored.keys()]
        found += [f"mark {e} changed" for e, said in self.acknowledged.items() if stored.get(e, said) != said]
        found += [f"{unfound} items are not searchable"] if unfound else []
        found += [f"{len(orphans)} rows point to nothing"] if orphans else []
        try:
            digest_file.read(self.paths.digest)
        except TriageError as error:
            found.append(str(error))
        return found


def fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    _live(work)


def _live(work: Callable[[], None]) -> NoReturn:
    """Works until it is killed; whatever ends it otherwise is a failure that the parent sees."""
    try:
        signal.set_wakeup_fd(-1)
        work()
    except BaseException:  # noqa: BLE001  the parent must not go on twice
        import traceback

        traceback.print_exc()
    finally:
        os._exit(3)
