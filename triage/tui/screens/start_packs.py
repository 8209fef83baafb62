"""The guided start's second step: which starter packs to take."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from triage.core import words
from triage.core.packs import Offer
from triage.core.starting import Stand, Step
from triage.tui.cells import line
from triage.tui.loader import Loader
from triage.tui.screens.start import StepScreen


class PackList(OptionList):
    """Packs with a box each, whose tick is a letter: colour alone says nothing."""

    DEFAULT_CSS = """
    PackList { height: 1fr; border: none; background: $background; padding: 0 1; margin: 1 0 0 0; }
    PackList:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "first", show=False),
        Binding("G", "last", show=False),
    ]


class PacksScreen(StepScreen):
    """All packs, those that fit what was said first and ticked."""

    STEP = Step.PACKS
    ASKS = "Sources to start with, by interest"
    KEYS = (("Space", "tick"), ("j k", "move"), ("Enter", "take what is ticked"))
    AUTO_FOCUS = "PackList"
    DEFAULT_CSS = """
    PacksScreen > .about { height: 6; padding: 1 2 0 2; margin-bottom: 2; dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", show=False, priority=True),
        Binding("space", "tick", show=False, priority=True),
    ]

    def __init__(self, loader: Loader, then: Callable[[Stand], object]) -> None:
        super().__init__(loader, then)
        self.list = PackList()
        self.about = Static(classes="about")
        self._offers: tuple[Offer, ...] = ()
        self._ticked: set[str] = set()
        self._touched = False

    def middle(self) -> ComposeResult:
        """The list, and what is in the pack under the cursor."""
        yield self.list
        yield self.about

    def on_mount(self) -> None:
        """Asks for the packs: by words at once, then by meaning, which may take seconds the first time."""
        super().on_mount()
        self.say("Looking for what fits …")
        self.ask(lambda start: start.packs(by_meaning=False), self._show_first)

    def _show_first(self, offers: list[Offer]) -> None:
        self._show(offers)
        self.ask(lambda start: start.packs(), self._show_better)

    def _show_better(self, offers: list[Offer]) -> None:
        if not self._touched and tuple(offers) != self._offers:
            self._show(offers)

    def _show(self, offers: list[Offer]) -> None:
        self._offers = tuple(offers)
        self.list.clear_options()
        self._ticked = {offer.pack.name for offer in offers if offer.suggested}
        self.list.add_options([Option(self._row(offer)) for offer in offers])
        self.list.highlighted = 0
        self._say_ticked()

    def _say_ticked(self) -> None:
        packs = [offer.pack for offer in self._offers if offer.pack.name in self._ticked]
        sources = {source.target for pack in packs for source in pack.sources}
        taken = f"{words.plural(len(packs), 'pack')} ticked, {words.plural(len(sources), 'source')}"
        self.say(taken if packs else "Nothing ticked yet")

    def _row(self, offer: Offer) -> Content:
        box = "x" if offer.pack.name in self._ticked else " "
        language = "" if offer.pack.language == "en" else f" ({offer.pack.language})"
        because = f"  for “{line(offer.because, 40)}”" if offer.because else ""
        return Content.assemble(
            "[", (box, "bold $accent"), f"] {offer.pack.title}", (f"{language}{because}", "$foreground 68%")
        )

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Names the sources of the pack under the cursor."""
        rows = [
            Content.assemble(source.title, (f"  {source.reason}\n", "$foreground 68%"))
            for source in self._offers[event.option_index].pack.sources
        ]
        self.about.update(Content("").join(rows))

    def action_tick(self) -> None:
        """Ticks the pack under the cursor, or takes its tick away."""
        if (place := self.list.highlighted) is None:
            return
        self._touched = True
        self._ticked ^= {self._offers[place].pack.name}
        self.list.replace_option_prompt_at_index(place, self._row(self._offers[place]))
        self._say_ticked()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click ticks."""
        event.stop()
        self.action_tick()

    def action_take(self) -> None:
        """Takes what is ticked."""
        if self._offers:
            names = [offer.pack.name for offer in self._offers if offer.pack.name in self._ticked]
            self.say("Adding …")
            self.leave(lambda start: start.take(names))
