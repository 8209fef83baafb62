"""The real thing in a terminal of its own: what it imports, what it sends, how it leaves."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from world import NOW, stored_items

from triage.core.crash import VARIABLE
from triage.services.ranker.worker_client import ModelWorker
from triage.store.engine import Database

HEAVY = {
    *(
        "sqlalchemy",
        "alembic",
        "numpy",
        "scipy",
        "torch",
        "feedparser",
        "httpx2",
        "lxml",
        "apscheduler",
        "msgspec",
    ),
    *("ingestors", "model", "tree_sitter", "markdown_it", "pygments"),
}

PROGRAM = """
import pathlib, sys
sys.path[:0] = {paths!r}
import test_tui_hostile, fake_backend
from triage.tui import app
backend = test_tui_hostile.poisoned("".join(test_tui_hostile.PAYLOADS.values()) + "[/] [@click=app.quit]y[/]")
backend.stored = backend.current
report = pathlib.Path({report!r})
backend.close = lambda: report.write_text(str([call[1:] for call in backend.called("mark")]))
sys.exit(app.run(backend))
"""
HERE = Path(__file__).parent
REAL = "import sys; from triage.cli.main import main; sys.argv = ['triage']; main()"


def fake(report: Path) -> str:
    """The interface on a fake backend; what was marked stands in `report` when that is closed."""
    return PROGRAM.format(paths=[str(HERE), str(HERE.parents[1])], report=str(report))


def test_importing_the_app_pulls_in_nothing_heavy():
    code = "import sys, triage.tui.app; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


class Terminal:
    """A pseudo-terminal with a program in it, and the screen that it draws."""

    def __init__(self, program: str, columns: int = 100, rows: int = 30, **variables: str) -> None:
        """Starts it."""
        self.sent = b""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._end, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # Where xdist or a shell has set these, they tell the size of another terminal and are believed.
        environ = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | variables,
            start_new_session=True,
        )
        os.close(terminal)

    def wait_for(self, *words: str) -> None:
        """Reads until all the words stand on the screen or were sent."""
        self.read_until(
            lambda: all(w in "\n".join(self.screen.display) or w.encode() in self.sent for w in words)
        )

    def read_until(self, condition: Callable[[], object]) -> None:
        """Reads until something is true of it."""
        limit = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < limit, "\n".join(self.screen.display)
            assert self._read(0.2), f"it ended: {self.sent[-2000:]!r}"

    def press(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def end(self) -> int:
        """Reads to the end and returns the exit code."""
        try:
            while self._read(10):
                assert not self._idle, f"it did not end: {self.screen.display}"
            return self.process.wait(10)
        finally:
            self.kill()
            os.close(self._end)

    def die(self) -> None:
        """Kills it, and reads what it has sent until then."""
        self.kill()
        while self._read(1):
            continue
        os.close(self._end)

    def vanish(self) -> int:
        """Goes away; no signal says so, because it controls no session. Returns the exit code."""
        os.close(self._end)
        try:
            return self.process.wait(10)
        finally:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self, seconds: float) -> bool:
        self._idle = not select.select([self._end], [], [], seconds)[0]
        if self._idle:
            return self.process.poll() is None
        try:
            data = os.read(self._end, 65536)
        except OSError:
            return False
        self.sent += data
        # pyte knows no kitty and synchronised-output requests and would print their tails.
        self._stream.feed(data.replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        return bool(data)


PAYLOAD_BYTES = [b"52;c;cHduZWQ", b"]8;;http", b"]0;pwned", b"\x1b[2J", "\x9b2J".encode(), "\u202e".encode()]


@pytest.mark.parametrize(
    "leave", ["q", signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)], ids=str
)
def test_hostile_items_in_a_real_terminal(leave, tmp_path):
    """TUI-01."""
    terminal = Terminal(fake(tmp_path / "marks"))
    terminal.wait_for("pwned", "For you")
    terminal.press("jllw")
    terminal.wait_for("the sum of these")
    if leave == "q":
        terminal.press("qnGgGq")
    else:
        terminal.process.send_signal(leave)
    assert terminal.end() == 0, terminal.sent[-2000:]
    # ESC ] 52 is sanitised to U+FFFD ] 52: the letters stay, the code that gave them power does not.
    for payload in PAYLOAD_BYTES:
        assert b"\x1b" + payload not in terminal.sent
        assert payload.startswith((b"52", b"]")) or payload not in terminal.sent
    assert terminal.sent.count(b"\x1b[?1049h") == terminal.sent.count(b"\x1b[?1049l") == 1, (
        "the screen is given back"
    )
    assert (tmp_path / "marks").read_text() == "[(2, 'like'), (3, 'like')]"


@pytest.mark.parametrize("unread", [0, 40], ids=["quiet", "stuck"])
def test_a_terminal_that_vanishes_takes_the_program_along(unread, tmp_path):
    """TUI-08."""
    terminal = Terminal(fake(tmp_path / "marks"))
    terminal.wait_for("For you")
    terminal.press("jl")
    terminal.wait_for("24 marks")
    for _ in range(unread):  # frames that nobody reads, until the event loop waits for room to write
        terminal.press("?")
        time.sleep(0.04)
        terminal.press("q")
        time.sleep(0.04)
    assert terminal.vanish() == 0
    assert (tmp_path / "marks").read_text() == "[(2, 'like')]"


def test_without_colour_a_real_terminal_is_sent_its_own_colours_only(tmp_path):
    terminal = Terminal(fake(tmp_path / "report"), NO_COLOR="1")
    terminal.wait_for("Enter")
    terminal.press("q")
    assert terminal.end() == 0
    codes = {n for code in re.findall(rb"\x1b\[([\d;]*)m", terminal.sent) for n in code.split(b";") if n}
    colours = {int(n) for n in codes if 30 <= int(n) <= 49 or int(n) >= 90}
    assert colours <= {39, 49}, "black on black is what Textual makes of ours otherwise"


def shown(terminal: Terminal) -> set[str]:
    """Titles of the items that the screen calls liked."""
    rows = (re.match(r"[▌ ] \+ (\w+ number \d+)", row) for row in terminal.screen.display)
    return {row[1] for row in rows if row is not None}


def stored(database: Database) -> list[str]:
    """Titles of the items that are liked in the database."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT title FROM event JOIN item ON item.id = item_id WHERE verb = 'like'"
        )
        return [title for (title,) in rows]


