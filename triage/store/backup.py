"""Copies of the database: made while it is in use, checked, and put back in its place.

Owns what a copy is worth (`problems`) and the steps by which its content becomes that of the database, so
that at any moment there is a whole one under its name or beside it. Knows no table.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from triage.core.crash import crash_point
from triage.core.errors import SchemaError, TriageError
from triage.store.engine import APPLICATION_ID, driver

MOST_PROBLEMS = 20
_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_AT = slice(68, 72)
"""In the header of a database file, big-endian: https://www.sqlite.org/fileformat.html#application_id"""


def copy(database: Path, target: Path) -> None:
    """Writes a whole, compact copy, 0600, under the name `target`; what stood there is replaced.

    Raises:
        TriageError: It cannot be read, or there is no room for the copy; `target` is as it was.
    """
    partial = target.with_name(f".{target.name}.part")
    with _named(target), _being_written(partial):
        try:
            with closing(driver.connect(str(database))) as connection:
                connection.execute("VACUUM INTO ?", (str(partial),))
            _flush(partial)
            crash_point("backup:copied")
            partial.replace(target)
        finally:
            _discard(partial)


def is_copy(file: Path) -> bool:
    """Whether a file begins as a database of this program does."""
    with file.open("rb") as opened:
        header = opened.read(_APPLICATION_ID_AT.stop)
    return header.startswith(_MAGIC) and int.from_bytes(header[_APPLICATION_ID_AT]) == APPLICATION_ID


def discard_abandoned(folder: Path) -> None:
    """Removes the parts of copies that processes left which died while they made them."""
    for partial in folder.glob(".*.db.part"):
        with partial.open("rb") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _discard(partial)


def problems(file: Path) -> tuple[int, list[str]]:
    """The schema number of a database file, and what is wrong with it, in words; reads all of it.

    Raises:
        SchemaError: It is no database of this program.
    """
    with _named(file), closing(driver.connect(f"file:{_quoted(file)}?mode=ro", uri=True)) as connection:
        if _one(connection, "PRAGMA application_id") != APPLICATION_ID:
            raise SchemaError(f"{file} is no database of triage")
        number = int(_one(connection, "PRAGMA user_version"))
        found = [
            text for (text,) in connection.execute(f"PRAGMA integrity_check({MOST_PROBLEMS})") if text != "ok"
        ]
        lost = connection.execute("PRAGMA foreign_key_check").fetchmany(MOST_PROBLEMS)
        found += [f"a row of {table} points to no {parent}" for table, _, parent, _ in lost]
        # They would run with every statement of ours, and we never make any.
        planted = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')")
        found += [
            f"the {kind} {name!r} is none of triage's" for kind, name in planted.fetchmany(MOST_PROBLEMS)
        ]
    return number, found


def put_back(copy_of: Path, database: Path, aside: Path) -> None:
    """Makes the content of a copy that of the database. What was in it is kept under the name `aside`.

    One transaction of SQLite writes all pages, so that a kill leaves the old content or the new one, and
    other processes that have the database open go on with the new one. Only what is no database any more is
    replaced as a file.

    The caller holds the lock of ingestion and has checked the copy.

    Raises:
        TriageError: It cannot be written; the database is as it was.
    """
    with _named(database):
        try:
            if database.exists():
                copy(database, aside)
        except TriageError:  # too damaged to be read: kept as it is, with its log
            for ending in ("", "-wal"):
                if (part := database.with_name(database.name + ending)).exists():
                    shutil.copyfile(part, (kept := aside.with_name(aside.name + ending)))
                    kept.chmod(0o600)
        crash_point("restore:aside")
        try:
            _write_pages(copy_of, database)
        except driver.DatabaseError as error:
            if "not a database" not in str(error) and "malformed" not in str(error):
                raise
            for ending in ("", "-wal", "-shm"):
                database.with_name(database.name + ending).unlink(missing_ok=True)
            _write_pages(copy_of, database)


def _write_pages(copy_of: Path, database: Path) -> None:
    with closing(driver.connect(str(copy_of))) as source, closing(driver.connect(str(database))) as target:
        database.chmod(0o600)
        source.backup(target)


def _one(connection: Any, statement: str) -> Any:  # noqa: ANN401 - the driver has no types
    return connection.execute(statement).fetchone()[0]


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


@contextmanager
def _being_written(partial: Path) -> Iterator[None]:
    """An empty file, 0600, that nobody takes for abandoned; SQLite writes into one that is empty."""
    _discard(partial)
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _discard(partial: Path) -> None:
    partial.with_name(f"{partial.name}-journal").unlink(missing_ok=True)
    partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TriageError(f"cannot use {error.filename or path}: {error.strerror}") from error
    except (driver.DatabaseError, sqlite3.DatabaseError) as error:
        if "not a database" in str(error):
            raise SchemaError(f"{path} is no database") from error
        raise TriageError(f"cannot use {path}: {error}") from error
