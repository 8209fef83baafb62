"""`triage import` and `triage export`: lists of sources."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Literal

import click

from triage.cli import diagnostics, output
from triage.cli.add import added_row, say_import
from triage.cli.citations import bibtex, ris, zotero
from triage.core import words
from triage.core.errors import PartialError, UsageError
from triage.runtime import Runtime

MAX_STDIN = 10 * 2**20 + 1


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tag", "tags", multiple=True, help="A tag for all of them. May be given again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def import_list(files: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """Merges the sources of each FILE, an OPML list or a urls file of newsboat, into yours.

    Folders become tags. Known sources gain tags and nothing else. Lines that would run a command are refused
    by name. A FILE named - is standard input.
    """
    from triage.services import subscriptions

    reports = []
    failed: list[UsageError] = []
    with Runtime.open() as runtime, diagnostics.Progress() as progress:
        for done, file in enumerate(files):
            progress("reading lists", done, len(files))
            name = "standard input" if file == "-" else file
            try:
                body = (
                    sys.stdin.buffer.read(MAX_STDIN)
                    if file == "-"
                    else subscriptions.read_file(Path(file).expanduser())
                )
                reports.append(
                    subscriptions.import_list(runtime.database, runtime.clock, body, name, tags=tags)
                )
            except UsageError as error:
                failed.append(error)
    report = subscriptions.merged(reports)
    if as_json:
        refusals = [dataclasses.asdict(refusal) for refusal in report.refusals]
        output.document({"added": [added_row(one) for one in report.added], "refusals": refusals})
    elif reports:
        say_import(report)
        if any(one.new for one in report.added):
            diagnostics.note("To fetch them: triage sync")
    if len(files) == 1 and failed:
        raise failed[0]
    if failed:
        for problem in failed:
            diagnostics.fail(problem)
        message = f"{words.plural(len(failed), 'list')} of {len(files)} could not be read"
        raise (UsageError if len(failed) == len(files) else PartialError)(message)


@click.group()
def export() -> None:
    """Writes lists of your sources, and items, for other programs."""


for command in (bibtex, ris, zotero):
    export.add_command(command)


@export.command()
@click.argument("file", default="-")
def opml(file: str) -> None:
    """Writes all feeds as OPML 2.0 to FILE, or to standard output."""
    _export(file, "opml")


@export.command()
@click.argument("file", default="-")
def urls(file: str) -> None:
    """Writes all sources as a urls file of newsboat to FILE, or to standard output."""
    _export(file, "urls")


def _export(file: str, form: Literal["opml", "urls"]) -> None:
    from triage.services import subscriptions

    with Runtime.open() as runtime:
        exported = subscriptions.export(runtime.database, runtime.clock, form)
    if file == "-":
        output.text(exported.text)
    else:
        subscriptions.write_file(Path(file).expanduser(), exported.text)
        diagnostics.note(f"{words.plural(exported.written, 'source')} written to {file}")
    if exported.left_out:
        count = words.plural(len(exported.left_out), "source")
        diagnostics.note(f"{count} that OPML has no place for (mail, papers): triage export urls has them")
