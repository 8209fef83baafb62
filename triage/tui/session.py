"""What is on show, and the marks laid over it that are not in it yet. Pure: no widget, no thread.

A mark shows when it is stored; until then its item says that it is being stored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from triage.core import words
from triage.core.items import Change, Digest, Item, Recorded, lanes
from triage.core.verbs import Verb
from triage.tui.writer import Job


@dataclass(frozen=True)
class Section:
    """A run of items under one title."""

    title: str
    items: tuple[Item, ...]

    @cached_property  # its title is drawn again and again
    def minutes(self) -> float:
        """Estimated reading time of all of it."""
        return sum(item.minutes for item in self.items)


@dataclass
class Session:
    """The digest or the results of a search, with the state of every item as the reader sees it."""

    digest: Digest | None = None
    query: str | None = None
    """What was searched for, while results stand where the digest stood."""
    results: tuple[Item, ...] = ()
    saved: dict[str, str] = field(default_factory=dict)
    """Name -> text of the searches that are kept."""
    narrowed: str = ""
    """Words that the shown items are narrowed to."""
    _pending: list[Job] = field(default_factory=list)
    """What is not stored yet, oldest first."""
    _stored: list[tuple[int, Mapping[int, str]]] = field(default_factory=list)
    """What the shown items do not carry yet, oldest first: the number of a job, and the states it led to."""
    _newest: int = 0
    """The number of the last job that was stored."""
    _learned: int = 0
    """The number of the last job that the digest knows."""

    def sections(self) -> tuple[Section, ...]:
        """What the list shows, lane after lane."""
        if not self.narrowed:
            return self._sections()
        wanted = self.narrowed.casefold().split()
        narrowed = (
            Section(section.title, tuple(item for item in section.items if self._has(item, wanted)))
            for section in self._sections()
        )
        return tuple(section for section in narrowed if section.items)

    def _has(self, item: Item, wanted: Sequence[str]) -> bool:
        """Whether an item has all the words: in what its row shows, its kind, its state and its people."""
        state = self.state_of(item)
        shown = (
            item.title,
            item.source,
            item.kind,
            *item.people,
            state,
            words.state(state),
            *(h.text for h in item.highlights),
        )
        text = "\n".join(shown).casefold()
        return all(
            word in text if word[0] != "-" or len(word) == 1 else word[1:] not in text for word in wanted
        )

    def _sections(self) -> tuple[Section, ...]:
        """The same, not narrowed."""
        if self.query is not None:
            return (Section("Found", self.results),) if self.results else ()
        if self.digest is None:
            return ()
        return tuple(Section(name, items) for name, items in lanes(self.digest.items).items())

    def state_of(self, item: Item) -> str:
        """The state of `item`: its last mark that is stored, or that one is being stored."""
        if any(item.id in job.item_ids for job in self._pending):
            return words.PENDING
        return self._stored_state(item)

    def _stored_state(self, item: Item) -> str:
        for _, states in reversed(self._stored):
            if item.id in states:
                return states[item.id]
        return item.state

    def has(self, item: Item, verb: Verb) -> bool:
        """Whether `item` has a mark, or will have it when all is stored; an undo may take any away."""
        about = [job for job in self._pending if job.turns_back or item.id in job.item_ids]
        return about[-1].verb is verb if about else self._stored_state(item) == verb.value

    def add(self, job: Job) -> None:
        """Something was queued."""
        self._pending.append(job)

    def failed(self, job: Job) -> None:
        """A job could not be carried out."""
        self._pending.remove(job)

    def written(self, job: Job, recorded: Recorded) -> None:
        """A job was carried out: what it says of items shows."""
        self._pending.remove(job)
        self._newest = job.number
        self._stored.append((job.number, recorded.states))

    def ranked(self, number: int, change: Change) -> None:
        """The digest knows all jobs up to one. `settled` says when the new order may be shown."""
        self._learned = number
        self.digest = change.digest

    @property
    def settled(self) -> bool:
        """Whether the digest knows all that was said. Until then the order stays: each key would move it."""
        return not self._pending and self._learned >= self._newest

    def absorb(self) -> None:
        """The shown items are the newest ones now: what the digest knows need not be laid over them."""
        self.results = tuple(
            item if item.state == state else dataclasses.replace(item, state=state)
            for item, state in ((item, self._stored_state(item)) for item in self.results)
        )
        self._stored = [(number, states) for number, states in self._stored if number > self._learned]
