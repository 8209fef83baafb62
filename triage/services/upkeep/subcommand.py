"""Another command of this program, run on the terminal by one that has it already."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from triage.paths import Paths


def run_here(paths: Paths, argv: Sequence[str]) -> int:
    """Runs a command on this terminal, on the same data; one that fails leaves its words there until Enter.

    Args:
        paths: Of the data, which need not be those of the environment: the demo has a home of its own.
        argv: The command without the name of the program.

    Returns:
        Its exit code.
    """
    environ = dict(os.environ)
    if paths != Paths.of(environ):
        environ["TRIAGE_HOME"] = str(paths.data.parent)
    # Control-C is meant for the command, but the terminal sends it to both. A handler of our own, and not
    # SIG_IGN, because that one the command would inherit.
    interrupt = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        code = subprocess.run([sys.executable, "-m", "triage", *argv], env=environ, check=False).returncode
        if code != 0 and sys.stdin.isatty():
            sys.stdout.write("Enter goes back. ")
            sys.stdout.flush()
            sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, interrupt)
    return code
