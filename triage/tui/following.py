"""From a text to where it leads: its links, and the items that belong to it.

Owns which link is meant and what is done with it. Opening a link counts as opening the item: how long it is
read in a browser, nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.core.text import sanitize_line

if TYPE_CHECKING:
    from triage.core.readings import Reading
    from triage.tui.app import TriageApp
    from triage.tui.screens.links import Followed

OPEN_FIRST = "Open an item first"


class Following:
    """Follows what the reader points at."""

    def __init__(self, app: TriageApp) -> None:
        self._app = app

    def own_link(self) -> str | None:
        """The link of the item in question; says so if there is none."""
        item = self._app.current_item
        if item is not None and not item.url:
            self._app.say("This item has no link")
        return item.url or None if item is not None else None

    def open(self, url: str) -> None:
        """Opens a link outside; the whole of it is shown while that happens."""
        self._app.say(f"Opening {url}")
        self._app.loader.open_link(url)
        if (item := self._app.current_item) is not None:
            self._app.loader.opened(item.id, None)

    def copy(self, url: str) -> None:
        """Copies a link through the terminal."""
        self._app.copy_to_clipboard(sanitize_line(url))
        self._app.say("Link copied")

    def links(self) -> None:
        """Asks which link of a text is meant."""
        # Dialogs are imported when they are opened: the first paint needs none of them.
        from triage.tui.screens.links import LinksScreen

        if (reading := self._opened()) is not None:
            self._app.push_screen(LinksScreen(reading), self._follow)

    def related(self) -> None:
        """Asks which of the items that belong to one is to be opened."""
        from triage.tui.screens.links import RelatedScreen

        if (reading := self._opened()) is not None:
            self._app.push_screen(RelatedScreen(reading, self._app.now), self._follow)

    def _opened(self) -> Reading | None:
        if not self._app.reading:
            self._app.say(OPEN_FIRST)
            return None
        if self._app.reader.reading is None:
            self._app.say("The text is on its way")
        return self._app.reader.reading

    def _follow(self, followed: Followed | None) -> None:
        if followed is None:
            return
        if followed.what == "go":
            self._app.loader.ask(
                self._app.screen,
                lambda backend: backend.read(followed.item_id),
                lambda reading: self._app.open(reading.item),
            )
        elif followed.what == "copy":
            self.copy(followed.url)
        else:
            self.open(followed.url)
