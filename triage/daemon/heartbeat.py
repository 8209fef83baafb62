"""The daemon's sign of life: one small JSON file, so that a status costs no database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

EVERY = timedelta(seconds=20)
STALE_AFTER = timedelta(seconds=90)
"""A daemon that has not written for so long hangs, or the machine slept."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the daemon last said."""

    pid: int
    at: datetime
    doing: str
    """`fetching`, `ranking`, `waiting until 07:40`."""

    def alive(self) -> bool:
        """Whether the process still exists."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def words(self, now: datetime) -> str:
        """One line for the reader."""
        if not self.alive():
            return "daemon: ended without a word"
        if now - self.at > STALE_AFTER:
            minutes = int((now - self.at).total_seconds() // 60)
            return f"daemon: silent for {minutes} min (process {self.pid})"
        return f"daemon: {self.doing}"


def write(path: Path, beat: Heartbeat) -> None:
    """Replaces the file atomically."""
    partial = path.with_suffix(".part")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps({"pid": beat.pid, "at": beat.at.isoformat(), "doing": beat.doing}))
    partial.replace(path)


def read(path: Path) -> Heartbeat | None:
    """The last sign of life; None if the daemon is not running, or if the file is not one of ours."""
    try:
        raw = json.loads(path.read_text())
        beat = Heartbeat(int(raw["pid"]), datetime.fromisoformat(raw["at"]), str(raw["doing"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return beat if 0 < beat.pid < 2**31 and beat.at.tzinfo is not None else None


def words(path: Path, now: datetime) -> str:
    """One line on the daemon, whether it runs or not."""
    beat = read(path)
    return "daemon: not running" if beat is None else beat.words(now)
