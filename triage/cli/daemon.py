"""`triage daemon`."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import signal
import subprocess
import time
from typing import Literal

import click

from triage.cli import diagnostics, output
from triage.cli.group import Group
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.runtime import Runtime

STOP_S = 30
"""Longer than the daemon takes to end its work or to give it up."""
LOG_LINES = 40


@click.group(cls=Group)
def daemon() -> None:
    """Fetches and ranks in the background."""


@daemon.command()
@click.option(
    "--log-format",
    type=click.Choice(["plain", "json"]),
    envvar="TRIAGE_LOG_FORMAT",
    help="Lines for people, or JSON lines for programs; otherwise as daemon.log_format says.",
)
def run(log_format: Literal["plain", "json"] | None) -> None:
    """Runs in the foreground until it is stopped by Ctrl-C or SIGTERM."""
    from triage import logs

    with Runtime.open() as runtime:
        runtime.paths.create()
        logs.to_file(runtime.paths.log, log_format or runtime.config.daemon.log_format)
        diagnostics.note(f"The daemon runs; its log is {runtime.paths.log}. Stop it with Ctrl-C.")
        try:
            runtime.run_daemon()
        except TriageError as error:  # a service manager starts it where nobody sees standard error
            logging.getLogger(__name__).error("%s", error, extra={"event": "refused"})
            raise


@daemon.command()
@click.option("--print", "only_print", is_flag=True, help="Show the file instead of writing it.")
def install(only_print: bool) -> None:
    """Has your system start the daemon at login: writes its unit file, and says how to start it now."""
    from triage.daemon.service_files import service_file

    service = service_file()
    if only_print:
        output.line(service.text.rstrip("\n"))
        return
    try:
        service.path.parent.mkdir(parents=True, exist_ok=True)
        partial = service.path.with_name(service.path.name + ".part")
        partial.write_text(service.text, encoding="utf-8")
        partial.replace(service.path)
    except OSError as error:
        raise TriageError(
            f"cannot write {error.filename}: {error.strerror}",
            fix="triage daemon install --print, and put it where your system looks for it",
        ) from error
    output.line(f"written: {service.path}")
    if shutil.which(manager := service.start[0][0]) is None:
        diagnostics.note(f"There is no {manager} here, so nothing reads that file. Without it:")
        diagnostics.note("    nohup triage daemon run >/dev/null 2>&1 &")
        return
    diagnostics.note("It starts nothing yet. To start the daemon now and at every login:")
    for command in service.start:
        diagnostics.note(f"    {shlex.join(command)}")


@daemon.command()
def uninstall() -> None:
    """Stops the service and removes its unit file; your data stays."""
    from triage.daemon.service_files import service_file

    service = service_file()
    if not service.path.exists():
        output.line(f"nothing to do: there is no {service.path}")
        return
    for command in service.stop:
        if shutil.which(command[0]) is None:
            continue
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            diagnostics.note(f"{shlex.join(command)}: {done.stderr.strip() or done.returncode}")
    service.path.unlink()
    for folder in service.path.parents[:2]:  # made for it, if there is nothing else in them
        with contextlib.suppress(OSError):
            folder.rmdir()
    output.line(f"removed: {service.path}")


@daemon.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> None:
    """Shows whether the daemon runs, what it is doing, and whether it starts at login."""
    from triage.daemon import heartbeat
    from triage.daemon.service_files import service_file

    with Runtime.open() as runtime:
        says = heartbeat.words(runtime.paths.heartbeat)
        beat = heartbeat.read(runtime.paths.heartbeat)
        service = service_file()
    running = beat is not None and beat.alive()
    if as_json:
        output.document(
            {
                "running": running,
                "pid": beat.pid if beat and running else None,
                "says": says.removeprefix("daemon: "),
                "service_file": str(service.path) if service.path.exists() else None,
            }
        )
        return
    output.line(output.clean(says))
    if service.path.exists():
        output.line(f"installed: {service.path}")
    else:
        output.line("not installed; to have it start at login: triage daemon install")


@daemon.command(name="logs")
@click.option(
    "-n", "--lines", default=LOG_LINES, type=click.IntRange(1), help="How many of the last entries."
)
def show_logs(lines: int) -> None:
    """Shows the end of the daemon's log."""
    from triage import logs

    last = logs.tail(Paths.of().log, lines)
    if not last:
        diagnostics.note("There is no log yet: the daemon has never run. To run it: triage daemon run")
    for text in last:
        for line in text.splitlines():
            output.line(" " * (len(line) - len(line.lstrip(" "))) + output.clean(line))


@daemon.command()
def stop() -> None:
    """Stops the daemon when it has finished what it is doing."""
    from triage.daemon import heartbeat

    where = Paths.of().heartbeat
    beat = heartbeat.read(where)
    if beat is None or not beat.alive():
        where.unlink(missing_ok=True)  # of one that was killed
        output.line("the daemon is not running")
        return
    os.kill(beat.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_S
    while beat.alive() and where.exists():  # the file goes last
        if time.monotonic() > end:
            raise TriageError(
                f"the daemon (process {beat.pid}) has not ended within {STOP_S} s", fix=f"kill -9 {beat.pid}"
            )
        time.sleep(0.1)
    output.line("stopped")
