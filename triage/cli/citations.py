"""`triage export bibtex`, `ris` and `zotero`: items for reference managers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triage.cli import diagnostics, output
from triage.core import citations as formats
from triage.core import words
from triage.core.errors import PartialError, UsageError
from triage.runtime import Runtime

if TYPE_CHECKING:
    from triage.core.citations import Citation


def _choice(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--ids", metavar="1,2,…", help="These items, by their numbers.")(command)
    return click.option("--liked", is_flag=True, help="What you liked and loved (so without --ids).")(command)


@click.command()
@click.argument("file", default="-")
@_choice
def bibtex(file: str, liked: bool, ids: str | None) -> None:
    """Writes items as BibTeX to FILE, or to standard output."""
    _write(file, formats.bibtex, liked, ids)


@click.command()
@click.argument("file", default="-")
@_choice
def ris(file: str, liked: bool, ids: str | None) -> None:
    """Writes items as RIS to FILE, or to standard output."""
    _write(file, formats.ris, liked, ids)


@click.command()
@click.argument("library")
@_choice
@click.option("--allow-local", is_flag=True, help="Permit a server on this machine or a private network.")
def zotero(library: str, liked: bool, ids: str | None, allow_local: bool) -> None:
    """Adds items to the Zotero LIBRARY: users/NUMBER or groups/NUMBER, also with /collections/KEY.

    What was added before is left as it is.
    """
    from triage.services.moving import citations

    with Runtime.open() as runtime:
        chosen = citations.chosen(runtime.database, _ids(liked, ids))
        if not chosen:
            diagnostics.note("Nothing is liked yet, so nothing was sent.")
            return
        added, known, problems = citations.push(
            chosen, library, runtime.database, runtime.config, runtime.clock, allow_local=allow_local
        )
    output.line(f"{words.plural(added, 'item')} added, {known} there already")
    for problem in problems:
        diagnostics.note(f"refused: {problem}")
    if problems:
        raise PartialError(f"Zotero refused {words.plural(len(problems), 'item')}; the others are in")


def _write(file: str, form: Callable[[list[Citation]], str], liked: bool, ids: str | None) -> None:
    from triage.services.fetching import subscriptions
    from triage.services.moving import citations

    with Runtime.open() as runtime:
        chosen = citations.chosen(runtime.database, _ids(liked, ids))
    if not chosen:
        diagnostics.note("Nothing is liked yet; --ids exports items by their numbers.")
    text = form(chosen)
    if file == "-":
        output.text(text)
        return
    subscriptions.write_file(Path(file).expanduser(), text)
    diagnostics.note(f"{words.plural(len(chosen), 'item')} written to {file}")


def _ids(liked: bool, ids: str | None) -> list[int] | None:
    if ids is None:
        return None
    if liked:
        raise UsageError("--liked and --ids name two different choices", fix="give one of them")
    try:
        return [int(number) for number in ids.replace(",", " ").split()]
    except ValueError:
        raise UsageError(f"--ids {ids}: ids are numbers", fix="triage list shows them") from None
