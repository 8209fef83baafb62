"""The composition root: builds the parts of a run from paths, settings and clock, and hands them out.

The only module that knows both the terminal interface and the services, so it also owns the few things that
commands and interface have in common and that take several parts, such as learning and fetching full texts.
Everything heavy is imported when it is first needed, so that a plain command and the first frame stay fast.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from triage import config
from triage.core.crash import crash_point
from triage.core.errors import TriageError
from triage.core.items import Change, Digest
from triage.paths import Paths
from triage.services.digest import digest_file

if TYPE_CHECKING:
    from triage.guided_start import GuidedStart
    from triage.services.fetching.fulltext import Fetched
    from triage.services.ranker.worker_client import ModelWorker, Progress
    from triage.store.engine import Database
    from triage.tui.keymap import Keymap


log = logging.getLogger(__name__)
T = TypeVar("T")

GARBAGE_OF_MONTHS = 700
"""Python's own threshold of its collector, which a command raises: see `triage.cli.main`."""
TURN_S = 0.1
"""Pause of a loop that asks for the same lock again and again: it goes to whoever asks first."""


async def unless_set(closing: threading.Event, work: Coroutine[Any, Any, T], given_up: str) -> T:
    """What `work` comes to; raises TriageError with `given_up` if `closing` is set meanwhile."""
    import asyncio

    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=TURN_S)
        if closing.is_set():
            task.cancel()
            await asyncio.wait({task})
            raise TriageError(given_up)
    return task.result()


