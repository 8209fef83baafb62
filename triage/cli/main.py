"""The entry point: what runs, and the exit code of what went wrong."""

from __future__ import annotations

import gc
import io
import os
import sys
from pathlib import Path

from triage.cli import diagnostics
from triage.core.errors import TriageError, refused_by_system

COMPLETION = "_TRIAGE_COMPLETE"
"""Set by a shell that asks for completions."""

GARBAGE = 200_000
"""So many new objects let the collector look for garbage among them. Imports and the first frame make half as
many, and all of those stay: with Python's own 700, looking takes a tenth of the time of most commands."""


def main() -> None:
    """Runs one command and exits with its code."""
    _complete_streams()
    gc.set_threshold(GARBAGE)
    try:
        code = _run()
    except TriageError as error:
        code = diagnostics.fail(error)
    except KeyboardInterrupt:
        code = diagnostics.INTERRUPTED
    except OSError as error:
        code = diagnostics.fail(refused_by_system(error))
        # If it was standard output, Python would complain once more at exit about what is left in its buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run() -> int:
    """The digest is opened without the parser of the command line, which takes a twentieth of the time."""
    if len(sys.argv) == 1 and COMPLETION not in os.environ:
        from triage.cli.opening import open_digest

        return open_digest(plain=False)
    from triage.cli import commands

    return commands.run()


def _complete_streams() -> None:
    """Makes the standard streams usable as they are: closed, or of a character set that lacks ours."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for the life of the process
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
