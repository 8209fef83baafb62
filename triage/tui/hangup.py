"""The end of the terminal, noticed where no signal tells of it.

A program that has lost its terminal reads the end of its input, and Textual would go on reading it for
ever, on a whole core. Owns the watch; what is to be done then is the app's business.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

SECONDS = 1.0
"""How often to look."""
STDIN = 0


def watch(gone: Callable[[], object]) -> None:
    """Calls `gone` in a thread when standard input, a terminal now, is none any more."""

    def wait() -> None:
        while os.isatty(STDIN):
            time.sleep(SECONDS)
        gone()

    if os.isatty(STDIN):
        threading.Thread(target=wait, name="hangup", daemon=True).start()
