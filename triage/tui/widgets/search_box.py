"""The line in which a search is typed."""

from __future__ import annotations

from textual.widgets import Input

from triage.tui.cells import line


class SearchBox(Input):
    """An input whose value, typed or pasted, never holds a control character."""

    DEFAULT_CSS = """
    SearchBox { dock: bottom; height: 1; border: none; background: $panel; }
    DigestScreen.-tall SearchBox { margin-bottom: 2; }
    """

    def validate_value(self, value: str) -> str:
        """Sanitises what was pasted; a space that is being typed stays."""
        return line(value) + (" " if value.endswith(" ") and value.strip() else "")
