"""The single lines in which something is typed: a search, a filter, an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.suggester import Suggester
from textual.widgets import Input

from triage.tui.cells import line


class QuerySuggester(Suggester):
    """Completes the part of a search that is being typed: a filter, or the name of a saved search."""

    def __init__(self, names: Iterable[str]) -> None:
        from triage.core.query import OFFERED

        super().__init__(use_cache=False, case_sensitive=True)
        self._offered = (*(f"@{name}" for name in names), *OFFERED)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line with its last part completed."""
        rest, space, part = value.rpartition(" ")
        minus = "-" if part.startswith("-") else ""
        part = part.removeprefix("-").lower()
        if len(part) < 2 and part != "@":
            return None
        found = next((each for each in self._offered if each.lower().startswith(part)), None)
        return None if found is None else f"{rest}{space}{minus}{found}"


class TypedLine(Input):
    """An input whose value, typed or pasted, never holds a control character."""

    LONGEST: ClassVar[int] = 512
    JOINT: ClassVar[str] = " "
    """What stands between lines that were pasted."""
    DEFAULT_CSS = "TypedLine { dock: bottom; height: 1; border: none; background: $panel; }"

    def validate_value(self, value: str) -> str:
        """Sanitises what was pasted; a space that is being typed stays."""
        return line(value, self.LONGEST) + (" " if value.endswith(" ") and value.strip() else "")

    def on_paste(self, event: events.Paste) -> None:
        """Takes all lines that were pasted, as one; Textual's own would drop all but the first."""
        event.prevent_default()
        event.stop()
        lines = (each.strip() for each in event.text.splitlines())
        self.replace(self.JOINT.join(each for each in lines if each), *self.selection)


class SearchBox(TypedLine):
    """What is looked for."""

    def offer(self, names: Iterable[str]) -> None:
        """Completes filters and these names of saved searches from now on."""
        self.suggester = QuerySuggester(names)
        if self.value:  # typed before the names were known
            self.run_worker(self.suggester._get_suggestion(self, self.value))


class FilterBox(TypedLine):
    """The words that the list is narrowed to while one types them."""

    def __init__(self, value: str) -> None:
        hint = "words of a title, source, person, kind or mark; -word: without it"
        super().__init__(value, placeholder=hint, compact=True, select_on_focus=False)
