"""The terminal interface: one app that owns what is shown, and the rule by which threads reach it.

The event loop never waits for the backend. Loads run in thread workers that post a message and touch no
widget; a digest carries the generation it was asked in, and one that a newer answer has overtaken is
dropped. Marks show at once and go through the one `Writer`, in order.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker

from triage.core.errors import TriageError
from triage.core.feedback import PAST_TENSE, Verb
from triage.core.items import Change, Item
from triage.core.text import sanitize_line, sanitize_text
from triage.tui import messages, theme, words
from triage.tui.actions import ACTIONS, bindings
from triage.tui.backend import Backend
from triage.tui.readings import Readings
from triage.tui.screens.dialog import Dialog
from triage.tui.screens.digest import DigestScreen
from triage.tui.screens.reading import ReadingScreen
from triage.tui.screens.why import WhyScreen
from triage.tui.session import Session
from triage.tui.widgets.item_list import ItemList
from triage.tui.widgets.reader import Reader
from triage.tui.widgets.search_box import SearchBox
from triage.tui.writer import Job, Writer

POLL_SECONDS = 1.0
QUIET_SECONDS = 0.3
"""How long leaving may take before it says what it waits for."""


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class TriageApp(App[None]):
    """Shows a digest and takes marks."""

    CSS_PATH = "app.tcss"
    TITLE = "triage"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(
        self,
        backend: Backend,
        *,
        demo: bool = False,
        now: Callable[[], datetime] = utc_now,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Creates the app.

        Args:
            backend: Where items come from and marks go to; the app closes it.
            demo: Says on the digest that its items are made up.
            now: The clock that ages are counted by; aware.
            poll_seconds: How often to ask whether the daemon has stored something.
        """
        super().__init__()
        self._backend = backend
        self._demo = demo
        self._now = now
        self._poll_seconds = poll_seconds
        self._generation = 0
        self._searches = 0
        self._leaving = False
        self._polling: Worker[None] | None = None
        self.session = Session()
        self.readings = Readings()
        self.writer = Writer(backend, self._deliver)
        self.animation_level = "none"
        theme.apply(self)

    # ------------------------------------------------------------ start and end

    def get_default_screen(self) -> DigestScreen:
        """The digest, with the page stored at the last build already in it."""
        try:
            self.session.digest = self._backend.first_page()
        except TriageError as error:
            self.call_after_refresh(self._complain, error)
        self.base = DigestScreen(self.session, now=self._now, demo=self._is_demo)
        return self.base

    def on_mount(self) -> None:
        """Shows the stored page; what takes longer starts after the first paint."""
        self.base.show()
        self.call_after_refresh(self._load_digest)
        self.set_interval(self._poll_seconds, self._poll)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for name in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(name, self.action_quit_now)

    async def on_unmount(self) -> None:
        """Nothing that was said is lost: the queue is written before the database is closed."""
        await asyncio.to_thread(self.writer.close)
        await asyncio.to_thread(self._backend.close)

    @property
    def _is_demo(self) -> bool:
        return self._demo or (self.session.digest is not None and self.session.digest.demo)

    async def action_quit(self) -> None:
        """Leaves; what is not written yet is written first, with a word about it if that takes long."""
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._leave(), group="leave")

    def action_quit_now(self) -> None:
        """Leaves on a signal."""
        self.exit()

    def action_help_quit(self) -> None:
        """Control-C leaves, as everywhere else."""
        self.run_worker(self.action_quit(), group="leave")

    async def _leave(self) -> None:
        closing = asyncio.create_task(asyncio.to_thread(self.writer.close))
        done, _ = await asyncio.wait([closing], timeout=QUIET_SECONDS)
        if not done:
            self.say(f"Writing {words.plural(self.writer.pending, 'mark')} before leaving …")
            await closing
        self.exit()

    # ------------------------------------------------------------ words for the reader

    def say(self, message: str) -> None:
        """Shows a message in the status line of the screen on top and of the digest."""
        self.base.status_bar.say(message)
        if isinstance(self.screen, ReadingScreen):
            self.screen.status_bar.say(message)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Shows a toast. Its words may be a stranger's, so they are sanitised and never markup."""
        del markup
        super().notify(
            sanitize_text(message, 600),
            title=sanitize_line(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def _complain(self, error: TriageError) -> None:
        self.notify(_sentence(error), severity="error", timeout=8)

    # ------------------------------------------------------------ loading

    def _load_digest(self) -> None:
        self._generation += 1
        generation = self._generation

        def load() -> None:
            try:
                digest = self._backend.digest()
            except TriageError as error:
                self.post_message(messages.LoadFailed(generation, error))
            else:
                self.post_message(messages.DigestLoaded(generation, digest))

        self.run_worker(load, group="digest", thread=True, exclusive=True)

    @on(messages.DigestLoaded)
    def _digest_loaded(self, message: messages.DigestLoaded) -> None:
        if message.generation == self._generation:
            self.session.digest = message.digest
            self._show_newest()

    @on(messages.LoadFailed)
    def _load_failed(self, message: messages.LoadFailed) -> None:
        if message.generation == self._generation:
            self._complain(message.error)
            if self.session.digest is None:
                self.base.show(trouble=_sentence(message.error))

    def _show_newest(self, *, select: int | None = None) -> None:
        """Shows the session's items, the newest there are; texts are read again for their highlights."""
        self.session.absorb()
        self.readings.forget()
        self.base.show(select=select)
        self._redraw_marks()
        if (item := self.current_item) is not None:
            self._read(item)

    def _poll(self) -> None:
        """Looks at the daemon, in a thread; a look that takes longer than a second is not repeated."""
        if self._polling is not None and not self._polling.is_finished:
            return

        def look() -> None:
            self.post_message(messages.Polled(self._backend.status(), self._backend.changed()))

        self._polling = self.run_worker(look, group="poll", thread=True)

    @on(messages.Polled)
    def _polled(self, message: messages.Polled) -> None:
        self.base.status_bar.show_daemon(message.status)
        if message.changed:
            self._load_digest()

    # ------------------------------------------------------------ the item in question, and its text

    @property
    def current_item(self) -> Item | None:
        """The item that keys act on: the one being read, else the one under the cursor."""
        return self.screen.item if isinstance(self.screen, ReadingScreen) else self.base.list.selected

    @property
    def _reader(self) -> Reader:
        return self.screen.reader if isinstance(self.screen, ReadingScreen) else self.base.reader

    @on(ItemList.Moved)
    def _moved(self, message: ItemList.Moved) -> None:
        if not self.base.wide:
            return
        if message.item is None:
            self.readings.want(None)
            self.base.reader.show_item(None)
        elif self.base.reader.item is None or self.base.reader.item.id != message.item.id:
            self._read(message.item)

    @on(ItemList.Opened)
    def _opened(self, message: ItemList.Opened) -> None:
        if self.base.wide:
            self.base.reader.focus()
            return
        self.push_screen(ReadingScreen(message.item, state_of=self.session.state_of, now=self._now))
        self.call_after_refresh(self._read, message.item)

    def _read(self, item: Item) -> None:
        """Shows an item in the reader: its head at once, its text as soon as it is there."""
        reader = self._reader
        if (kept := self.readings.get(item.id)) is not None:
            reader.show_reading(kept)
        elif reader.item is None or reader.item.id != item.id:
            reader.show_item(item, "…")
        if isinstance(self.screen, ReadingScreen) or self.base.wide:
            self._load_reading(self.readings.want(item.id))

    def _load_reading(self, item_id: int | None) -> None:
        if item_id is None:
            return

        def load() -> None:
            try:
                reading = self._backend.read(item_id)
            except TriageError as error:
                self.post_message(messages.ReadingLoaded(item_id, None, error))
            else:
                self.post_message(messages.ReadingLoaded(item_id, reading))

        self.run_worker(load, group="reading", thread=True)

    @on(messages.ReadingLoaded)
    def _reading_loaded(self, message: messages.ReadingLoaded) -> None:
        self._load_reading(self.readings.loaded(message.item_id, message.reading))
        reader = self._reader
        if reader.item is None or reader.item.id != message.item_id:
            return
        if message.error is not None:
            reader.show_item(reader.item, _sentence(message.error))
        elif (kept := self.readings.get(message.item_id)) is not None:
            reader.show_reading(kept)

    @on(Reader.PastEnd)
    def _past_end(self) -> None:
        self.action_step(1)

    def action_step(self, step: int) -> None:
        """To the next or previous item, in the text as well; past the last one, to the end card."""
        current = self.current_item
        following = self.base.list.neighbour(current.id, step) if current is not None else None
        if following is not None:
            self.base.list.select(following.id)
            if isinstance(self.screen, ReadingScreen):
                self.screen.item = following
                self._read(following)
        elif step > 0 or current is None:
            if isinstance(self.screen, ReadingScreen):
                self.pop_screen()
            self.base.list.action_bottom() if step > 0 else self.base.list.action_move(-1)
            self.base.list.focus()

    def action_highlight(self, step: int) -> None:
        """To the next or previous passage that counted."""
        if isinstance(self.screen, ReadingScreen) or self.base.wide:
            self.say(self._reader.jump(step))
        elif (item := self.current_item) is not None:
            self.base.list.post_message(ItemList.Opened(item))

    # ------------------------------------------------------------ marks

    def action_mark(self, name: str) -> None:
        """Marks the item in question; on the list, the cursor goes on to the next one."""
        item = self.current_item
        if item is None or self._leaving:
            return
        verb = Verb(name)
        if self.session.state_of(item) == verb.value:
            self.say(f"already {PAST_TENSE[verb]}")
        else:
            self.session.add(self.writer.submit(verb, item.id))
            self.say(PAST_TENSE[verb])
        self._redraw_marks()
        if self.base.list.has_focus:
            self.base.list.action_move(1)

    def action_undo(self) -> None:
        """Takes back the last mark."""
        if not self._leaving:
            self.session.add(self.writer.submit(Verb.UNDO))
            self.say("undoing …")

    def _deliver(self, job: Job, change: Change | None, error: BaseException | None) -> None:
        self.post_message(messages.Written(job, change, error))

    @on(messages.Written)
    def _written(self, message: messages.Written) -> None:
        job, change, error = message.job, message.change, message.error
        if isinstance(error, TriageError):
            self.session.failed(job)
            self.say("not undone" if job.verb is Verb.UNDO else f"not {PAST_TENSE[job.verb]}")
            self._complain(error)
        elif change is None:
            raise error or AssertionError("a finished job has a change or an error")
        else:
            # A digest asked for before this mark knows nothing of it.
            self._generation += 1
            before = self.session.shown_states()
            self.session.written(job, change)
            moved = f" · {words.plural(change.moved, 'item')} moved" if change.moved else ""
            self.say(change.message.rstrip(".") + moved)
            if self.session.settled:
                self._settle(undone=before if job.verb is Verb.UNDO else None)
                return
        if self.session.settled:
            self._show_newest()
        self._redraw_marks()

    def _settle(self, *, undone: dict[int, str] | None) -> None:
        """Shows the new order; after an undo the cursor goes to the item whose mark is gone."""
        self.session.absorb()
        restored = self.session.changed_items(undone) if undone is not None else []
        self._show_newest(select=restored[0] if len(restored) == 1 else None)
        if self.session.query is not None and undone is not None:
            self._search(self.session.query)

    def _redraw_marks(self) -> None:
        self.base.list.refresh()
        self._reader.redraw()

    # ------------------------------------------------------------ why, links, search, help

    def action_why(self) -> None:
        """Opens the reasons of the item in question."""
        item = self.current_item
        if item is None:
            return
        self.push_screen(WhyScreen(item))

        def load() -> None:
            try:
                explained = self._backend.explain(item.id)
            except TriageError as error:
                self.post_message(messages.ExplainedLoaded(item.id, None, error))
            else:
                self.post_message(messages.ExplainedLoaded(item.id, explained))

        self.run_worker(load, group="why", thread=True, exclusive=True)

    @on(messages.ExplainedLoaded)
    def _explained_loaded(self, message: messages.ExplainedLoaded) -> None:
        if isinstance(self.screen, WhyScreen) and self.screen.item.id == message.item_id:
            self.screen.show(message.explained, _sentence(message.error) if message.error else "")

    def action_open_link(self) -> None:
        """Opens the link outside; the whole of it is shown while that happens."""
        url = self._link()
        if url is None:
            return
        self.say(f"Opening {url}")

        def hand_over() -> None:
            # subprocess and urllib are not needed before the first link.
            from triage.tui.links import open_link

            try:
                open_link(url, os.environ)
            except TriageError as error:
                self.post_message(messages.LinkOpened(url, error))
            else:
                self.post_message(messages.LinkOpened(url))

        self.run_worker(hand_over, group="link", thread=True)

    @on(messages.LinkOpened)
    def _link_opened(self, message: messages.LinkOpened) -> None:
        if message.error is None:
            self.say(f"Opened {message.url}")
        else:
            self.say("Not opened")
            self._complain(message.error)

    def action_copy_link(self) -> None:
        """Copies the link through the terminal."""
        if (url := self._link()) is not None:
            self.copy_to_clipboard(sanitize_line(url))
            self.say("Link copied")

    def _link(self) -> str | None:
        item = self.current_item
        if item is not None and not item.url:
            self.say("This item has no link")
        return item.url if item is not None else None

    def action_search(self) -> None:
        """Opens the line in which a search is typed."""
        if isinstance(self.screen, ReadingScreen):
            self.pop_screen()
        self.base.open_search()

    @on(SearchBox.Submitted)
    def _search_submitted(self, event: SearchBox.Submitted) -> None:
        if event.value.strip():
            self.say("Searching …")
            self._search(event.value.strip())

    def _search(self, query: str) -> None:
        self._searches += 1
        generation = self._searches

        def load() -> None:
            try:
                found = self._backend.search(query)
            except TriageError as error:
                self.post_message(messages.SearchFailed(generation, error))
            else:
                self.post_message(messages.ResultsLoaded(generation, query, tuple(found)))

        self.run_worker(load, group="search", thread=True, exclusive=True)

    @on(messages.ResultsLoaded)
    def _results_loaded(self, message: messages.ResultsLoaded) -> None:
        if message.generation != self._searches:
            return
        again = self.session.query == message.query
        self.session.query, self.session.results = message.query, message.items
        self.base.close_search()
        if not again:
            self.say("")
            self.base.list.action_top()
        self.base.show(select=None if again or not message.items else message.items[0].id)

    @on(messages.SearchFailed)
    def _search_failed(self, message: messages.SearchFailed) -> None:
        if message.generation == self._searches:
            self.say("")
            self._complain(message.error)

    async def action_back(self) -> None:
        """One step out: of the text, of the search line, of the results."""
        if isinstance(self.screen, ReadingScreen):
            self.pop_screen()
        elif self.base.close_search():
            self._searches += 1
        elif self.base.reader.has_focus:
            self.base.list.focus()
        elif self.session.query is not None:
            self._searches += 1
            self.session.query, self.session.results = None, ()
            self.base.show()

    async def action_leave(self) -> None:
        """Out of the text or the results; from the digest, out of the program."""
        if (
            isinstance(self.screen, ReadingScreen)
            or self.base.reader.has_focus
            or self.session.query is not None
        ):
            await self.action_back()
        else:
            await self.action_quit()

    def action_refresh(self) -> None:
        """Loads the digest again."""
        self.say("Loading …")
        self._load_digest()

    def action_help(self) -> None:
        """Opens the list of keys."""
        from triage.tui.screens.help import HelpScreen

        if not isinstance(self.screen, Dialog):
            self.push_screen(HelpScreen())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette offers the same actions as the keys, and the themes."""
        for action in ACTIONS:
            if action.scope == "app":
                yield SystemCommand(
                    action.label,
                    f"{action.help} ({action.shown_keys})",
                    lambda call=action.action: self._call(call),
                )
        yield SystemCommand("theme", "Changes the colours", self.action_change_theme)

    async def _call(self, action: str) -> None:
        await self.run_action(action)


def _sentence(error: TriageError) -> str:
    return f"{error}. {error.fix}" if error.fix else str(error)


def run(backend: Backend, *, demo: bool = False) -> None:
    """Runs the terminal interface until the reader leaves."""
    if os.environ.get("NO_COLOR") == "":
        # The convention counts only a value that is not empty; Textual counts any.
        del os.environ["NO_COLOR"]
    TriageApp(backend, demo=demo).run()
