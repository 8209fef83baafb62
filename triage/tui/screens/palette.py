"""The command palette: Textual's, which ends the app where two keys that close it come at once."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette


class Palette(CommandPalette):
    """Closes once. Enter reaches it by a message, and Esc, or another Enter, may have been faster."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Closes it, if it is open."""
        return super().dismiss(result) if self.is_current else AwaitComplete()
