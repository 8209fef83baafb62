"""The daemon's sign of life: one small JSON file, so that a status costs no database.

Moments in it are of the system's monotonic clock, which all processes share: nobody sets it, and it stands
still while the machine sleeps.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

EVERY_S = 20.0
STALE_AFTER_S = 90.0
"""A daemon that has not written for so long hangs, or was stopped."""
STUCK_AFTER_S = 3_600.0
"""Of the same words: every round says something else, and long work counts its steps."""
TROUBLE = "in trouble: "
"""What a round that failed begins with."""

Health = Literal["well", "in trouble", "stuck", "silent", "gone"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the daemon last said."""

    pid: int
    at_s: float
    """`time.monotonic()` when it said so."""
    doing: str
    """`fetching`, `ranking`, `waiting until 07:40`."""
    since_s: float
    """`time.monotonic()` when it began to say that."""
    birth: str | None = None
    """What tells the process from a later one with its number; None where the system does not say."""

    def alive(self) -> bool:
        """Whether the process still exists."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it is somebody else's
            pass
        return self._is_same()

    def _is_same(self) -> bool:
        started_since = time.monotonic() < self.at_s  # the machine was, so its number is another's
        return not started_since and (self.birth is None or birth_of(self.pid) in (None, self.birth))

    def health(self) -> Health:
        """How the daemon is."""
        now = time.monotonic()
        if not self.alive():
            return "gone"
        if now - self.at_s > STALE_AFTER_S:
            return "silent"
        if now - self.since_s > STUCK_AFTER_S:
            return "stuck"
        return "in trouble" if self.doing.startswith(TROUBLE) else "well"

    def words(self) -> str:
        """One line for the reader."""
        now = time.monotonic()
        match self.health():
            case "gone":
                return "daemon: ended without a word"
            case "silent":
                return f"daemon: silent for {_span(now - self.at_s)} (process {self.pid})"
            case "stuck":
                return f"daemon: {self.doing}, for {_span(now - self.since_s)} by now (process {self.pid})"
            case _:
                return f"daemon: {self.doing}"


def write(path: Path, beat: Heartbeat) -> None:
    """Replaces the file atomically; where there is no room for another, writes over it.

    Raises:
        OSError: It cannot be written at all.
    """
    told = json.dumps({name: getattr(beat, name) for name in Heartbeat.__slots__})
    partial = path.with_suffix(".part")
    try:
        partial.touch(mode=0o600)
        partial.write_text(told)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        with path.open("r+") as file:  # that the disk is full is what is to be said
            file.write(told)
            file.truncate()


def read(path: Path) -> Heartbeat | None:
    """The last sign of life; None if the daemon is not running, or if the file is not one of ours."""
    try:
        raw = json.loads(path.read_text())
        birth = raw["birth"]
        beat = Heartbeat(
            int(raw["pid"]),
            float(raw["at_s"]),
            str(raw["doing"]),
            float(raw["since_s"]),
            None if birth is None else str(birth),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    sound = 0 < beat.pid < 2**31 and math.isfinite(beat.at_s) and math.isfinite(beat.since_s)
    return beat if sound else None


def birth_of(pid: int) -> str | None:
    """When a process began, in the system's own terms; None where it does not say (Linux does)."""
    try:
        # The name of the program, in parentheses, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def words(path: Path) -> str:
    """One line on the daemon, whether it runs or not."""
    beat = read(path)
    return "daemon: not running" if beat is None else beat.words()


def _span(seconds: float) -> str:
    return f"{int(seconds // 60)} min" if seconds < 3_600 else f"{int(seconds // 3_600)} h"
