"""The editor around `triage sources edit`: nothing that was typed is lost, whatever goes wrong."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import click

from triage.cli import diagnostics, output
from triage.core import words
from triage.core.errors import TriageError, UsageError
from triage.runtime import Runtime

MANY = 3
"""More lines than that taken out at once may be a slip of the hand."""
MAX_SHEET = 10 * 2**20


def edit(*, ask: bool, yes: bool) -> None:
    """Writes the sheet, runs the editor, and does what has changed, or says in which line it cannot.

    Args:
        ask: Whether somebody is there to answer.
        yes: Whether many sources may be taken out without asking.

    Raises:
        TriageError: Nothing was changed. The sheet as it was left lies in the file that is named.
    """
    from triage.services import source_sheet
    from triage.services import sources as service

    with Runtime.open() as runtime:
        before = source_sheet.write(service.listing(runtime.database, runtime.clock()))
        sheet = _draft(runtime.paths.state, before)
        while True:
            after = _edited(sheet)
            if after == before:
                sheet.unlink(missing_ok=True)
                diagnostics.note("Nothing was changed.")
                return
            try:
                gone = source_sheet.stopped(before, after)
                if len(gone) > MANY and not yes:
                    _confirm(gone, sheet, ask=ask)
                done = source_sheet.apply(runtime.database, runtime.clock, before, after)
                break
            except source_sheet.SheetRefused as refused:
                for error in refused.errors:
                    diagnostics.note(f"line {error.line}: {error.message}")
                if not ask or not click.confirm("Edit it again?", default=True, err=True):
                    raise _kept(sheet, "nothing was changed") from refused
            except TriageError as error:
                raise _kept(sheet, str(error)) from error
    sheet.unlink(missing_ok=True)
    for line in done:
        output.line(output.clean(line))
    if not done:
        diagnostics.note("Nothing was changed.")


def _draft(folder: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(
        prefix="sources-", suffix=".txt", dir=folder
    )  # readable by its owner only
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _edited(sheet: Path) -> str:
    """The sheet as the editor left it."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        argv = [*shlex.split(command), str(sheet)]
    except ValueError as error:
        sheet.unlink(missing_ok=True)
        raise UsageError(f"$EDITOR cannot be understood: {error}", fix="export EDITOR=nano") from error
    try:
        code = subprocess.run(argv, check=False).returncode
    except OSError as error:
        sheet.unlink(missing_ok=True)
        raise UsageError(
            f"the editor {argv[0]!r} cannot be run: {error.strerror}", fix="export EDITOR=nano"
        ) from error
    if code != 0:
        raise _kept(sheet, f"the editor ended with {code}, so nothing was changed")
    try:
        with sheet.open("rb") as file:
            return file.read(MAX_SHEET).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _kept(sheet, "the sheet is not UTF-8 any more, so nothing was changed") from error
    except OSError as error:
        raise TriageError(f"the sheet is gone ({error.strerror}), so nothing was changed") from error


def _confirm(gone: list[str], sheet: Path, *, ask: bool) -> None:
    named = ", ".join(output.clean(name, 30) for name in gone[:MANY])
    what = f"this stops {words.plural(len(gone), 'source')}: {named} and {len(gone) - MANY} more"
    if not ask:
        raise _kept(sheet, f"{what}; nothing was changed", fix="triage sources edit --yes")
    diagnostics.note(f"{what}. Their items stay.")
    if not click.confirm("Stop them?", default=False, err=True):
        raise _kept(sheet, "nothing was changed")


def _kept(sheet: Path, message: str, fix: str | None = None) -> TriageError:
    return TriageError(f"{message}; your sheet is kept in {sheet}", fix=fix)
