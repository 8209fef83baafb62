"""`triage` alone: the digest opened where it can be read, full-screen, in lines or printed.

Knows no option of a command: the parser of the command line is not loaded for this.
"""

from __future__ import annotations

import os
import sys

from triage.cli.diagnostics import Progress, note, somebody_is_there
from triage.core.errors import TriageError
from triage.core.items import Digest
from triage.runtime import Runtime

FIRST_STEPS = "triage start; or triage add URL-OR-PATH and triage sync; or look around with: triage demo"


def at_terminal() -> bool:
    """Whether a person is on both sides."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def full_screen() -> bool:
    """Whether the full-screen interface can run: a terminal on both sides not a dumb one, or a browser."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return True
    return at_terminal() and os.environ.get("TERM", "dumb") != "dumb"


def open_digest(*, plain: bool) -> int:
    """The digest; returns the exit code.

    Full-screen where that is possible; in lines at a prompt where a terminal is a dumb one, or where that is
    asked for; printed where nobody is there to answer.
    """
    with Runtime.open() as runtime:
        page = runtime.first_page()
        if _begins(runtime, page):
            from triage.cli.start import ask

            return ask(runtime, plain=plain)
        if page is None:
            current(runtime)  # the first one is built here, where its progress is seen
        if full_screen() and not plain:
            return runtime.run_tui()
        if at_terminal():
            return runtime.run_lines()
        digest = current(runtime)
        runtime.looked_at(digest)
        show(runtime, digest)
        if digest.unread:
            read_rest(runtime)
        return 0


def _begins(runtime: Runtime, page: Digest | None) -> bool:
    """Whether the guided start has the word: somebody is there, and nothing yet or half a start."""
    if not somebody_is_there() or (page is not None and not runtime.paths.start.exists()):
        return False
    from triage.services.reader import starting

    if runtime.paths.start.exists():
        return starting.is_under_way(runtime.paths.start)
    return not runtime.paths.database.exists() or starting.is_empty(runtime.database)


def current(runtime: Runtime, minutes: float | None = None) -> Digest:
    """The digest as last built; builds one if there is none, or if other minutes are asked for.

    Raises:
        TriageError: There is nothing stored to make a digest from.
    """
    digest = runtime.first_page()
    if runtime.paths.database.exists() and (digest is None or minutes not in (None, digest.budget_minutes)):
        with Progress() as progress:
            digest = runtime.worker.build(runtime.clock(), progress, minutes=minutes)
    if digest is None or not (digest.considered or digest.items):
        raise TriageError("there is nothing to read yet", fix=FIRST_STEPS)
    return digest


def read_rest(runtime: Runtime) -> None:
    """Reads what the digest was built without, when there is nothing to wait for any more."""
    if runtime.unread():
        with Progress() as progress:
            more = runtime.worker.read_rest(runtime.clock(), progress)
        if more:
            note("All is read now, and the order may have changed: triage digest")


def show(runtime: Runtime, digest: Digest) -> None:
    """Prints a digest."""
    from triage.cli import output, render

    for text in render.digest_lines(digest, runtime.clock()):
        output.line(text)
