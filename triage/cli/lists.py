"""`triage import` and `triage export`: lists of sources, and what moves to another machine."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Literal

import click

from triage.cli import diagnostics, moving, output
from triage.cli.add import added_row, say_import
from triage.cli.citations import bibtex, ris, zotero
from triage.cli.group import Group
from triage.core import words
from triage.core.errors import PartialError, UsageError
from triage.runtime import Runtime

MAX_STDIN = 10 * 2**20 + 1


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tag", "tags", multiple=True, help="A tag for all of them. May be given again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def import_list(files: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """Merges each FILE, an OPML list, a urls file of newsboat or what triage export wrote, into what is here.

    Of lists, folders become tags; known sources gain tags and nothing else; lines that would run a command
    are refused by name. What another triage has exported is merged as a whole or not at all, and what is here
    already is not added twice. A FILE named - is standard input.
    """
    from triage.services.fetching import subscriptions
    from triage.services.moving import archive

    reports = []
    merged = []
    failed: list[UsageError] = []
    with Runtime.open() as runtime, diagnostics.Progress() as progress:
        for done, file in enumerate(files):
            progress("reading lists", done, len(files))
            name = "standard input" if file == "-" else file
            try:
                body = _read(file)
                if archive.begins(body[: archive.HEAD_BYTES]):
                    merged.append(moving.merge(runtime, body, name, progress))
                    continue
                reports.append(
                    subscriptions.import_list(runtime.database, runtime.clock, body, name, tags=tags)
                )
            except UsageError as error:
                failed.append(error)
    report = subscriptions.merged(reports)
    if as_json:
        refusals = [dataclasses.asdict(refusal) for refusal in report.refusals]
        rows = [added_row(one) for one in report.added]
        taken = [dataclasses.asdict(each) for each in merged]
        output.document({"added": rows, "refusals": refusals, "merged": taken})
        merged = []
    elif reports:
        say_import(report)
        if any(one.new for one in report.added):
            diagnostics.note("To fetch them: triage sync")
    for each in merged:
        moving.say_merged(each)
    if len(files) == 1 and failed:
        raise failed[0]
    if failed:
        for problem in failed:
            diagnostics.fail(problem)
        message = f"{words.plural(len(failed), 'list')} of {len(files)} could not be read"
        raise (UsageError if len(failed) == len(files) else PartialError)(message)


def _read(file: str) -> bytes:
    """As much of a file as is read of its kind."""
    from triage.services.fetching import subscriptions
    from triage.services.moving import archive

    if file != "-":
        path = Path(file).expanduser()
        return archive.read_file(path) if archive.is_export(path) else subscriptions.read_file(path)
    body = sys.stdin.buffer.read(MAX_STDIN)
    if archive.begins(body[: archive.HEAD_BYTES]):
        body += sys.stdin.buffer.read(archive.MAX_FILE + 1 - len(body))
    return body


@click.group(cls=Group)
def export() -> None:
    """Exports what another machine needs to continue as this one, or lists for other programs."""


for command in (*moving.commands(), bibtex, ris, zotero):
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
    from triage.services.fetching import subscriptions

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
