"""Opening local files that a source names: regular files only, and never a wait.

A named pipe blocks whoever opens it until somebody writes, a device may never end, and either can take
the place of a file between two polls.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingestors.base import FetchError, FetchRequest, FetchResult, JsonValue


class NotRegularError(OSError):
    """What was opened is a folder, a pipe or a device."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file", str(path))


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Opens a regular file for reading.

    Args:
        path: Where it is.
        follow: Whether `path` may be a symbolic link; if not, one is an OSError.

    Raises:
        NotRegularError: There is something else.
        OSError: It cannot be opened.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(path)
    return os.fdopen(descriptor, "rb")


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was read; `stamp` is equal for a file that did not change."""

    body: bytes
    stamp: Mapping[str, JsonValue]


def read_changed(request: FetchRequest, limit: int, *, anyway: bool = False) -> FileState | FetchResult:
    """Reads the file that a source names; blocks, so call it in a thread.

    Args:
        request: `target` is the path, `cursor` holds the stamp of the last time, `size` and `mtime_ns`.
        limit: Most bytes.
        anyway: Reads it even if the stamp is the same.

    Returns:
        The file, or the result of a fetch that has nothing to parse: it is as it was, or cannot be read.
    """
    path, cursor = Path(request.target), request.cursor
    try:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            stamp: dict[str, JsonValue] = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
            if not anyway and all(cursor.get(name) == value for name, value in stamp.items()):
                return FetchResult(cursor=cursor, not_modified=True)
            body = file.read(limit + 1)
    except FileNotFoundError:
        return FetchResult(cursor=cursor, error=FetchError("not-found", f"there is no {path}"))
    except OSError as problem:
        error = FetchError("denied", f"{path} cannot be read: {problem.strerror}")
        return FetchResult(cursor=cursor, error=error)
    if len(body) > limit:
        error = FetchError("too-large", f"{path} is larger than {limit // 2**20} MB")
        return FetchResult(cursor=cursor, error=error)
    return FileState(body, stamp)


def existing_file(target: str, endings: tuple[str, ...]) -> Path | None:
    """The absolute path of a file that is there and has one of `endings`; None for anything else."""
    if not target.lower().endswith(endings) or "\0" in target or "://" in target:
        return None
    try:
        path = Path(os.path.abspath(Path(target).expanduser()))  # noqa: PTH100  keeps symbolic links
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None
