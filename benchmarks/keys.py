"""How long the interface takes from a key to what it paints, quiet and under load.

    python benchmarks/keys.py [--keys 300] [--size 120x36]

Runs the real program in a pseudo-terminal on the bundled day: moves, likes, dislikes and keeps for later, a
key every 50 to 250 ms. A key is answered when the cursor stands on another item of the emulated screen; what
counts is the moment of the bytes that put it there. Marks are written and learned from meanwhile.

quiet     nothing else runs
busy      another process writes mail into a Maildir and fetches, encodes and ranks it, without a pause

Three rows each: wall time; the same less the time in which the program's event loop was ready to run and no
processor was free; and the time that the event loop ran (Linux: /proc/PID/task/PID/schedstat). What else a
machine does is not the program's doing.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyte

CURSOR = "▌"
GIVE_UP_S = 10.0
MOVES = "jjkjlkjdjsjk"
"""Down more often than up; after a mark the cursor goes on by itself."""
LOAD = """
import itertools, random, subprocess, sys
from pathlib import Path
box = Path(sys.argv[1])
for part in ("cur", "new", "tmp"):
    (box / part).mkdir(parents=True, exist_ok=True)
words = Path(sys.argv[2]).read_text().split()
triage = [sys.executable, "-m", "triage"]
subprocess.run([*triage, "add", str(box)], check=True)
for number in itertools.count():
    for mail in range(100):
        text = " ".join(random.choices(words, k=300))
        subject = " ".join(random.choices(words, k=7))
        head = f"From: Ann <ann@example.org>\\nSubject: {subject}\\n"
        head += f"Message-ID: <{number}-{mail}@example.org>\\n"
        (box / "new" / f"{number}.{mail}").write_text(f"{head}\\n{text}\\n", encoding="utf-8")
    subprocess.run([*triage, "sync", "--now"], check=False)
"""


@dataclass(frozen=True)
class Taken:
    """Seconds from a key to its paint: by the clock, less the wait for a processor, and in the event loop."""

    wall: float
    undelayed: float
    ran: float


class Terminal:
    """The program in a pseudo-terminal, and the screen that it draws."""

    def __init__(self, environ: dict[str, str], columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._end, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, "-m", "triage"]
        self.process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True
        )
        os.close(terminal)

    @property
    def selected(self) -> str:
        """What stands beside the cursor of the list."""
        return next((line[1:50] for line in self.screen.display if line.startswith(CURSOR)), "")

    def _scheduled(self) -> tuple[float, float]:
        """Seconds that its event loop has run, and has waited for a processor, so far."""
        process = self.process.pid
        ran, queued, _ = Path(f"/proc/{process}/task/{process}/schedstat").read_text(encoding="ascii").split()
        return int(ran) / 1e9, int(queued) / 1e9

    def press(self, key: str) -> Taken:
        """Presses a key that moves the cursor, and waits until it is seen to have moved."""
        before = self.selected
        (ran, queued), began = self._scheduled(), time.monotonic()
        os.write(self._end, key.encode())
        while self.selected == before:
            came = self.read(GIVE_UP_S)
            if came is None:
                raise SystemExit(f"no answer to {key!r}:\n" + "\n".join(self.screen.display))
        ran_since, queued_since = self._scheduled()
        wall = came - began
        return Taken(wall, wall - min(queued_since - queued, wall), ran_since - ran)

    def type(self, keys: str) -> None:
        """Presses keys and waits for nothing."""
        os.write(self._end, keys.encode())

    def read(self, seconds: float) -> float | None:
        """Takes what the program sends; when it came, or None if nothing came in time."""
        if not select.select([self._end], [], [], seconds)[0]:
            return None
        data, came = os.read(self._end, 65536), time.monotonic()
        # pyte knows no kitty and synchronised-output requests and would print their tails.
        self._stream.feed(data.replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        return came

    def rest(self, seconds: float) -> None:
        """Lets the program go on."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def close(self) -> None:
        """Leaves it."""
        self.process.terminate()
        with contextlib.suppress(OSError):  # the terminal is gone as soon as the program is
            self.rest(0.5)
        self.process.wait(30)
        os.close(self._end)


@contextmanager
def load(environ: dict[str, str], home: Path) -> Iterator[None]:
    """Something else that works on the same database all the time."""
    program = [sys.executable, "-c", LOAD, str(home / "mail"), __file__]
    with (home / "load.log").open("w") as log:
        process = subprocess.Popen(program, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait()


def measure(environ: dict[str, str], keys: int, size: tuple[int, int]) -> list[Taken]:
    """What each key took to its paint."""
    terminal = Terminal(environ, *size)
    while not terminal.selected:
        terminal.rest(0.2)
    terminal.rest(3.0)
    taken: list[Taken] = []
    draw = random.Random(5)  # noqa: S311 - when to press the next key
    for number in range(keys):
        if number % len(MOVES) == 0 and number:
            terminal.press("g")
            terminal.rest(0.2)
        taken.append(terminal.press(MOVES[number % len(MOVES)]))
        terminal.rest(draw.uniform(0.05, 0.25))
    terminal.close()
    return taken


def report(name: str, taken: list[Taken]) -> None:
    """Three rows."""
    _row(name, [each.wall for each in taken])
    _row("  ready", [each.undelayed for each in taken])
    _row("  ran", [each.ran for each in taken])


def _row(name: str, taken: list[float]) -> None:
    cuts = statistics.quantiles(taken, n=100)
    shown = [statistics.median(taken), cuts[94], cuts[98], max(taken)]
    figures = "  ".join(f"{1000 * value:6.0f}" for value in shown)
    say(f"{name:<8}{len(taken):>6}  {figures}   load {os.getloadavg()[0]:.1f}")


def say(line: str) -> None:
    """Prints it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Prints a row for each state."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--size", default="120x36")
    arguments = parser.parse_args()
    columns, rows = map(int, arguments.size.split("x"))
    say(f"{'':<8}{'keys':>6}  median      95      99     max   ms")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environ = {**os.environ, "TRIAGE_HOME": str(home / "home"), "TERM": "xterm-256color"}
        subprocess.run(
            [sys.executable, "-m", "triage", "demo"], env=environ, check=True, stdout=subprocess.DEVNULL
        )
        environ["TRIAGE_HOME"] = str(home / "home" / "cache" / "demo")
        report("quiet", measure(environ, arguments.keys, (columns, rows)))
        with load(environ, home):
            report("busy", measure(environ, arguments.keys, (columns, rows)))


if __name__ == "__main__":
    main()
