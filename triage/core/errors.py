"""The errors that a reader can cause or mend, and the exit code of each.

    TriageError            1  failed
    ├── UsageError         2  what was asked for makes no sense, or the configuration does not
    ├── PartialError       3  some sources failed, the rest is done
    ├── LockedError        4  another process holds what is needed
    └── SchemaError        4  the database is newer than this program, or of another program

Anything else that escapes is a bug and shows a traceback.
"""

from __future__ import annotations


class TriageError(Exception):
    """Base: the message is one sentence for the reader; `fix`, if any, is the command or step that helps."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class UsageError(TriageError):
    """What was asked for makes no sense: an unknown item, a broken configuration file."""

    exit_code = 2


class PartialError(TriageError):
    """Some sources failed; everything else was done and stored."""

    exit_code = 3


class LockedError(TriageError):
    """Another process holds the lock or the database."""

    exit_code = 4


class SchemaError(TriageError):
    """The file is not ours, or of a newer version than this program."""

    exit_code = 4


class WorkerError(TriageError):
    """The model worker failed; nothing that the reader said is lost, only the order is stale."""


def refused_by_system(error: OSError) -> TriageError:
    """What the machine refuses in words: a full disk, a folder that may not be used."""
    where = f": {error.filename}" if error.filename else ""
    return TriageError(f"{error.strerror or error}{where}", fix="triage doctor" if where else None)
