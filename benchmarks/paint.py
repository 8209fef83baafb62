"""How long the interface takes to its first rows, beside the smallest Textual program that shows as many.

    python benchmarks/paint.py HOME [--rounds 5]

HOME is what `benchmarks/library.py HOME --items 50000 --digest` makes. Both run in a pseudo-terminal of 120 x
40; what counts is the time from the start of the process until the title of the first item is on the wire.
Processor seconds and memory are those up to then. The small program reads forty titles of the same database
with the standard library and puts them into a list; it knows no digest, no keys, no colours.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import select
import sqlite3
import struct
import subprocess
import sys
import termios
from pathlib import Path
from time import monotonic

from timing import CPU, MEMORY, OURS, WALL, Failed, Figures, say, spread, surroundings, values

SMALL = """
import sqlite3, sys
from textual.app import App
from textual.widgets import OptionList
class Small(App):
    def compose(self):
        rows = sqlite3.connect(sys.argv[1]).execute("SELECT title FROM item ORDER BY id DESC LIMIT 40")
        yield OptionList(*(title for title, in rows))
Small().run()
"""
GIVE_UP_S = 60.0
PEER = "the smallest Textual program"


def first_rows(argv: list[str], marker: str, **environment: str) -> Figures:
    """What it takes until `marker` is on the wire; it is then killed. Raises Failed if it never is."""
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environ = surroundings(TERM="xterm-256color", **environment)
    for name in ("COLUMNS", "LINES"):
        environ.pop(name, None)
    started, sent = monotonic(), b""
    process = subprocess.Popen(
        argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True
    )
    os.close(terminal)
    try:
        while marker.encode() not in sent:
            if not select.select([ours], [], [], GIVE_UP_S)[0]:
                raise Failed(f"{argv[-1]} has not shown {marker!r} in {GIVE_UP_S:.0f} s")
            sent += os.read(ours, 65536)
        wall = monotonic() - started
        return {WALL: wall, **_so_far(process.pid)}
    except OSError as error:
        raise Failed(f"{argv[-1]} has ended: {sent[-400:]!r}") from error
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _so_far(process: int) -> Figures:
    """Processor seconds and memory of a running process, where the system says (Linux)."""
    folder = Path(f"/proc/{process}")
    if not folder.exists():
        return {}
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    peak = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return {CPU: ticks / os.sysconf("SC_CLK_TCK"), MEMORY: int(peak.split()[1]) / 1024}


def measure(home: Path) -> dict[str, Figures]:
    """Both once."""
    items = json.loads((home / "data" / "digest.json").read_text(encoding="utf-8"))["items"]
    title = items[0]["title"].split()
    database = home / "data" / "triage.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        last = connection.execute("SELECT title FROM item ORDER BY id DESC LIMIT 1").fetchone()[0].split()
    ours = [sys.executable, "-m", "triage"]
    return {
        OURS: first_rows(ours, " ".join(title[:3]), TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-01T00:00:00Z"),
        PEER: first_rows([sys.executable, "-c", SMALL, str(database)], " ".join(last[:3])),
    }


def main() -> None:
    """Prints a line a program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    measure(asked.home)
    rounds = [measure(asked.home) for _ in range(asked.rounds)]
    for program in rounds[0]:
        found = [each[program] for each in rounds]
        say(
            f"{program:<30} wall {spread(values(found, WALL))} s, CPU {spread(values(found, CPU))} s,"
            f" {spread(values(found, MEMORY))} MB"
        )


if __name__ == "__main__":
    main()
