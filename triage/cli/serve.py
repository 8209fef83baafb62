"""`triage serve`."""

from __future__ import annotations

import sys

import click

from triage.cli import diagnostics, output
from triage.core.errors import TriageError


@click.command()
@click.option("--port", default=8737, show_default=True, type=click.IntRange(1024, 65_535))
def serve(port: int) -> None:
    """Shows the interface in a browser on this machine, and nowhere else, until Ctrl-C.

    Open the address that it prints: it holds a key, which keeps other people on this machine out.
    """
    try:
        from triage import web
    except ImportError as error:
        raise TriageError(
            "the browser needs the package textual-serve",
            fix=f"{sys.executable} -m pip install 'triage[serve]'",
        ) from error
    diagnostics.note("On this machine only. Ctrl-C ends it.")
    try:
        web.serve(port, output.line)
    except OSError as error:
        raise TriageError(
            f"port {port} cannot be used: {error.strerror}", fix="triage serve --port N"
        ) from error
