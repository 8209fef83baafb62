"""Opening local files that a source names: regular files only, and never a wait.

A named pipe blocks whoever opens it until somebody writes, a device may never end, and either can take
the place of a file between two polls.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


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
