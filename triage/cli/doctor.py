"""`triage doctor`, `triage paths`."""

from __future__ import annotations

import dataclasses
import shlex

import click

from triage.cli import diagnostics, output
from triage.config import Config, clock
from triage.core import words
from triage.core.errors import TriageError, UsageError
from triage.core.health import Check, Daemon
from triage.paths import Paths
from triage.runtime import Runtime, read_keymap

SIGNS = {"ok": " ok ", "warning": "warn", "bad": "BAD "}


@click.command()
@click.option("--network", is_flag=True, help="List every host that was asked in the last week, and why.")
@click.option(
    "--login", is_flag=True, help="Also log in at every mailbox, and at the server that sends digests."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(network: bool, login: bool, as_json: bool) -> None:
    """Checks everything; each line with a problem names the command that fixes it.

    It does not use the network, except with --login.
    """
    from triage.services.upkeep.doctor import examine

    if network:
        _network(as_json)
        return
    refused: UsageError | None = None
    try:
        with Runtime.open() as runtime:
            paths, settings, now = runtime.paths, runtime.config, runtime.clock()
            read_keymap(settings, paths.config_file)
    except UsageError as error:
        paths, settings, now, refused = Paths.of(), Config(), clock()(), error
    except OSError:  # a folder that is not ours to look into, which is among what is found
        paths, settings, now = Paths.of(), Config(), clock()()
    checks = examine(paths, settings, now, _daemon(paths), refused)
    if login and refused is None:
        checks += _logins()
    if as_json:
        output.document([dataclasses.asdict(check) for check in checks])
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            output.line(f"{SIGNS[check.verdict]}  {check.name:<{width}} {output.clean(check.says)}")
            if check.fix:
                output.line(f"{'':{width + 7}}try: {output.clean(check.fix)}")
    bad = [check for check in checks if check.verdict == "bad"]
    if bad:
        raise TriageError(f"{words.plural(len(bad), 'thing')} must be mended: {bad[0].name}", fix=bad[0].fix)


def _daemon(paths: Paths) -> Daemon:
    from triage.daemon import heartbeat
    from triage.daemon.service_files import service_file

    beat, service = heartbeat.read(paths.heartbeat), service_file()
    return Daemon(
        beat.health() if beat else "absent",
        heartbeat.words(paths.heartbeat).removeprefix("daemon: "),
        shlex.join(service.restart) if service.path.exists() else None,
    )


def _logins() -> list[Check]:
    from triage.services.upkeep.logins import try_all

    with Runtime.open() as runtime:
        there = runtime.paths.database.exists()
        return try_all(runtime.database, runtime.clock, runtime.config) if there else []


def _network(as_json: bool) -> None:
    from triage.services.upkeep.doctor import contacts_of

    with Runtime.open() as runtime:
        found = contacts_of(runtime.database, runtime.clock()) if runtime.paths.database.exists() else []
    if as_json:
        output.document([dataclasses.asdict(row) for row in found])
        return
    if not found:
        diagnostics.note("Nobody was asked in the last week.")
    for row in found:
        output.line(f"{row.day}  {row.requests:>6}  {row.purpose:<11} {output.clean(row.host)}")


@click.command()
@click.option(
    "--folders", is_flag=True, help="Only the folders that hold everything, one per line, for removing them."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def paths(folders: bool, as_json: bool) -> None:
    """Prints where everything is stored."""
    where = Paths.of()
    if folders:
        present = [str(folder) for folder in where.folders if folder.exists()]
        if as_json:
            output.document(present)
        else:
            for folder in present:
                output.line(folder)
        return
    names = ("config_file", "database", "digest", "vectors", "models", "backups", "log", "cache", "state")
    found = {name: str(getattr(where, name)) for name in names}
    if as_json:
        output.document(found)
        return
    for name, path in found.items():
        output.line(f"{name:<12} {path}")
