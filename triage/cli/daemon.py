"""`triage daemon`."""

from __future__ import annotations

import click

from triage import logs
from triage.cli import diagnostics
from triage.runtime import Runtime


@click.group()
def daemon() -> None:
    """Fetches and ranks in the background."""


@daemon.command()
def run() -> None:
    """Runs in the foreground until it is stopped by Ctrl-C or SIGTERM."""
    with Runtime.open() as runtime:
        runtime.paths.create()
        logs.to_file(runtime.paths.log)
        diagnostics.note(f"The daemon runs; its log is {runtime.paths.log}. Stop it with Ctrl-C.")
        runtime.run_daemon()
