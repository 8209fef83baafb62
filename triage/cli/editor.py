"""The reader's editor around a sheet: nothing that was typed is lost, whatever goes wrong.

Owns the draft on disk and the questions; knows of a sheet only what `Sheet` says.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

import click

from triage.cli import diagnostics, output
from triage.core.errors import TriageError, UsageError
from triage.core.sheet import SheetRefused

MAX_SHEET = 10 * 2**20


class Sheet(Protocol):
    """What can be edited as a whole."""

    name: str
    """What the file of a draft begins with."""

    def write(self) -> str:
        """The sheet as it stands."""

    def doubt(self, before: str, after: str) -> str | None:
        """What the reader should be asked before a change is made; raises SheetRefused as `apply` does."""

    def apply(self, before: str, after: str) -> list[str]:
        """Makes it what the edited sheet says, all of it or nothing; returns what was changed, a line each.

        Raises:
            SheetRefused: Lines are wrong.
            TriageError: It cannot be done.
        """


def edit(sheet: Sheet, folder: Path, *, yes: bool, fix: str) -> list[str]:
    """Writes the sheet, runs the editor, and does what has changed, or says in which line it cannot.

    Args:
        sheet: What is edited.
        folder: Where the draft lies meanwhile.
        yes: Whether nothing is to be asked.
        fix: The command that asks nothing.

    Returns:
        What was changed, a line each.

    Raises:
        TriageError: Nothing was changed. The sheet as it was left lies in the file that is named.
    """
    before = sheet.write()
    draft = _draft(folder, sheet.name, before)
    while True:
        after = _edited(draft)
        if after == before:
            draft.unlink(missing_ok=True)
            return []
        try:
            doubt = None if yes else sheet.doubt(before, after)
            diagnostics.confirm(doubt, yes=yes, fix=fix)
            done = sheet.apply(before, after)
            break
        except SheetRefused as refused:
            for error in refused.errors:
                diagnostics.note(f"{draft}, line {error.line}: {error.message}")
            again = diagnostics.somebody_is_there() and click.confirm(
                "Edit it again?", default=True, err=True
            )
            if not again:
                raise _kept(draft, "nothing was changed") from refused
        except TriageError as error:
            raise _kept(draft, str(error), error.fix) from error
    draft.unlink(missing_ok=True)
    return done


def say_done(done: list[str]) -> None:
    """What was changed, a line each."""
    for line in done:
        output.line(output.clean(line))
    if not done:
        diagnostics.note("Nothing was changed.")


def _draft(folder: Path, name: str, text: str) -> Path:
    handle, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".txt", dir=folder)  # only its owner reads it
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(path)


def _edited(draft: Path) -> str:
    """The sheet as the editor left it."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        argv = [*shlex.split(command), str(draft)]
    except ValueError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"$EDITOR cannot be understood: {error}", fix="export EDITOR=nano") from error
    try:
        code = subprocess.run(argv, check=False).returncode
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(
            f"the editor {argv[0]!r} cannot be run: {error.strerror}", fix="export EDITOR=nano"
        ) from error
    if code != 0:
        raise _kept(draft, f"the editor ended with {code}, so nothing was changed")
    try:
        with draft.open("rb") as file:
            body = file.read(MAX_SHEET + 1)
        if len(body) > MAX_SHEET:  # cut off, what is missing would count as removed
            raise _kept(draft, f"the sheet is larger than {MAX_SHEET // 2**20} MiB, so nothing was changed")
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _kept(draft, "the sheet is not UTF-8 any more, so nothing was changed") from error
    except OSError as error:
        raise TriageError(f"the sheet is gone ({error.strerror}), so nothing was changed") from error


def _kept(draft: Path, message: str, fix: str | None = None) -> TriageError:
    return TriageError(f"{message}; your sheet is kept in {draft}", fix=fix)
