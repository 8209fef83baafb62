"""The one way to a connection: SQLite set up for two processes, or a clear error.

Owns the driver, the pragmas and the transaction rules: readers are deferred, writers `BEGIN IMMEDIATE`
(a deferred transaction that reads first and writes later fails half the time under two processes).
Only a process that holds the ingest lock checkpoints the write-ahead log. Knows no table.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from triage.core.errors import LockedError, SchemaError, TriageError

try:  # a SQLite without the WAL-reset corruption bug, where the platform has a wheel
    from pysqlite3 import dbapi2 as driver
except ImportError:
    driver = sqlite3

__all__ = [
    "APPLICATION_ID",
    "OLDEST_SQLITE",
    "SAFE_SQLITE",
    "Database",
    "driver",
    "named_errors",
    "sqlite_version",
    "upsert",
]

APPLICATION_ID = 0x74726961
"""`tria` in ASCII, stamped into the file, so that a wrong file is refused."""
SAFE_SQLITE = (3, 51, 3)
"""The first release without the WAL-reset bug (two processes that write and checkpoint can lose pages)."""
OLDEST_SQLITE = (3, 43, 0)
"""The first release that can delete from a search index that keeps no copy of the texts."""
BUSY_TIMEOUT_MS = 10_000
CHECKPOINT_PAGES = 4_000
"""After so many pages of 4 KB the log is copied into the file: rarely enough that a first load, which changes
the same pages of the search index again and again, does not copy them each time."""
LONGEST_LOG = 64 * 2**20
"""Bytes of the log beyond which it is cut when it begins anew. While the model worker, who never checkpoints,
reads 8,000 new items, it writes 300 MB."""
CACHE_KB = 16_000
"""Memory for pages in the process that ingests; SQLite's own choice is 2,000."""
MEMORY_SHARE = 8
"""An eighth of the machine's memory may be taken for writing the file anew. The SQLite that comes along
builds it there, whatever `temp_store` says (it is compiled with SQLITE_TEMP_STORE=3)."""
_NOT_A_DATABASE = "file is not a database"
_DAMAGED = ("malformed", "Could not decode to UTF-8", "no such table", "no such column")


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite that is in use."""
    version: tuple[int, ...] = driver.sqlite_version_info
    return version


class Database:
    """An open database. Safe to use from several threads; each block takes its own connection."""

    def __init__(self, path: Path, *, checkpoints: bool = False) -> None:
        """Opens lazily.

        Args:
            path: The file; its folder exists.
            checkpoints: Whether this process may checkpoint: it holds the ingest lock.

        Raises:
            SchemaError: This Python's SQLite is too old.
        """
        if (version := sqlite_version()) < OLDEST_SQLITE:
            found, needed = (".".join(map(str, each)) for each in (version, OLDEST_SQLITE))
            raise SchemaError(
                f"SQLite {found} is too old: {needed} is needed",
                fix=f"{sys.executable} -m pip install pysqlite3",
            )
        self.path = path
        self._engine = _create_engine(path, checkpoints)
        self._watch: Connection | None = None
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot; raises TriageError for what a reader can mend."""
        with named_errors(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, all or nothing, that holds the write lock from its first statement.

        Threads of this process take turns: SQLite would let them poll for its lock, and the unlucky one of
        sixteen gives up.
        """
        with (
            self._writer,
            named_errors(self.path),
            self._engine.connect().execution_options(triage_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def put_in_order(self) -> int:
        """Has SQLite keep its statistics and its file in order; returns the bytes given back to the disk.

        The file is written anew only where a quarter of it is empty, because that keeps writers out, and
        takes what is left of it in memory and on the disk. Where there is no room, empty pages stay.
        """
        with named_errors(self.path), self._writer, self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            size = self.path.stat().st_size
            raw.execute("PRAGMA optimize").close()
            pages, free, of_bytes = (
                raw.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            fits = (pages - free) * of_bytes < _memory() / MEMORY_SHARE
            if free * 4 > pages and fits and shutil.disk_usage(self.path.parent).free > 2 * size:
                raw.execute("VACUUM").close()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            return max(size - self.path.stat().st_size, 0)

    def shorten_log(self) -> None:
        """Copies the log into the file if it has grown long, as it does while another process writes.

        Waits for nobody, and may only be called where `checkpoints` is true.
        """
        log = self.path.with_name(f"{self.path.name}-wal")
        if not log.exists() or log.stat().st_size <= LONGEST_LOG:
            return
        with named_errors(self.path), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)").close()

    def change_counter(self) -> int:
        """A number that changes whenever another connection has committed."""
        with named_errors(self.path):
            if self._watch is None:
                self._watch = self._engine.connect()
            counter = self._watch.exec_driver_sql("PRAGMA data_version").scalar_one()
            self._watch.rollback()
        return int(counter)

    def pragma(self, name: str) -> Any:  # noqa: ANN401 - pragmas return numbers or text
        """The first value of a pragma, outside any transaction of ours."""
        with named_errors(self.path), self._engine.connect() as connection:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    @property
    def engine(self) -> Engine:
        """For migrations only."""
        return self._engine

    def close(self) -> None:
        """Closes every connection; the database can be used again afterwards."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._engine.dispose()


def _create_engine(path: Path, checkpoints: bool) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        module=driver,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        # The driver must not begin transactions by itself: SQLAlchemy's "begin" event below does.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "temp_store = MEMORY",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES if checkpoints else 0}",
            f"journal_size_limit = {LONGEST_LOG}",
            f"cache_size = -{CACHE_KB if checkpoints else 2_000}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = "IMMEDIATE" if connection.get_execution_options().get("triage_write") else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _memory() -> int:
    """Bytes of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _to_json(value: object) -> str:
    """An eighth of the time of the standard library, which items have four times each."""
    return msgspec.json.encode(value).decode()


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turns what a reader can cause or mend into our errors; anything else is a bug and passes through."""
    try:
        yield
    except DatabaseError as error:
        text = str(error.orig)
        if "locked" in text or "busy" in text:
            raise LockedError(
                f"{path} has been locked by another process for {BUSY_TIMEOUT_MS // 1000} s"
            ) from error
        if "full" in text:
            raise TriageError(
                f"no space left for {path}; nothing was changed", fix="free some disk space"
            ) from error
        if "readonly" in text or "unable to open" in text or "I/O" in text:
            raise TriageError(
                f"cannot use {path}: {text}", fix=f"check the permissions and the free space of {path.parent}"
            ) from error
        if _NOT_A_DATABASE in text:
            raise SchemaError(
                f"{path} is no database",
                fix="triage db backup --list, then: triage db restore FILE",
            ) from error
        if any(words in text for words in _DAMAGED):
            raise TriageError(
                f"{path} is damaged; it was left as it is",
                fix="triage db backup --list, then: triage db restore FILE",
            ) from error
        raise
