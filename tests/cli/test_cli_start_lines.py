"""The guided start in plain lines, on a terminal that can do nothing else."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

from command_line import triage
from loopback import LoopbackServer
from test_cli_start import feed

from triage.paths import Paths
from triage.services.reader import starting

PROMPTS = 90
"""Seconds until an answer is waited for no more."""


class Terminal:
    """A program on a terminal that its answers are typed into."""

    def __init__(self, *words: str) -> None:
        self._master, slave = pty.openpty()
        environ = {**os.environ, "TERM": "dumb"}
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "triage", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
        )
        os.close(slave)
        self.seen = ""

    def until(self, words: str) -> str:
        """Reads on until something was said; what was said since the last time."""
        deadline, said = time.monotonic() + PROMPTS, ""
        while words not in said:
            assert select.select([self._master], [], [], max(deadline - time.monotonic(), 0))[0], said
            try:
                said += os.read(self._master, 65536).decode()
            except OSError as error:  # the other end is gone
                raise AssertionError(f"it ended after: {said}") from error
        self.seen += said
        return said

    def type(self, answer: str) -> None:
        os.write(self._master, f"{answer}\n".encode())

    def close(self) -> int:
        try:
            while os.read(self._master, 65536):
                continue
        except OSError:  # the other end is gone
            pass
        os.close(self._master)
        return self.child.wait(PROMPTS)


def test_a_dumb_terminal_is_asked_in_lines_and_goes_on_where_it_was_left(
    paths: Paths, server: LoopbackServer
) -> None:
    server.routes["/tides"] = feed("tides", "Spring tide", "A tide gauge", "Ferries late", "Herring are back")
    triage(f"triage add --no-check --allow-local {server.url('/tides')}")
    terminal = Terminal("start")
    terminal.until("Interests: ")
    terminal.type("tides, herring")
    terminal.until("Enter for none: ")
    terminal.type("q")
    terminal.until("To go on there: triage start")
    assert terminal.close() == 130
    assert starting.is_under_way(paths.start)

    terminal = Terminal("start")
    assert "Interests" not in terminal.until("Enter for none: ")
    terminal.type("")
    terminal.until("Enter for none: ")
    terminal.type("")
    assert "tides: 4 items" in terminal.until("e enough: ")
    terminal.type("l")
    said = terminal.until("e enough: ")
    assert "liked" in said
    assert "moved. On top now:" in said
    assert "2 of 10" in said
    terminal.type("u")
    assert "1 of 10" in terminal.until("e enough: ")
    terminal.type("d")
    terminal.until("e enough: ")
    terminal.type("e")
    said = terminal.until("\n> ")
    assert "Your first digest" in said
    assert "triage daemon install" in said
    terminal.type("quit")
    assert terminal.close() == 0
    assert not starting.is_under_way(paths.start)
