"""Interests, aliases and rules as one sheet: shown, edited, or taken from a file."""

from __future__ import annotations

from pathlib import Path

import click

from triage.cli import diagnostics, editor, output
from triage.cli import preview as rule_preview
from triage.cli.items import say_learned
from triage.core import words
from triage.core.errors import TriageError, UsageError
from triage.core.sheet import SheetRefused
from triage.runtime import Runtime


class InterestSheet:
    """The sheet of all that the reader has said in words; see `triage.cli.editor.Sheet`."""

    name = "interests"

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def write(self) -> str:
        """As it stands."""
        from triage.services.reader import interest_sheet

        return interest_sheet.show(self._runtime.database, self._runtime.clock())

    def doubt(self, before: str, after: str) -> str | None:
        """That a rule hides what the reader wanted, or nearly everything; shows what rules do."""
        from triage.services.reader import interest_sheet

        now = self._runtime.clock()
        changed = interest_sheet.changes(before, after, now)
        previews = interest_sheet.previews(self._runtime.database, now, changed)
        for preview in previews:
            rule_preview.show(preview, diagnostics.line)
        return next((f"{each.rule}: {each.doubt}" for each in previews if each.doubt), None)

    def apply(self, before: str, after: str) -> list[str]:
        """Says what is new on it and withdraws what is gone, in one step."""
        from triage.services.reader import interest_sheet

        runtime = self._runtime
        changed = interest_sheet.changes(before, after, runtime.clock())
        return interest_sheet.apply(runtime.database, runtime.clock, changed)


def show() -> None:
    """Prints the sheet."""
    with Runtime.open() as runtime:
        click.echo(InterestSheet(runtime).write(), nl=False)


def edit(*, yes: bool) -> None:
    """Lets the reader edit the sheet, and ranks anew; on TriageError the sheet as it was left is kept."""
    with Runtime.open() as runtime:
        fix = "triage interests edit --yes"
        _say(runtime, editor.edit(InterestSheet(runtime), runtime.paths.state, yes=yes, fix=fix))


def apply(path: Path, *, yes: bool) -> None:
    """Makes everything what a file says, and ranks anew.

    Raises:
        TriageError: A line is wrong, or it is not to be done; nothing was changed.
    """
    after = _read(path)
    with Runtime.open() as runtime:
        sheet = InterestSheet(runtime)
        before = sheet.write()
        try:
            doubt = sheet.doubt(before, after)
            diagnostics.confirm(doubt, yes=yes, fix=f"triage interests apply --yes {path}")
            done = sheet.apply(before, after)
        except SheetRefused as refused:
            for error in refused.errors:
                diagnostics.note(f"{path}, line {error.line}: {error.message}")
            wrong = words.plural(len(refused.errors), "line")
            raise UsageError(f"{wrong} of {path} cannot be understood; nothing was changed") from refused
        _say(runtime, done)


def _say(runtime: Runtime, done: list[str]) -> None:
    for line in done[:-1]:
        output.line(output.clean(line))
    if done:
        say_learned(runtime, done[-1])
    else:
        diagnostics.note("Nothing was changed.")


def _read(path: Path) -> str:
    try:
        with click.open_file(str(path), "rb") as file:
            body: bytes = file.read(editor.MAX_SHEET)
            return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8") from error
    except OSError as error:
        raise TriageError(f"{path} cannot be read: {error.strerror}") from error
