"""The terminal interface: one app that owns what is shown.

The event loop never waits for the backend: the `Loader` asks it in threads and answers by messages, `Marks`
has what the reader says stored in order and learned from. A mark shows when it is stored.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from triage.core.errors import TriageError
from triage.core.items import Item
from triage.core.verbs import Verb
from triage.tui import messages, theme
from triage.tui.actions import ACTIONS, bindings
from triage.tui.backend import Backend
from triage.tui.dwell import LOOK_SECONDS, Dwell
from triage.tui.following import OPEN_FIRST, Following
from triage.tui.keymap import Keymap
from triage.tui.loader import Loader
from triage.tui.manners import MannerlyApp
from triage.tui.marks import Marks
from triage.tui.messages import handles, sentence
from triage.tui.readings import Readings
from triage.tui.screens.digest import DigestScreen
from triage.tui.screens.reading import ReadingScreen
from triage.tui.session import Session
from triage.tui.widgets.bars import StatusBar
from triage.tui.widgets.item_list import ItemList
from triage.tui.widgets.reader import Reader
from triage.tui.widgets.search_box import SearchBox
from triage.tui.writer import Write

if TYPE_CHECKING:
    from triage.core.starting import Stand
    from triage.tui.screens.veil import Question

POLL_SECONDS = 1.0
LOADING = "Loading …"
SEARCHING_ON = "Found by words; looking for the same in other words …"


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class TriageApp(MannerlyApp):
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
        start: bool = False,
        keymap: Keymap | None = None,
        colours: str | None = None,
    ) -> None:
        """Creates the app.

        Args:
            backend: Where items come from and marks go to; the app closes it.
            demo: Says on the digest that its items are made up.
            now: The clock that ages are counted by; aware.
            poll_seconds: How often to ask whether the daemon has stored something.
            start: Begins with the guided start.
            keymap: The reader's own keys.
            colours: The theme that the reader has chosen.
        """
        super().__init__()
        self._backend = backend
        self._demo = demo
        self.now = now
        self._poll_seconds = poll_seconds
        self._starting = start
        self.session = Session()
        self.loader = Loader(self, backend)
        self.readings = Readings(self.loader.reading)
        self.following = Following(self)
        self.dwell = Dwell(self)
        self.marks = Marks(backend, self.session, self.post_message)
        self.base = DigestScreen(self.session, now=now, demo=demo)
        self.keymap = keymap or Keymap()
        self.set_keymap(self.keymap.for_textual())
        self.animation_level = "none"
        theme.apply(self, colours)

    # ------------------------------------------------------------ start and end

    def get_default_screen(self) -> DigestScreen:
        """The digest, with the page stored at the last build already in it."""
        try:
            self.session.digest = self._backend.first_page()
        except TriageError as error:
            self.call_after_refresh(self.complain, error)
        return self.base

    def on_mount(self) -> None:
        """Shows the stored page; whatever takes longer starts after the first paint."""
        self.base.show()
        self.call_after_refresh(self._painted)
        self.set_interval(self._poll_seconds, self.loader.poll)
        self.set_interval(LOOK_SECONDS, self.dwell.look)
        theme.remember(self, lambda chosen: self.loader.tell(lambda to: to.keep_theme(chosen)))
        self.watch_for_the_end()

    def _painted(self) -> None:
        """The first page is on the screen."""
        if self._starting:
            from triage.core.starting import LEFT
            from triage.tui.screens.start import open_start

            self.parting = LEFT
            open_start(self, self.loader, self._started)
        else:
            self.loader.digest()

    def _started(self, stand: Stand) -> None:
        """The guided start is over."""
        from triage.core.starting import AFTERWARDS, NOTHING

        self.parting = ""
        if not stand.sources:
            self.exit(message=NOTHING)
            return
        self._starting = False
        self.say(AFTERWARDS)
        self.loader.digest()
        self._load_saved()

    def release(self) -> None:
        """The backend is closed, and knows how long the last text was open."""
        self.dwell.end(self._backend)
        self._backend.close()

    @handles(messages.Answered)
    def _answered(self, message: messages.Answered) -> None:
        if not message.screen.is_attached:
            return
        if message.then is not None:
            message.then()
        elif message.error is not None:
            self.complain(message.error)

    # ------------------------------------------------------------ the digest

    @handles(messages.DigestLoaded)
    def _digest_loaded(self, message: messages.DigestLoaded) -> None:
        if self.loader.newest_digest(message.generation):
            self.session.digest = message.digest
            self._show_newest()
            if self.base.status_bar.message == LOADING:
                self.say("Up to date")

    @handles(messages.DigestFailed)
    def _digest_failed(self, message: messages.DigestFailed) -> None:
        if self.loader.newest_digest(message.generation):
            self.complain(message.error)
            if self.session.digest is None:
                self.base.show(trouble=sentence(message.error))

    @handles(messages.Polled)
    def _polled(self, message: messages.Polled) -> None:
        self.base.status_bar.show_daemon(message.status)
        if message.changed and not self._starting:
            self.loader.digest()

    def _show_newest(self) -> None:
        """Shows the session's items, the newest there are; texts are read again for their highlights."""
        self.session.absorb()
        self.readings.forget()
        self.base.show()
        self._redraw_marks()
        if isinstance(self.screen, ReadingScreen):
            self._read(self.screen.item)

    def action_refresh(self) -> None:
        """Loads the digest again, and has it learn what it could not before."""
        self.say(LOADING)
        self.loader.digest()
        if not self.session.settled:
            self.marks.learn()

    # ------------------------------------------------------------ the item in question, and its text

    @property
    def current_item(self) -> Item | None:
        """The item that keys act on: the one being read, else the one under the cursor."""
        return self.screen.item if isinstance(self.screen, ReadingScreen) else self.base.list.selected

    @property
    def reader(self) -> Reader:
        """Where a text is shown now, if one is."""
        return self.screen.reader if isinstance(self.screen, ReadingScreen) else self.base.reader

    @property
    def reading(self) -> bool:
        """Whether a text is on the screen."""
        return isinstance(self.screen, ReadingScreen) or self.base.wide

    @handles(ItemList.Moved)
    def _moved(self, message: ItemList.Moved) -> None:
        if not self.base.wide or isinstance(self.screen, ReadingScreen):
            return
        if message.item is None:
            self.readings.want(None)
            self.base.reader.show_item(None)
        else:
            self._read(message.item)

    @handles(ItemList.Opened)
    def _opened(self, message: ItemList.Opened) -> None:
        if self.base.wide:
            self.base.reader.focus()
        else:
            self.open(message.item)

    def open(self, item: Item) -> None:
        """Shows an item on a screen of its own."""
        self.push_screen(ReadingScreen(item, state_of=self.session.state_of, now=self.now))
        self.call_after_refresh(self._read, item)

    def _read(self, item: Item) -> None:
        """Shows an item in the reader: its head at once, its text as soon as it is there."""
        if not self.reading:
            return
        reader = self.reader
        if (kept := self.readings.get(item.id)) is not None:
            reader.show_reading(kept)
        elif reader.item is None or reader.item.id != item.id:
            reader.show_item(item, "…")
        self.readings.want(item.id)

    @handles(messages.ReadingLoaded)
    def _reading_loaded(self, message: messages.ReadingLoaded) -> None:
        self.readings.loaded(message.item_id, message.reading)
        reader = self.reader
        if reader.item is None or reader.item.id != message.item_id:
            return
        if message.error is not None:
            reader.show_item(reader.item, sentence(message.error))
        elif (kept := self.readings.get(message.item_id)) is not None:
            reader.show_reading(kept)

    def action_full_text(self) -> None:
        """Has the full text of the item in question fetched."""
        if (item := self.current_item) is None or self.following.own_link() is None:
            return
        started = self.loader.full_text(item.id)
        self.say("Fetching the full text …" if started else "It is being fetched")

    @handles(messages.TextFetched)
    def _text_fetched(self, message: messages.TextFetched) -> None:
        if message.error is not None:
            self.say("Not fetched")
            self.complain(message.error)
            return
        self.say(message.said)
        # The order that the text led to is asked for, not brought along: a mark may have been faster.
        self.loader.digest()
        self.readings.forget()
        if (item := self.current_item) is not None:
            self._read(item)

    @handles(Reader.PastEnd)
    def _past_end(self, _message: Reader.PastEnd) -> None:
        self.action_step(1)

    def action_step(self, step: int) -> None:
        """To the next or previous item, in the text as well; past the last one, to the end card."""
        current = self.current_item
        if isinstance(self.screen, ReadingScreen) and not self.base.list.has(self.screen.item.id):
            self.say("This one is not in the list: Esc goes back")
            return
        following = self.base.list.neighbour(current.id, step) if current is not None else None
        if following is not None:
            self.base.list.select(following.id)
            if isinstance(self.screen, ReadingScreen):
                self.screen.item = following
                self._read(following)
        elif step > 0:
            if isinstance(self.screen, ReadingScreen):
                self.pop_screen()
            self.base.list.action_bottom()
            self.base.list.focus()
        elif current is None:
            self.base.list.action_move(step)

    def action_highlight(self, step: int) -> None:
        """To the next or previous passage that counted."""
        if self.reading:
            # Said where the text is only: on the list, once one is back there, it would mean nothing.
            self.screen.query_one(StatusBar).say(self.reader.jump(step))
        else:
            self.base.list.action_open()

    def action_follow(self, to: str) -> None:
        """Asks which of the text's links is meant (`links`), or which item that belongs to it (`related`)."""
        (self.following.links if to == "links" else self.following.related)()

    def action_fold(self) -> None:
        """Shows what is quoted, or folds it again."""
        self.say(self.reader.fold() if self.reading else OPEN_FIRST)

    async def on_event(self, event: events.Event) -> None:
        """Every key and every movement of the mouse says that somebody is there."""
        if isinstance(event, events.InputEvent):
            self.dwell.touch()
        await super().on_event(event)

    # ------------------------------------------------------------ what the reader says

    def action_mark(self, name: str) -> None:
        """Marks the item in question; on the list, the cursor goes on to the next one."""
        if (item := self.current_item) is None:
            return
        self.say(self.marks.put(item, Verb(name)))
        self._redraw_marks()
        if self.base.list.has_focus:
            self.base.list.action_move(1)

    def mark_items(self, items: Sequence[Item], verb: Verb) -> None:
        """Marks several items in one step."""
        self.say(self.marks.put_all(items, verb))
        self._redraw_marks()

    def write(self, write: Write, what: str) -> None:
        """Has anything else written that the reader says; `what` is what happens, such as `muted`."""
        self.say(self.marks.write(write, what))

    def ask(self, question: Question) -> None:
        """Asks the reader something in dialogs, one after the other; see `triage.tui.questions`."""
        from triage.tui.screens.veil import Veil

        self.push_screen(Veil(question))

    def action_mark_all(self) -> None:
        """Asks which of the shown items to mark at once, and how."""
        from triage.tui import questions

        sections, here = self.session.sections(), self.base.list.selected
        self.ask(lambda veil: questions.mark_all(veil, self, sections, here))

    def action_mute(self) -> None:
        """Asks what of the item in question to mute, and for how long."""
        from triage.tui import questions

        if (item := self.current_item) is not None:
            self.ask(lambda veil: questions.mute(veil, self, item))

    def action_interests(self) -> None:
        """Leaves the terminal to the reader's editor, with the sheet of interests and rules in it."""
        from textual.app import SuspendNotSupported

        try:
            with self.suspend():
                said = self.loader.away(lambda backend: backend.edit_interests())
        except SuspendNotSupported:
            self.say("In another terminal: triage interests edit")
        except TriageError as error:
            self.say(sentence(error))
        else:
            self.say(said)
            self.loader.digest()

    def action_split(self) -> None:
        """Says that the item in question tells another story than those folded under it."""
        if (item := self.current_item) is not None:
            self.say(self.marks.split(item) if item.copies else "Nobody else tells this story")

    def action_undo(self) -> None:
        """Takes back the last step."""
        self.say(self.marks.undo())

    def action_redo(self) -> None:
        """Brings back what was undone last."""
        self.say(self.marks.redo())

    @handles(messages.Written)
    def _written(self, message: messages.Written) -> None:
        outcome = self.marks.written(message)
        if outcome.error is None:
            self.say(outcome.said)
        else:
            self.tell(outcome)
        if outcome.select is not None:
            self.base.list.select(outcome.select)
        if message.error is not None and self.session.settled:
            self._show_newest()
        self._redraw_marks()

    @handles(messages.Ranked)
    def _ranked(self, message: messages.Ranked) -> None:
        outcome = self.marks.ranked(message)
        self.tell(outcome)
        if outcome.error is None:
            self.loader.overtake_digest()
        if self.session.settled:
            self._show_newest()

    def _redraw_marks(self) -> None:
        self.base.list.refresh()
        self.reader.redraw()

    # ------------------------------------------------------------ why and links

    def action_why(self) -> None:
        """Opens the reasons of the item in question."""
        # Dialogs are imported when they are opened: the first paint needs none of them.
        from triage.tui.screens.why import WhyScreen

        if (item := self.current_item) is not None:
            self.push_screen(WhyScreen(item))

    def action_open_link(self) -> None:
        """Opens the link of the item outside."""
        if (url := self.following.own_link()) is not None:
            self.following.open(url)

    @handles(messages.LinkOpened)
    def _link_opened(self, message: messages.LinkOpened) -> None:
        if message.error is None:
            self.say(f"Opened {message.url}")
        else:
            self.say("Not opened")
            self.complain(message.error)

    def action_copy_link(self) -> None:
        """Copies the link of the item through the terminal."""
        if (url := self.following.own_link()) is not None:
            self.following.copy(url)

    # ------------------------------------------------------------ search, help, back

    def action_search(self) -> None:
        """Opens the line in which a search is typed."""
        if isinstance(self.screen, ReadingScreen):
            self.pop_screen()
        self.base.open_search()
        self._load_saved()

    def action_filter(self) -> None:
        """Opens the line that narrows the list while one types."""
        if isinstance(self.screen, ReadingScreen):
            self.pop_screen()
        self.base.open_filter()

    @handles(SearchBox.Submitted)
    def _search_submitted(self, event: SearchBox.Submitted) -> None:
        if not isinstance(event.input, SearchBox):  # an answer to something else
            return
        from triage.core.query import SAVING

        query = event.value.strip()
        if (keeping := SAVING.fullmatch(query)) is not None:
            name, query = keeping[1], keeping[2].strip()
            self.write(lambda to: to.save_search(name, query), "kept" if query else "forgotten")
            self.base.close_search()
        if query:
            self.search(query)

    def search(self, query: str) -> None:
        """Looks for items: those with its words at once, then those that are near in meaning."""
        self.say("Searching …")
        self.loader.search(query)

    def _load_saved(self) -> None:
        self.loader.ask(self.base, lambda backend: backend.saved_searches(), self.base.offer_saved)

    @handles(messages.ResultsLoaded)
    def _results_loaded(self, message: messages.ResultsLoaded) -> None:
        if not self.loader.newest_search(message.generation):
            return
        again = message.whole or self.session.query == message.query
        self.session.narrowed = self.session.narrowed if again else ""
        self.session.query, self.session.results = message.query, message.items
        if not again:
            self.base.close_search()
        self.say(message.note if message.whole else SEARCHING_ON)
        self.base.show(select=None if again or not message.items else message.items[0].id)

    @handles(messages.SearchFailed)
    def _search_failed(self, message: messages.SearchFailed) -> None:
        if self.loader.newest_search(message.generation):
            self.say("")
            self.complain(message.error)

    async def action_back(self) -> None:
        """One step out: of the text, of the search line, of the results."""
        if isinstance(self.screen, ReadingScreen):
            self.pop_screen()
        elif self.base.close_search():
            self._no_more_search()
        elif self.base.widen():
            return
        elif self.base.reader.has_focus:
            self.base.list.focus()
        elif self.session.query is not None:
            self._no_more_search()
            self.session.query, self.session.results = None, ()
            self.base.show()

    def _no_more_search(self) -> None:
        self.loader.abandon_search()
        self.say("")

    async def action_leave(self) -> None:
        """Out of the text or the results; from the digest, out of the program."""
        inside = isinstance(self.screen, ReadingScreen) or self.base.reader.has_focus
        if inside or self.session.query is not None or self.session.narrowed:
            await self.action_back()
        else:
            await self.action_quit()

    def action_help(self) -> None:
        """Opens the list of keys."""
        from triage.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def action_ledger(self) -> None:
        """Opens the account of every source."""
        from triage.tui.screens.ledger import LedgerScreen

        self.push_screen(LedgerScreen(self.loader, self.now, self.marks.learn))

    def action_journal(self) -> None:
        """Opens what was said, to take any of it back."""
        from triage.tui.screens.journal import JournalScreen

        self.push_screen(JournalScreen(self.loader, self.marks.write))

    def action_insight(self) -> None:
        """Opens how the ranker and the reader get on."""
        from triage.tui.screens.insight import InsightScreen

        self.push_screen(InsightScreen(self.loader))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette offers the same actions as the keys, and the themes."""
        for action in ACTIONS:
            if action.scope == "app":
                call = functools.partial(self.run_action, action.action)
                yield SystemCommand(action.label, f"{action.help} ({self.keymap.shown(action)})", call)
        for name, query in ("kept for later", "is:later"), ("saved items", "is:saved"):
            yield SystemCommand(name, f"Search: {query}", functools.partial(self.search, query))
        for name, query in self.session.saved.items():
            shown = query.replace("[", r"\[")  # the palette takes its help for markup
            yield SystemCommand(f"@{name}", f"Search: {shown}", functools.partial(self.search, f"@{name}"))
        yield SystemCommand("theme", "Changes the colours", self.action_change_theme)


def run(
    backend: Backend,
    *,
    demo: bool = False,
    now: Callable[[], datetime] = utc_now,
    start: bool = False,
    keymap: Keymap | None = None,
    mouse: bool = True,
    colours: str | None = None,
) -> int:
    """Runs the terminal interface until the reader leaves; without `mouse`, the terminal keeps its own.

    Returns:
        The exit code: 0, or 1 if a mark could not be written on the way out.
    """
    if os.environ.get("NO_COLOR") == "":
        # The convention counts only a value that is not empty; Textual counts any.
        del os.environ["NO_COLOR"]
    app = TriageApp(backend, demo=demo, now=now, start=start, keymap=keymap, colours=colours)
    app.run(mouse=mouse)
    return app.return_code or 0
