"""The daemon's sign of life: one small JSON file, so that a status costs no database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from triage.core.words import age

EVERY = timedelta(seconds=20)
STALE_AFTER = timedelta(seconds=90)
"""A daemon that has not written for so long hangs, or the machine slept."""
STUCK_AFTER = timedelta(hours=1)
"""Of the same words: every round says something else, and long work counts its steps."""


TROUBLE = "in trouble: "
"""What a round that failed begins with."""

Health = Literal["well", "in trouble", "stuck", "silent", "gone"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the daemon last said."""

    pid: int
    at: datetime
    doing: str
    """`fetching`, `ranking`, `waiting until 07:40`."""
    since: datetime | None = None
    """Since when; None if that is not known."""
    birth: str | None = None
    """What tells the process from a later one with its number; None where the system does not say."""

    def alive(self) -> bool:
        """Whether the process still exists."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return self._is_same()
        return self._is_same()

    def _is_same(self) -> bool:
        return self.birth is None or birth_of(self.pid) in (None, self.birth)

    def health(self, now: datetime) -> Health:
        """How the daemon is."""
        if not self.alive():
            return "gone"
        if not -STALE_AFTER <= now - self.at <= STALE_AFTER:
            return "silent"
        if self.since is not None and now - self.since > STUCK_AFTER:
            return "stuck"
        return "in trouble" if self.doing.startswith(TROUBLE) else "well"

    def words(self, now: datetime) -> str:
        """One line for the reader."""
        match self.health(now):
            case "gone":
                return "daemon: ended without a word"
            case "silent" if self.at > now:
                return f"daemon: silent since the clock was set back (process {self.pid})"
            case "silent":
                minutes = int((now - self.at).total_seconds() // 60)
                return f"daemon: silent for {minutes} min (process {self.pid})"
            case "stuck":
                assert self.since is not None
                return f"daemon: {self.doing}, for {age(self.since, now)} by now (process {self.pid})"
            case _:
                return f"daemon: {self.doing}"


def write(path: Path, beat: Heartbeat) -> None:
    """Replaces the file atomically."""
    partial = path.with_suffix(".part")
    partial.touch(mode=0o600)
    told = {
        "pid": beat.pid,
        "at": beat.at.isoformat(),
        "doing": beat.doing,
        "since": beat.since and beat.since.isoformat(),
        "birth": beat.birth,
    }
    partial.write_text(json.dumps(told))
    partial.replace(path)


def read(path: Path) -> Heartbeat | None:
    """The last sign of life; None if the daemon is not running, or if the file is not one of ours."""
    try:
        raw = json.loads(path.read_text())
        since, birth = raw.get("since"), raw.get("birth")
        beat = Heartbeat(
            int(raw["pid"]),
            datetime.fromisoformat(raw["at"]),
            str(raw["doing"]),
            None if since is None else datetime.fromisoformat(since),
            None if birth is None else str(birth),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    aware = beat.at.tzinfo is not None and (beat.since is None or beat.since.tzinfo is not None)
    return beat if 0 < beat.pid < 2**31 and aware else None


def birth_of(pid: int) -> str | None:
    """When a process began, in the system's own terms; None where it does not say (Linux does)."""
    try:
        # The name of the program, in parentheses, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def words(path: Path, now: datetime) -> str:
    """One line on the daemon, whether it runs or not."""
    beat = read(path)
    return "daemon: not running" if beat is None else beat.words(now)
