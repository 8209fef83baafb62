"""The three single lines around every screen: title above, status and keys below."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from triage.tui import keymap
from triage.tui.actions import BY_ID, Action
from triage.tui.cells import clip, line


class _Bar(Widget):
    """One line with a left and a right part; the right one is there whole, or gives way."""

    def _line(self, left: Content, right: str) -> Content:
        width = self.size.width
        room = width - left.cell_length
        if not right or cell_len(right) + 2 > room:
            return left.truncate(max(width, 0), ellipsis=True)
        return Content.assemble(left, " " * (room - cell_len(right)), (right, "$foreground 68%"))


class TitleBar(_Bar):
    """The name of what is shown, and how long it takes."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._left, self._right = "triage", "", ""

    def show(self, name: str, left: str = "", right: str = "") -> None:
        """Shows a name in the accent colour, then more about it; `right` stands at the other end."""
        self._name, self._left, self._right = line(name), line(left), line(right)
        self.refresh()

    def render(self) -> Content:
        """The line."""
        left = Content.assemble((f" {self._name}", "bold $accent"), (f"  {self._left}", "$foreground 68%"))
        return self._line(left, f"{self._right} " if self._right else "")


class StatusBar(_Bar):
    """What just happened, and how the daemon is."""

    def __init__(self) -> None:
        super().__init__()
        self._message, self._daemon = "", ""

    @property
    def message(self) -> str:
        """What it says."""
        return self._message

    def say(self, message: str) -> None:
        """Replaces the message."""
        self._message = line(message)
        self.refresh()

    def show_daemon(self, status: str) -> None:
        """Replaces what is said about the daemon."""
        status = line(status)
        if status != self._daemon:
            self._daemon = status
            self.refresh()

    def render(self) -> Content:
        """The line."""
        said, room = self._message, self.size.width - 1
        if cell_len(said) > room:
            # Long titles give way, not how many items moved.
            head, dot, tail = said.rpartition(" · ")
            said = clip(head, room - cell_len(dot + tail)) + dot + tail
        return self._line(
            Content.styled(f" {said}", "$foreground"), f"{self._daemon} " if self._daemon else ""
        )


class KeyBar(_Bar):
    """The few keys that matter; the rest is on the help screen."""

    def __init__(self, *ids: str) -> None:
        super().__init__()
        self._actions: tuple[Action, ...] = tuple(BY_ID[name] for name in ids)

    def render(self) -> Content:
        """As many of the keys as fit."""
        content = Content("")
        for action in self._actions:
            key = keymap.of(self.app).first(action)
            more = Content.assemble((f" {key} ", "bold $accent"), (f"{action.label}  ", "$foreground 68%"))
            if content.cell_length + more.cell_length > self.size.width:
                break
            content = content + more
        return content
