"""The single lines in which a search or a filter is typed."""

from __future__ import annotations

from textual.widgets import Input

from triage.tui.cells import line


class TypedLine(Input):
    """An input whose value, typed or pasted, never holds a control character."""

    DEFAULT_CSS = "TypedLine { dock: bottom; height: 1; border: none; background: $panel; }"

    def validate_value(self, value: str) -> str:
        """Sanitises what was pasted; a space that is being typed stays."""
        return line(value) + (" " if value.endswith(" ") and value.strip() else "")


class SearchBox(TypedLine):
    """What is looked for."""


class FilterBox(TypedLine):
    """The words that the list is narrowed to while one types them."""

    def __init__(self, value: str) -> None:
        hint = "words of a title, source, person, kind or mark; -word: without it"
        super().__init__(value, placeholder=hint, compact=True, select_on_focus=False)
