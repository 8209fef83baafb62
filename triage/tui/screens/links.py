"""Where a text leads: its links by number, and the items that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from textual import events
from textual.content import Content

from triage.core import links, words
from triage.core.links import Link
from triage.core.readings import Reading
from triage.tui.cells import clip, line
from triage.tui.screens.picker import Picker


@dataclass(frozen=True, slots=True)
class Followed:
    """What the reader wants of a link, or the item to go to."""

    what: Literal["open", "copy", "go"]
    url: str = ""
    item_id: int = 0


class _Numbered(Picker):
    """Rows with numbers: typing one puts the cursor there, and chooses where no longer number begins so."""

    def __init__(self) -> None:
        super().__init__()
        self._typed = ""

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def on_key(self, event: events.Key) -> None:
        """Takes digits."""
        if not (event.character or "").isdecimal() or not (event.character or "").isascii():
            self._typed = ""
            return
        event.prevent_default().stop()
        self._typed = (self._typed + (event.character or "")).lstrip("0")
        if not self._typed or int(self._typed) > self.count():
            self._typed = ""
            return
        self.cursor = int(self._typed) - 1
        if 10 * int(self._typed) > self.count():
            self.action_choose()
        else:
            self.redraw()


class LinksScreen(_Numbered):
    """Dismissed with what is wanted of which link, or with None."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        own = (Link("the item itself", reading.item.url, None),) if reading.item.url else ()
        known = {link.url for link in reading.links}
        self._links = (*reading.links, *(link for link in own if link.url not in known))

    def count(self) -> int:
        """How many links there are."""
        return len(self._links)

    def head(self, width: int) -> Content:
        """What this is."""
        del width
        return Content.assemble(("Where it leads", "bold $accent"), "\n")

    def rows(self, width: int) -> list[Content]:
        """Number, host and words of each link, and below it the whole of its address."""
        found = []
        for number, link in enumerate(self._links, 1):
            name = clip(f"{number}  {line(links.host(link.url))}", width)
            said = clip(line(link.words), width - len(name) - 3) if link.words != link.url else ""
            address = Content.styled(line(link.url, 5000), "$foreground 68%").wrap(max(width, 2))
            found.append(
                Content("\n").join([Content.assemble((name, "bold"), f"  {said}" if said else ""), *address])
            )
        return found

    def foot(self, width: int) -> Content:
        """The keys."""
        del width
        keys = "number or Enter opens  y copies  Esc closes" if self._links else "This text leads nowhere."
        return Content.styled(f"\n{keys}", "$foreground 68%")

    def action_choose(self) -> None:
        """Opens the link under the cursor."""
        if self._links:
            self.dismiss(Followed("open", self._links[self.cursor].url))

    def on_key(self, event: events.Key) -> None:
        """Copies the link under the cursor, or takes a digit."""
        if event.character == "y" and self._links:
            event.prevent_default().stop()
            self.dismiss(Followed("copy", self._links[self.cursor].url))
        else:
            super().on_key(event)


class RelatedScreen(_Numbered):
    """Dismissed with the item to go to, or with None."""

    def __init__(self, reading: Reading, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._related = reading.related
        self._now = now

    def count(self) -> int:
        """How many items there are."""
        return len(self._related)

    def head(self, width: int) -> Content:
        """What this is."""
        del width
        return Content.assemble(("What belongs to it", "bold $accent"), "\n")

    def rows(self, width: int) -> list[Content]:
        """How each belongs to it, and its title."""
        return [
            Content.assemble(
                (clip(f"{number}  {line(words.related(other, self._now()))}", width), "bold"),
                "\n",
                clip(line(other.title) or "(no title)", width),
            )
            for number, other in enumerate(self._related, 1)
        ]

    def foot(self, width: int) -> Content:
        """The keys."""
        del width
        keys = "number or Enter opens, Esc comes back" if self._related else "Nothing else belongs to it."
        return Content.styled(f"\n{keys}", "$foreground 68%")

    def action_choose(self) -> None:
        """Goes to the item under the cursor."""
        if self._related:
            self.dismiss(Followed("go", item_id=self._related[self.cursor].id))
