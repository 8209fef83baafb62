"""`triage db`: copies of the database, their check, and the way back."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from triage.cli import diagnostics, output
from triage.cli.group import Group
from triage.core.errors import TriageError, UsageError
from triage.paths import Paths
from triage.runtime import Runtime

FILE = click.Path(path_type=Path)


@click.group(cls=Group)
def db() -> None:
    """Backs up, checks and restores the database."""


@db.command()
@click.argument("target", required=False, type=FILE)
@click.option("--list", "listed", is_flag=True, help="Show the copies that there are instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def backup(target: Path | None, listed: bool, as_json: bool) -> None:
    """Copies the database to TARGET, or into the folder of backups, also while it is in use."""
    from triage.services.upkeep import backups

    with Runtime.open() as runtime:
        paths = runtime.paths
        found = backups.listing(paths) if listed else [backups.make(paths, runtime.clock(), target)]
    if as_json:
        output.document([dataclasses.asdict(copy) | {"made_at": copy.made_at.isoformat()} for copy in found])
        return
    for copy in found:
        output.line(f"{copy.made_at.astimezone():%Y-%m-%d %H:%M}  {_size(copy.bytes):>8}  {copy.path}")
    if listed and not found:
        diagnostics.note("There are no copies yet; to make one: triage db backup")


@db.command()
@click.argument("file", required=False, type=FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check(file: Path | None, as_json: bool) -> None:
    """Reads the whole database, or a copy of it, and reports damage."""
    from triage.services.upkeep import backups

    report = backups.check(file or Paths.of().database)
    if as_json:
        output.document(dataclasses.asdict(report))
    else:
        verdict = "damaged" if report.problems else "no damage"
        output.line(f"{report.path}: {verdict}, schema {report.schema} (newest: {report.newest_schema})")
        for problem in report.problems:
            output.line(f"  {output.clean(problem)}")
    if report.problems:
        raise TriageError(f"{report.path} is damaged", fix="triage db backup --list, then: triage db restore")


@db.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Replaces the database by the copy FILE; the replaced one is kept beside the backups."""
    from triage.services.upkeep import backups
    from triage.store.migrate import HEAD

    with Runtime.open() as runtime, runtime.replacing("triage db restore"):
        report = backups.check(file)
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("this replaces the database", fix=f"triage db restore {file} --yes")
            click.confirm(f"Replace {runtime.paths.database} by {file}?", abort=True, err=True)
        aside = backups.restore(runtime.paths, file, runtime.clock())
    if report.schema < HEAD:
        diagnostics.note(f"It has schema {report.schema} and is upgraded when it is next used.")
    if aside.exists():
        output.line(f"restored; what was in use is kept as {aside}")
    else:
        output.line("restored")
    diagnostics.note("To build a digest of it: triage sync")


@db.command()
def upgrade() -> None:
    """Upgrades the database to this version now, after a backup; otherwise the next start does."""
    from triage.store.migrate import HEAD

    with Runtime.open() as runtime:
        _ = runtime.database
        output.line(f"{runtime.paths.database}: schema {HEAD}, the newest")


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{size / 2**10:.0f} KB"
