"""The questions to the backend: each in a thread, each answered by a message, none touching a widget.

A digest and a search carry the generation they were asked in. Only the answer to the newest question
counts, so a slow old one can never overwrite a fast new one.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from triage.core.errors import TriageError
from triage.tui import messages
from triage.tui.backend import Backend

T = TypeVar("T")


class Loader:
    """Asks the backend on behalf of the app."""

    def __init__(self, app: App[int], backend: Backend) -> None:
        self._app = app
        self._backend = backend
        self._digests = 0
        self._searches = 0
        self._fetching: set[int] = set()
        self._polling: Worker[None] | None = None

    # ------------------------------------------------------------ what is answered with a generation

    def digest(self) -> None:
        """Asks for the digest of now; answered by `DigestLoaded` or `DigestFailed`."""
        self._digests += 1
        generation = self._digests

        def load() -> Message:
            try:
                return messages.DigestLoaded(generation, self._backend.digest())
            except TriageError as error:
                return messages.DigestFailed(generation, error)

        self._start("digest", load, exclusive=True)

    def newest_digest(self, generation: int) -> bool:
        """Whether an answer belongs to the last question for a digest."""
        return generation == self._digests

    def overtake_digest(self) -> None:
        """A newer digest came another way: whatever is on its way is stale."""
        self._digests += 1

    def search(self, query: str) -> None:
        """Asks for items; answered by `SearchFailed`, or by `ResultsLoaded` at once and again when whole."""
        self._searches += 1
        generation = self._searches

        def load() -> Message:
            try:
                found = tuple(self._backend.search(query))
            except TriageError as error:
                return messages.SearchFailed(generation, error)
            self._app.post_message(messages.ResultsLoaded(generation, query, found))
            try:
                items, note = self._backend.search_meaning(query)
            except TriageError as error:
                note = f"Found by words only: {error}"
                return messages.ResultsLoaded(generation, query, found, whole=True, note=note)
            return messages.ResultsLoaded(generation, query, tuple(items), whole=True, note=note)

        self._start("search", load, exclusive=True)

    def newest_search(self, generation: int) -> bool:
        """Whether an answer belongs to the last search."""
        return generation == self._searches

    def abandon_search(self) -> None:
        """Nobody waits for results any more."""
        self._searches += 1

    # ------------------------------------------------------------ what is answered with an item

    def reading(self, item_id: int) -> None:
        """Asks for the text of an item; answered by `ReadingLoaded`."""

        def load() -> Message:
            try:
                return messages.ReadingLoaded(item_id, self._backend.read(item_id))
            except TriageError as error:
                return messages.ReadingLoaded(item_id, None, error)

        self._start("reading", load)

    def full_text(self, item_id: int) -> bool:
        """Has the full text of an item fetched; answered by `TextFetched`. False if that is under way."""
        if item_id in self._fetching:
            return False
        self._fetching.add(item_id)

        def fetch() -> Message:
            try:
                return messages.TextFetched(item_id, self._backend.fetch_text(item_id))
            except TriageError as error:
                return messages.TextFetched(item_id, "", error)
            finally:
                self._fetching.discard(item_id)

        self._start("full text", fetch)
        return True

    # ------------------------------------------------------------ the rest

    def ask(
        self,
        screen: Screen[Any],
        question: Callable[[Backend], T],
        then: Callable[[T], object],
        *,
        failed: Callable[[TriageError], object] | None = None,
    ) -> None:
        """Asks the backend something for one screen, in a thread; the newest question of a screen counts.

        Args:
            screen: Who asks; nothing happens any more when it is gone.
            question: Called in the thread.
            then: Called with the answer, in the event loop.
            failed: Called instead with a TriageError; without it, the app shows the error.
        """

        def load() -> Message:
            try:
                answer = question(self._backend)
            except TriageError as error:
                return messages.Answered(screen, functools.partial(failed, error) if failed else None, error)
            return messages.Answered(screen, functools.partial(then, answer))

        self._start(f"screen {id(screen)}", load, exclusive=True)

    def away(self, task: Callable[[Backend], T]) -> T:
        """Does something at once, while the app is suspended and nothing is drawn."""
        return task(self._backend)

    def opened(self, item_id: int, seconds: float | None) -> None:
        """Has it remembered that an item was opened."""
        self.tell(lambda backend: backend.opened(item_id, seconds))

    def tell(self, what: Callable[[Backend], None]) -> None:
        """Tells the backend something that nothing on the screen waits for; only an error is shown."""
        screen = self._app.screen_stack[0]

        def do() -> Message:
            try:
                what(self._backend)
            except TriageError as error:
                return messages.Answered(screen, None, error)
            return messages.Answered(screen, None)

        self._start("tell", do)

    def poll(self) -> None:
        """Looks at the daemon; answered by `Polled`. A look that is not over yet is not repeated."""
        if self._polling is not None and not self._polling.is_finished:
            return

        def look() -> Message:
            try:
                return messages.Polled(self._backend.status(), self._backend.changed())
            except TriageError as error:
                return messages.Polled(str(error), False)

        self._polling = self._start("poll", look)

    def open_link(self, url: str) -> None:
        """Hands a link to the browser; answered by `LinkOpened`."""

        def hand_over() -> Message:
            # subprocess and urllib are not needed before the first link.
            from triage.tui.links import open_link

            try:
                open_link(url, os.environ)
            except TriageError as error:
                return messages.LinkOpened(url, error)
            return messages.LinkOpened(url)

        self._start("link", hand_over)

    def _start(self, group: str, ask: Callable[[], Message], *, exclusive: bool = False) -> Worker[None]:
        def work() -> None:
            self._app.post_message(ask())

        return self._app.run_worker(work, group=group, thread=True, exclusive=exclusive)
