"""The only writer of standard error: progress, warnings, errors with their fix; and the exit codes.

0 ok   1 failed   2 usage or configuration   3 partial   4 locked or newer schema   130 interrupted
"""

from __future__ import annotations

import os
import sys
import time

from triage.core.errors import TriageError
from triage.core.text import sanitize_line

INTERRUPTED = 130
_REDRAW_S = 0.1


def _write(text: str, end: str = "\n") -> None:
    """At once; who reads along wants to see it now."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


def note(text: str) -> None:
    """A sentence for the reader that is not data."""
    _write(sanitize_line(text))


def line(text: str) -> None:
    """A line of a listing that is not data; it keeps its indentation."""
    indent = len(text) - len(text.lstrip(" "))
    _write(" " * indent + sanitize_line(text))


def somebody_is_there() -> bool:
    """Whether a question would be seen and could be answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(doubt: str | None, *, yes: bool, fix: str) -> None:
    """Asks where something would hide what the reader wanted.

    Args:
        doubt: What speaks against it; None if nothing does.
        yes: Whether nothing is to be asked.
        fix: The command that does not ask.

    Raises:
        TriageError: It is not to be done, or nobody is there to say.
    """
    if doubt is None or yes:
        return
    if not somebody_is_there():
        raise TriageError(f"{doubt}; nothing was changed", fix=fix)
    note(f"{doubt}.")
    import click

    if not click.confirm("Is that what you want?", default=False, err=True):
        raise TriageError("nothing was changed")


def fail(error: TriageError) -> int:
    """Says what went wrong and what helps; returns the exit code."""
    _write(f"triage: {sanitize_line(str(error))}")
    if error.fix:
        _write(f"        try: {sanitize_line(error.fix)}")
    return error.exit_code


class Progress:
    """Long work on one line of the terminal; elsewhere, a line at the start of each kind of work.

    Use it as a context manager: the line is wiped at the end.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = 0.0
        self._what = ""
        self._width = 0

    def __enter__(self) -> Progress:
        """Nothing is shown before the first step."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wipes the line."""
        self._wipe()

    def line(self, text: str) -> None:
        """A line of a listing, above the progress."""
        self._wipe()
        line(text)

    def _wipe(self) -> None:
        if self._live and self._width:
            _write("\r" + " " * self._width + "\r", end="")
            self._width, self._what = 0, ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of `total` steps of `what` are behind us."""
        started = what != self._what
        self._what = what
        if not self._live:
            if started and total:
                _write(f"{what}: {total} ..." if total > 1 else f"{what} ...")
            return
        now = time.monotonic()
        if not started and done < total and now - self._drawn < _REDRAW_S:
            return
        self._drawn = now
        cells = 24
        full = cells * done // total if total else cells
        text = f"{what} {'━' * full}{'─' * (cells - full)} {done}/{total}" if total > 1 else f"{what} ..."
        _write("\r" + text + " " * max(0, self._width - len(text)), end="")
        self._width = len(text)
