"""The interface in lines, for screen readers and dumb terminals: a prompt, single words, plain answers.

It asks the same `Backend` as the screen. Nothing is drawn, nothing moves, nothing is coloured, and every
answer is waited for: there is one thing going on at a time. Which words there are is in
`triage.tui.vocabulary`, how things are said in `triage.tui.spoken`.
"""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import TypeVar

from triage.core import muting, words
from triage.core.errors import TriageError, UsageError
from triage.core.items import Digest, Item, Recorded
from triage.core.ledger import Step
from triage.core.query import SAVING
from triage.core.readings import Reading
from triage.core.rules import Rule
from triage.core.text import sanitize_line
from triage.core.verbs import MARKS, PAST_TENSE, Verb
from triage.tui import links, spoken
from triage.tui.backend import Backend
from triage.tui.vocabulary import Command, Vocabulary

T = TypeVar("T")

PORTION = 2_500
"""Characters of a text that are said before the reader asks for more."""
LONGEST_PAUSE_S = 900.0
"""Between two commands; after a longer one nobody knows how long the text was read."""
SPOKEN_EVENTS = 20
"""The newest so many lines of the journal."""
STEPS: tuple[Step, ...] = ("quiet", "unquiet", "drop", "resume")


class Lines:
    """One reader at one prompt."""

    def __init__(
        self,
        backend: Backend,
        *,
        say: Callable[[str], object],
        ask: Callable[[str], str | None],
        now: Callable[[], datetime],
        open_link: Callable[[str], object],
        demo: bool = False,
    ) -> None:
        """Creates it.

        Args:
            backend: Where items come from and marks go to; whoever calls closes it.
            say: Prints a line.
            ask: Prints a prompt and returns a line; None when there will be no more.
            now: The clock that ages are counted by; aware.
            open_link: Opens an address outside; raises TriageError.
            demo: Says that the items are made up.
        """
        self._backend = backend
        self._say = say
        self._ask = ask
        self._now = now
        self._open_link = open_link
        self._demo = demo
        self._digest: Digest | None = None
        self._results: list[Item] | None = None
        self._query = ""
        self._item: Item | None = None
        self._heard: list[int] = []
        """Ids of the items that had their turn, the last one last."""
        self._states: dict[int, str] = {}
        """Marks that were made here, of items that may not be in the digest."""
        self._reading: Reading | None = None
        self._rest: list[str] = []
        self._passage = -1
        self._since = 0.0
        """When the reading began."""
        self._left = False
        self.vocabulary = Vocabulary(self._actions(), {"list": self._list, "more": self._go_on})

    # ------------------------------------------------------------ the loop

    def run(self) -> None:
        """Answers until the reader leaves or the input ends."""
        self._try(self._refresh, "")
        self._say("Say help for the words, quit to leave. An empty line goes on.")
        while not self._left:
            try:
                typed = self._ask("> ")
                if typed is None:
                    break
                self._answer(sanitize_line(typed, 1000))
            except KeyboardInterrupt:
                self._say("Interrupted. Say quit to leave.")
        self._close_reading()

    def _answer(self, typed: str) -> None:
        word, _, rest = typed.partition(" ")
        if not word:
            self._try(self._go_on, "")
        elif word.isdecimal() and not rest:
            self._try(self._go_to, word)
        elif (command := self.vocabulary.find(word)) is not None:
            self._try(command, rest.strip())
        else:
            self._say(self.vocabulary.unknown(word))

    def _try(self, command: Callable[[str], object], rest: str) -> None:
        try:
            command(rest)
        except TriageError as error:
            self._say(spoken.line(f"{error}; {error.fix}" if error.fix else str(error)))

    def _actions(self) -> dict[str, Command]:
        """Action id -> what it does here."""
        own: dict[str, Command] = {
            "open": lambda rest: self._read(),
            "next_item": lambda rest: self._step(1),
            "previous_item": lambda rest: self._step(-1),
            "down": lambda rest: self._step(1),
            "up": lambda rest: self._step(-1),
            "top": lambda rest: self._go_to("1"),
            "bottom": lambda rest: self._end(),
            "next_highlight": lambda rest: self._highlight(1),
            "previous_highlight": lambda rest: self._highlight(-1),
            "split": lambda rest: self._split(),
            "mute": self._mute,
            "mark_all": self._mark_all,
            "interests": lambda rest: self._edit_interests(),
            "undo": lambda rest: self._recorded(self._backend.undo()),
            "redo": lambda rest: self._recorded(self._backend.redo()),
            "why": lambda rest: self._why(),
            "full_text": lambda rest: self._full_text(),
            "open_link": self._open,
            "copy_link": self._copy,
            "links": self._links,
            "related": self._related,
            "search": self._search,
            "back": lambda rest: self._back(),
            "refresh": self._refresh,
            "ledger": self._ledger,
            "journal": self._journal,
            "insight": lambda rest: self._insight(),
            "help": lambda rest: self._say_all(self.vocabulary.help(rest)),
            "leave": lambda rest: self._leave(),
        }
        for verb in MARKS:
            own[verb.value] = functools.partial(self._mark_as, verb)
        return own

    # ------------------------------------------------------------ where one is

    def _items(self) -> Sequence[Item]:
        if self._results is not None:
            return self._results
        return self._digest.items if self._digest is not None else ()

    def _state(self, item: Item) -> str:
        return self._states.get(item.id, item.state)

    def _current(self) -> Item:
        if self._item is None:
            raise UsageError("there is no item here", fix="say next, or list")
        return self._item

    def _refresh(self, rest: str) -> None:
        self._digest = self._backend.digest()
        self._results = None
        self._say(spoken.headline(self._digest, demo=self._demo))
        for warning in self._digest.warnings:
            self._say(spoken.line(warning))

    def _announce(self, item: Item) -> None:
        self._close_reading()
        self._item = item
        self._heard = [*(heard for heard in self._heard if heard != item.id), item.id]
        items = self._items()
        number = next((n for n, each in enumerate(items, 1) if each.id == item.id), 0)
        self._say_all(spoken.announced(number, len(items), item, self._state(item), self._now()))

    def _step(self, step: int) -> None:
        """To the next item that had no turn yet, or back to the one before in the order of turns."""
        items = {item.id: item for item in self._items()}
        if step < 0:
            before = [heard for heard in self._heard if heard in items]
            if self._item is not None and before and before[-1] == self._item.id:
                before.pop()
            if not before:
                self._say("There is none before.")
                return
            here = self._item.id if self._item is not None else None
            self._heard = [heard for heard in self._heard if heard != here]
            self._announce(items[before[-1]])
            return
        order = list(items)
        start = order.index(self._item.id) + 1 if self._item is not None and self._item.id in items else 0
        waiting = [each for each in (*order[start:], *order[:start]) if each not in self._heard]
        if waiting:
            self._announce(items[waiting[0]])
        else:
            self._end()

    def _end(self) -> None:
        self._close_reading()
        if self._results is not None:
            self._say("That is all that was found. Say back for the digest.")
        elif self._digest is not None:
            self._say_all(spoken.ending(self._digest))

    def _go_to(self, number: str) -> None:
        self._announce(_numbered(self._items(), number, "items", "list"))

    def _go_on(self, rest: str = "") -> None:
        """More of the text; after it, the next item."""
        if self._rest:
            self._portion()
        else:
            self._step(1)

    def _list(self, rest: str) -> None:
        for number, item in enumerate(self._items(), 1):
            self._say(spoken.row(number, item, self._state(item)))
        if not self._items():
            self._say("There is nothing here.")

    def _back(self) -> None:
        if self._results is None:
            self._step(-1)
            return
        self._results, self._item, self._heard = None, None, []
        if self._digest is not None:
            self._say(f"Back in the digest. {spoken.headline(self._digest, demo=self._demo)}")

    def _leave(self) -> None:
        self._left = True

    # ------------------------------------------------------------ reading

    def _opened(self) -> Reading:
        """The text of the item in question; asked for once."""
        item = self._current()
        if self._reading is None or self._reading.item.id != item.id:
            self._reading, self._since, self._passage = self._backend.read(item.id), monotonic(), -1
        return self._reading

    def _close_reading(self) -> None:
        """Remembers how long the text was read; a failure to is no reason to stop reading."""
        reading, self._reading, self._rest = self._reading, None, []
        if reading is not None:
            seconds = monotonic() - self._since
            known = seconds if seconds < LONGEST_PAUSE_S else None
            self._try(lambda rest: self._backend.opened(reading.item.id, known), "")

    def _read(self) -> None:
        self._rest = spoken.opened(self._opened())
        self._portion()

    def _portion(self) -> None:
        said = 0
        while self._rest and said < PORTION:
            paragraph = self._rest.pop(0)
            said += len(paragraph)
            self._say(paragraph)
        self._say("An empty line reads on." if self._rest else "End of the text.")

    def _highlight(self, step: int) -> None:
        passages = spoken.highlights(self._opened())
        if not passages:
            self._say("No highlighted passage here.")
            return
        self._passage = (self._passage + step) % len(passages) if self._passage >= 0 else min(step, 0)
        self._say(passages[self._passage % len(passages)])

    def _why(self) -> None:
        self._say_all(spoken.reasons(self._backend.explain(self._current().id)))

    def _full_text(self) -> None:
        item = self._current()
        self._say("Fetching the full text.")
        self._say(spoken.line(self._backend.fetch_text(item.id)))
        self._close_reading()

    def _links(self, rest: str) -> None:
        found = self._opened().links
        for number, leads_to in enumerate(found, 1):
            self._say(spoken.link(number, leads_to))
        if not found:
            self._say(
                "Its text has no links." + (" Its own is opened by open." if self._current().url else "")
            )

    def _address(self, number: str) -> str:
        """Of the item itself, or of a link in its text."""
        if number:
            return _numbered(self._opened().links, number, "links", "links").url
        if not (url := self._current().url):
            raise UsageError("this item has no link of its own", fix="links")
        return url

    def _open(self, number: str) -> None:
        url = self._address(number)
        self._say(f"Opening {spoken.line(url, 5000)}")
        self._open_link(url)
        self._backend.opened(self._current().id, None)

    def _copy(self, number: str) -> None:
        self._say(spoken.line(self._address(number), 5000))

    def _related(self, number: str) -> None:
        found = self._opened().related
        if number:
            other = _numbered(found, number, "items", "related")
            self._close_reading()
            self._item = self._backend.read(other.id).item
            self._say_all(
                spoken.announced(int(number), len(found), self._item, self._item.state, self._now())
            )
            return
        for position, other in enumerate(found, 1):
            self._say(spoken.related(position, other, self._now()))
        if not found:
            self._say("Nothing else belongs to it.")

    # ------------------------------------------------------------ what the reader says

    def _mark_as(self, verb: Verb, rest: str) -> None:
        item = self._current()
        if self._state(item) == verb.value:
            self._say(f"already {PAST_TENSE[verb]}")
            return
        self._recorded(self._backend.mark(item.id, verb))

    def _split(self) -> None:
        item = self._current()
        if item.copies:
            self._recorded(self._backend.mark(item.id, Verb.SPLIT))
        else:
            self._say("Nobody else tells this story.")

    def _recorded(self, recorded: Recorded) -> None:
        """Says what is stored, then learns from it."""
        self._states |= recorded.states
        self._say(spoken.line(recorded.message))
        self._learn()

    def _learn(self) -> None:
        change = self._backend.learn()
        self._digest = change.digest
        if self._item is not None:
            here = self._item
            self._item = next((item for item in change.digest.items if item.id == here.id), here)
        if change.moved:
            self._say(f"{words.plural(change.moved, 'item')} moved.")

    def _edit_interests(self) -> None:
        self._say(self._backend.edit_interests())
        self._refresh("")

    def _mute(self, rest: str) -> None:
        item = self._current()
        named = [(f"{kind} {name}", condition) for kind, name, condition in muting.subjects(item)]
        conditions = (
            [muting.condition("mentions", rest)]
            if rest
            else self._choose("Mute what? Or say mute and the words.", named)
        )
        for condition in conditions:
            for span in self._choose("For how long?", list(muting.DURATIONS.items())):
                self._recorded(self._backend.add_rule(Rule(condition, "never", span)))

    def _choose(self, question: str, choices: Sequence[tuple[str, T]]) -> list[T]:
        """One of some things by its number; empty if the reader does not want to."""
        self._say(question)
        for number, (name, _) in enumerate(choices, 1):
            self._say(f"{number}. {spoken.line(name)}")
        typed = (self._ask("Number, or an empty line for none: ") or "").strip()
        return [_numbered(choices, typed, "choices", "the command again")[1]] if typed else []

    def _mark_all(self, rest: str) -> None:
        names = [verb.value for verb in MARKS]
        if rest not in names:
            raise UsageError(f"say how to mark all of the list: mark_all {', '.join(names)}")
        ids = [item.id for item in self._items() if self._state(item) != rest]
        if not ids:
            self._say(f"already {PAST_TENSE[Verb(rest)]}")
            return
        self._recorded(self._backend.mark_all(ids, Verb(rest)))

    # ------------------------------------------------------------ finding and the rest

    def _search(self, query: str) -> None:
        if not query:
            raise UsageError("say what to search for: search and the words")
        self._close_reading()
        if (keeping := SAVING.fullmatch(query)) is not None:
            query = keeping[2].strip()
            self._recorded(self._backend.save_search(keeping[1], query))
            if not query:
                return
        self._results, note = self._backend.search_meaning(query)
        self._query = query
        if note:
            self._say(spoken.line(note))
        self._item, self._heard, self._states = None, [], {}
        self._say(f"{words.plural(len(self._results), 'item')} found. Say next, or list.")

    def _ledger(self, rest: str) -> None:
        """The accounts, or a step for one of them: `ledger quiet 3`."""
        found = self._backend.ledger()
        step, _, number = rest.partition(" ")
        if not rest:
            self._say_all(spoken.accounts(found, self._now()))
            self._say("To change one: ledger quiet 1, unquiet, drop or resume.")
            return
        chosen = next((each for each in STEPS if each == step), None)
        if chosen is None:
            raise UsageError(f"what can be done about a source is {', '.join(STEPS)}")
        account = _numbered(found.accounts, number.strip(), "sources", "ledger")
        self._say(spoken.line(self._backend.settle_source(account.source, chosen)))
        self._learn()

    def _journal(self, rest: str) -> None:
        """The newest events, or a change of one: `journal 3` takes it back, or brings it back."""
        found = self._backend.journal(SPOKEN_EVENTS)
        if not rest:
            self._say_all(spoken.journal(found))
            self._say("To take one back, or bring it back: journal and its number.")
            return
        self._recorded(self._backend.turn_back(_numbered(found, rest, "steps", "journal").id))

    def _insight(self) -> None:
        self._say("Adding up.")
        self._say_all(spoken.insight(self._backend.insight(), self._backend.learned()))

    def _say_all(self, lines: Iterable[str]) -> None:
        for each in lines:
            self._say(each)


def _numbered(choices: Sequence[T], typed: str, what: str, listing: str) -> T:
    """The choice that a typed number names, from 1.

    Raises:
        UsageError: It is no number, or there is no such choice.
    """
    number = int(typed) if typed.isdecimal() and len(typed) < 6 else 0
    if not 0 < number <= len(choices):
        there = f"there are {len(choices)} {what}" if choices else f"there are no {what}"
        raise UsageError(f"{typed or 'nothing'} is not the number of one: {there}", fix=f"say {listing}")
    return choices[number - 1]


def run(
    backend: Backend,
    *,
    now: Callable[[], datetime],
    demo: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Answers at the terminal that standard input and output are, until the reader leaves; 0."""
    if isinstance(sys.stdin, io.TextIOWrapper) and sys.stdin.errors != "replace":
        sys.stdin.reconfigure(errors="replace")
    say = functools.partial(print, flush=True)

    def ask(prompt: str) -> str | None:
        say(prompt, end="")
        return sys.stdin.readline() or None

    try:
        Lines(
            backend,
            say=say,
            ask=ask,
            now=now,
            open_link=lambda url: links.open_link(url, environ),
            demo=demo,
        ).run()
    finally:
        backend.close()
    return 0
