"""One ingesting process at a time: an advisory lock that the system releases however its holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage.core.errors import LockedError

LOOK_S = 0.05
"""More than `holder` has it."""


@contextmanager
def hold(path: Path, what: str) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    The file also names its holder for the error of the next one; the lock itself is the system's, so
    a stale file or a reused process id means nothing.

    Args:
        path: The lock file; created 0600.
        what: What the holder is, for others' error messages: `the daemon`, `triage sync`.

    Raises:
        LockedError: Another process holds it; the message says which.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            _take(descriptor)
        except BlockingIOError as error:
            raise LockedError(f"{_named(descriptor)} is ingesting already", fix="triage status") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{what} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """What whoever holds the lock says of itself: `triage sync (process 12)`; None if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    finally:
        os.close(descriptor)
    return None


def _take(descriptor: int) -> None:
    """Raises BlockingIOError if it is held, and not by somebody who only looks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(LOOK_S)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _named(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
