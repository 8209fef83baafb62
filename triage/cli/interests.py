"""`triage interests`: phrases in the reader's own words."""

from __future__ import annotations

from pathlib import Path

import click

from triage.cli import diagnostics, output
from triage.cli.items import say_learned
from triage.runtime import Runtime


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def interests(ctx: click.Context, as_json: bool) -> None:
    """Lists what you care about, with its weight."""
    if ctx.invoked_subcommand is not None:
        return
    from triage.services import feedback

    with Runtime.open() as runtime:
        found = feedback.interests(runtime.database)
    if as_json:
        output.document([{"phrase": phrase, "weight": weight} for phrase, weight in found.items()])
        return
    if not found:
        diagnostics.note('Nothing yet. Say it in your words: triage interests add "cycling in cities"')
    for phrase, weight in found.items():
        output.line(f"{weight:+5g}  {output.clean(phrase)}")


@interests.command()
@click.argument("phrase")
@click.option(
    "--weight", type=float, default=1.0, show_default=True, help="-10 to 10; negative means less of this."
)
def add(phrase: str, weight: float) -> None:
    """Adds PHRASE, or changes its weight; the digest is ranked anew at once."""
    _set(phrase, weight)


@interests.command()
@click.argument("phrase")
def remove(phrase: str) -> None:
    """Removes PHRASE."""
    _set(phrase, 0.0)


@interests.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Takes the documents in FILE for liked: BibTeX, RIS, JSON lines of {title, text}, or titles, one a line.

    They teach as marks do and are never shown in a digest; undo takes the whole list back.
    """
    from triage.services.interests import import_liked

    with Runtime.open() as runtime:
        recorded = import_liked(runtime.database, runtime.clock, file)
        say_learned(runtime, recorded.message)


def _set(phrase: str, weight: float) -> None:
    from triage.services import feedback

    with Runtime.open() as runtime:
        recorded = feedback.set_interest(runtime.database, runtime.clock, phrase, weight)
        say_learned(runtime, recorded.message)
