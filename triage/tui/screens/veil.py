"""What lies over a screen while the reader is asked something in several dialogs, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from textual import events
from textual.screen import ModalScreen, Screen

T = TypeVar("T")
Question = Callable[["Veil"], Coroutine[Any, Any, None]]


class Veil(ModalScreen[None]):
    """Shows nothing, and lets no key through to what is under it.

    A quick reader types the second answer before the second dialog is there. On the list, `d` for a day would
    be a dislike; here it waits for its dialog.
    """

    DEFAULT_CSS = "Veil { background: transparent; }"

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._typed: list[events.Key] = []

    def on_mount(self) -> None:
        """Begins to ask."""
        self.run_worker(self._ask(), group="question")

    async def _ask(self) -> None:
        try:
            await self._question(self)
        finally:
            self.dismiss()

    async def show(self, dialog: Screen[T]) -> T | None:
        """Shows a dialog and waits for its answer; None if the reader gives none."""
        answer = self.app.push_screen(dialog, wait_for_dismiss=True)
        for key in self._typed:
            dialog.post_message(key)
        self._typed.clear()
        return await answer

    def on_key(self, event: events.Key) -> None:
        """Keeps what is typed ahead."""
        event.stop()
        self._typed.append(event)
