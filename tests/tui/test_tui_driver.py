"""Keys as the terminal sends them."""

from __future__ import annotations

import array
import fcntl
import os
import termios
import threading
from typing import Any

from textual import events
from waiting import wait_for

from triage.tui.driver import PatientDriver


def test_bytes_that_are_no_text_are_no_keys_and_end_nothing() -> None:
    """TUI-10."""
    reading, writing = os.pipe()
    heard: list[Any] = []
    driver = object.__new__(PatientDriver)
    driver._debug = False
    driver.fileno = reading
    driver.exit_event = threading.Event()
    driver.process_message = heard.append  # type: ignore[method-assign]
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()

    def waiting() -> int:
        count = array.array("i", [0])
        fcntl.ioctl(reading, termios.FIONREAD, count)
        return count[0]

    for sent in (b"\xff", b"\xc3(", b"q"):
        os.write(writing, sent)
        wait_for(lambda: not waiting())
    wait_for(lambda: heard)
    driver.exit_event.set()
    thread.join()
    os.close(reading)
    os.close(writing)
    assert [event.key for event in heard if isinstance(event, events.Key)] == ["q"]
