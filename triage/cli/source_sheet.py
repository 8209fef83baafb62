"""`triage sources edit`: the sources as a sheet, and what needs a second word."""

from __future__ import annotations

from triage.cli import editor, output
from triage.core import words
from triage.runtime import Runtime

MANY = 3
"""More lines than that taken out at once may be a slip of the hand."""


class SourceSheet:
    """The sheet of all sources; see `triage.cli.editor.Sheet`."""

    name = "sources"

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def write(self) -> str:
        """A line for each source."""
        from triage.services.fetching import source_sheet, sources

        return source_sheet.write(sources.listing(self._runtime.database, self._runtime.clock()))

    def doubt(self, before: str, after: str) -> str | None:
        """That many sources are gone from it."""
        from triage.services.fetching import source_sheet

        gone = source_sheet.stopped(before, after)
        if len(gone) <= MANY:
            return None
        named = ", ".join(output.clean(name, 30) for name in gone[:MANY])
        return f"this stops {words.plural(len(gone), 'source')}: {named} and {len(gone) - MANY} more"

    def apply(self, before: str, after: str) -> list[str]:
        """Adds, stops and changes sources."""
        from triage.services.fetching import source_sheet

        return source_sheet.apply(self._runtime.database, self._runtime.clock, before, after)


def edit(*, yes: bool) -> None:
    """Lets the reader edit the sheet; on TriageError the sheet as it was left is kept."""
    with Runtime.open() as runtime:
        sheet = SourceSheet(runtime)
        done = editor.edit(sheet, runtime.paths.state, yes=yes, fix="triage sources edit --yes")
    editor.say_done(done)
