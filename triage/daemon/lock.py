"""One ingesting process at a time: an advisory lock that the system releases however its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage.core.errors import LockedError


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
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            raise LockedError(f"{holder} is ingesting already", fix="triage status") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{what} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)
