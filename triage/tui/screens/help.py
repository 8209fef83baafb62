"""Every key and what it does, made from the registry of actions; typing after / filters it."""

from __future__ import annotations

from itertools import groupby

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from triage.tui import keymap
from triage.tui.actions import ACTIONS
from triage.tui.cells import fit
from triage.tui.screens.dialog import Dialog
from triage.tui.widgets.search_box import SearchBox

KEY_CELLS = 11


class HelpScreen(Dialog):
    """The actions by group."""

    BINDINGS = [Binding("question_mark", "dismiss", show=False), Binding("slash", "filter", show=False)]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._filter = ""

    def compose(self) -> ComposeResult:
        """The page and its filter."""
        with self.page:
            yield self.body
        yield SearchBox(placeholder="/ to filter", compact=True)

    def content(self, width: int) -> Content:
        """The page."""
        wanted, keys = self._filter.lower().split(), keymap.of(self.app)
        shown = [
            action
            for action in ACTIONS
            if all(word in f"{keys.shown(action)} {action.label} {action.help}".lower() for word in wanted)
        ]
        parts: list[Content | tuple[str, str]] = [("Keys\n", "bold $accent")]
        for group, actions in groupby(shown, key=lambda action: action.group):
            parts.append((f"\n{group}\n", "bold"))
            for action in actions:
                shown_keys = Content.styled(fit(keys.shown(action), KEY_CELLS), "$accent")
                lines = Content(action.help).wrap(max(width - KEY_CELLS, 2))
                indent = "\n" + " " * KEY_CELLS
                parts += [shown_keys, Content(indent).join(lines), Content("\n")]
        if not shown:
            parts.append(("\nNo action has these words.\n", "$foreground 68%"))
        return Content.assemble(*parts)

    def action_filter(self) -> None:
        """Goes to the filter."""
        self.query_one(SearchBox).focus()

    @on(SearchBox.Changed)
    def filter_changed(self, event: SearchBox.Changed) -> None:
        """Shows what has the words."""
        self._filter = event.value
        self.redraw()
        self.action_top()

    @on(SearchBox.Submitted)
    def filter_done(self, event: SearchBox.Submitted) -> None:
        """Back to the page; to the app it would be a search."""
        event.stop()
        self.page.focus()