@pytest.fixture
def day(database: Database, worker: ModelWorker) -> list[str]:
    """A day of the real program; returns the titles in its digest, from the top."""
    stored_items(database, 16)
    return [item.title for item in worker.build(NOW, minutes=600).items]


@pytest.mark.parametrize(
    "seen", [1, pytest.param(4, marks=pytest.mark.slow), pytest.param(9, marks=pytest.mark.slow)]
)
def test_every_mark_on_the_screen_survives_a_kill_in_a_burst_of_keys(seen, day, database):
    """DB-02, TUI-06."""
    terminal = Terminal(REAL, rows=50)
    terminal.wait_for(day[0])
    terminal.press("l" * len(day))
    terminal.read_until(lambda: len(shown(terminal)) >= seen)
    terminal.die()
    assert len(shown(terminal)) >= seen
    assert shown(terminal) <= set(stored(database))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "left"),
    [("event:queued:4", 3), ("event:written:4", 3), ("event:committed:4", 4), ("learn:begun", None)],
)
def test_a_death_at_any_point_of_a_mark_takes_nothing_from_the_screen(point, left, day, database):
    """DB-01."""
    terminal = Terminal(REAL, rows=50, **{VARIABLE: point})
    terminal.wait_for(day[0])
    terminal.press("l" * len(day))
    assert terminal.end() == -signal.SIGKILL
    kept = stored(database)
    assert shown(terminal) <= set(kept)
    assert left in (None, len(kept))