class Runtime:
    """One run of the program; a context manager that ends the worker and closes the database."""

    def __init__(self, paths: Paths, *, clock: config.Clock | None = None, demo: bool = False) -> None:
        self.paths = paths
        self.demo = demo
        self.clock = clock or config.clock()
        self.config = config.load(paths.config_file)
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._worker: ModelWorker | None = None

    @classmethod
    def open(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """From the environment: `TRIAGE_HOME`, `TRIAGE_NOW`. A demo's home brings its own clock."""
        paths = Paths.of(environ)
        if paths.demo_marker.exists() and not environ.get("TRIAGE_NOW"):
            environ = {**environ, "TRIAGE_NOW": paths.demo_marker.read_text(encoding="utf-8").strip()}
        return cls(paths, clock=config.clock(environ), demo=paths.demo_marker.exists())

    def __enter__(self) -> Self:
        """Nothing is opened until it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends what was started."""
        self.close()

    @property
    def database(self) -> Database:
        """The database, with its schema up to date."""
        with self._opening:  # the terminal asks from several threads
            if self._database is None:
                self._database = self._open_database(checkpoints=False)
            return self._database

    def _open_database(self, *, checkpoints: bool) -> Database:
        from triage.store.engine import Database
        from triage.store.migrate import ensure_schema

        try:
            self.paths.create()
        except OSError as error:
            raise TriageError(
                f"cannot use {error.filename}: {error.strerror}",
                fix="set TRIAGE_HOME to a folder that you can write to",
            ) from error
        database = Database(self.paths.database, checkpoints=checkpoints)
        ensure_schema(database, self.paths.backups, self.clock())
        return database

    @property
    def worker(self) -> ModelWorker:
        """The model worker; its process starts with the first request."""
        if self._worker is None:
            from triage.services.ranker.worker_client import ModelWorker

            _ = self.database  # the worker expects the folders and the schema
            with self._opening:
                if self._worker is None:
                    self._worker = ModelWorker(self.paths, demo=self.demo)
        return self._worker

    @contextmanager
    def ingesting(self, what: str) -> Iterator[Database]:
        """The database of the one process that may ingest; raises LockedError for a second one."""
        from triage.daemon.lock import hold

        _ = self.database
        with hold(self.paths.ingest_lock, what):
            self._settle_to_ingest()
            yield self.database

    @contextmanager
    def replacing(self, what: str) -> Iterator[None]:
        """Nobody ingests while the block runs, and the database need not be one; raises LockedError."""
        from triage.daemon.lock import hold

        self.paths.create()
        with hold(self.paths.ingest_lock, what):
            yield

    def _settle_to_ingest(self) -> None:
        """Opens the database as the process that ingests, with everything imported that stays to its end.

        The garbage collector leaves alone what there is by now. Otherwise it would look through all of it
        again and again, and once more at the end: a tenth of a round in which nothing has changed.
        """
        if self._database is not None:
            self._database.close()
        self._database = self._open_database(checkpoints=True)
        gc.freeze()

    def first_page(self) -> Digest | None:
        """The digest as last built; reads one file."""
        return digest_file.read(self.paths.digest)

    def looked_at(self, digest: Digest) -> None:
        """Notes that the reader has a digest in front of them: what it holds is not new tomorrow."""
        try:
            digest_file.looked(self.paths.seen, digest, self.clock())
        except OSError as error:
            log.warning("%s cannot be written, so tomorrow brings the same again: %s", self.paths.seen, error)

    def send(self, digest: Digest) -> str:
        """Sends a digest by mail; returns the address that it went to."""
        from triage.services.digest import digest_mail
        from triage.services.fetching import client

        client.note(self.database, self.clock, "sending", filter(None, [self.config.digest.mail.host]))
        return digest_mail.send(digest, self.config.digest.mail, self.clock())

    def unread(self) -> int:
        """How many items are known by their beginning only, because so many came in at once."""
        from triage.services.fetching import ingest

        return ingest.unread(self.database)

    def fetch_texts(self, on_progress: Progress) -> int:
        """Fetches the full texts of what is likely to be shown, and ranks again with them; how many came."""
        import asyncio

        from triage.services.fetching import fulltext

        if self.demo:
            return 0  # its pages are as invented as its items
        likely = fulltext.fetch_likely(
            self.database, self.config, self.clock, self.first_page(), on_progress=on_progress
        )
        got = sum(fetched.got for fetched in asyncio.run(likely))
        if got:
            self.worker.reread(self.clock(), on_progress)
        return got

    def fetch_asked(
        self, ids: Sequence[int], on_progress: Progress, closing: threading.Event
    ) -> list[Fetched]:
        """Fetches the full texts of items, because the reader asks, and ranks again with those that came.

        Raises:
            TriageError: There is nothing to fetch, this is the demo, or `closing` was set meanwhile.
        """
        import asyncio

        from triage.services.fetching import fulltext

        if self.demo:
            raise TriageError("this is the demo: its pages are as invented as its items")

        fetching = fulltext.fetch_asked(self.database, self.clock, ids, on_progress)
        done = asyncio.run(unless_set(closing, fetching, "the full text was not waited for"))
        if any(fetched.got for fetched in done) and self.first_page() is not None:
            self.worker.reread(self.clock(), on_progress)
        return done

    def opened(self, item_id: int, seconds: float | None = None) -> None:
        """Remembers that the reader opened an item, unless the settings say not to."""
        from triage.services.reader import reading

        if self.config.reading.measure:
            reading.opened(self.database, self.clock, item_id, seconds)

    def learn(self, on_progress: Progress | None = None) -> Change:
        """Re-ranks after events that are already stored.

        Raises:
            TriageError: Only the order is late.
        """
        crash_point("learn:begun")
        digest, moved = self.worker.rerank(self.clock(), on_progress)
        return Change(digest, moved)

    def run_daemon(self) -> None:
        """Runs the daemon in the foreground until it is asked to stop."""
        import asyncio

        from triage.daemon.app import Daemon
        from triage.services.ranker.worker_client import ModelWorker

        _ = self.database
        self._settle_to_ingest()
        gc.set_threshold(GARBAGE_OF_MONTHS)
        self._worker = ModelWorker(self.paths, demo=self.demo, nice=10)

        async def run() -> bool:
            return await Daemon(self.paths, self.config, self.clock, self.database, self.worker).run()

        with asyncio.Runner() as runner:
            if not runner.run(run()):
                os._exit(0)  # a thread that was given up would be waited for

    def guided_start(self) -> GuidedStart:
        """The guided start on the services of this run."""
        from triage.guided_start import GuidedStart

        return GuidedStart(self)

    def run_tui(self, *, start: bool = False) -> int:
        """Runs the terminal interface until the reader leaves it; `start` begins with the guided start."""
        from triage.reader_backend import ReaderBackend
        from triage.tui.app import run

        keymap = read_keymap(self.config, self.paths.config_file)
        return run(
            ReaderBackend(self),
            demo=self.demo,
            now=self.clock,
            start=start,
            keymap=keymap,
            mouse=self.config.tui.mouse,
            colours=self.config.tui.theme,
        )

    def run_lines(self) -> int:
        """Runs the interface in lines until the reader leaves it."""
        from triage.reader_backend import ReaderBackend
        from triage.tui.lines import run

        return run(ReaderBackend(self), now=self.clock, demo=self.demo)

    def close(self) -> None:
        """Ends the worker and closes the database."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        if self._database is not None:
            self._database.close()
            self._database = None


def read_keymap(settings: config.Config, path: Path, text: str | None = None) -> Keymap:
    """The reader's keys.

    Args:
        settings: Which they are.
        path: Names the file where they stand, if one is wrong.
        text: What the file is going to hold; otherwise it is read.

    Raises:
        UsageError: There is no such action or key, or one key would mean two things.
    """
    from triage.tui.keymap import Keymap, WrongKeyError

    try:
        return Keymap.read(settings.keys)
    except WrongKeyError as error:
        raise config.refused(path, "keys", error.action, str(error), text) from error
