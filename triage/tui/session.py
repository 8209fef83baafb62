"""What is on show, and the marks laid over it that are not in it yet. Pure: no widget, no thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from triage.core import words
from triage.core.items import LANE_TITLES, Change, Digest, Item
from triage.tui.writer import Job


@dataclass(frozen=True, slots=True)
class Section:
    """A run of items under one title."""

    title: str
    items: tuple[Item, ...]

    @property
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
    _marks: list[Job] = field(default_factory=list)
    """Marks that the shown items do not carry yet, written or not, oldest first."""
    _unwritten: set[int] = field(default_factory=set)

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
        lanes = {lane: tuple(item for item in self.digest.items if item.lane == lane) for lane in LANE_TITLES}
        return tuple(Section(LANE_TITLES[lane], items) for lane, items in lanes.items() if items)

    def state_of(self, item: Item) -> str:
        """The state of `item`: its last mark that has not failed."""
        for job in reversed(self._marks):
            if job.verb is not None and item.id in job.item_ids:
                return job.verb.value
        return item.state

    def add(self, job: Job) -> None:
        """Something was queued; a mark shows at once, everything else when it is done."""
        self._unwritten.add(job.number)
        if job.verb is not None:
            self._marks.append(job)

    def failed(self, job: Job) -> None:
        """A job could not be carried out: what it showed is taken back."""
        self._unwritten.discard(job.number)
        self._marks = [other for other in self._marks if other.number != job.number]

    def written(self, job: Job, change: Change) -> None:
        """A job was carried out. `settled` says when the new order may be shown."""
        self._unwritten.discard(job.number)
        self.digest = change.digest

    @property
    def settled(self) -> bool:
        """Whether every job is finished. Until then the shown order stays, or it would jump at every key."""
        return not self._unwritten

    def absorb(self) -> None:
        """The shown items are the newest ones now: marks that are written need no overlay any more."""
        self.results = tuple(
            item if (state := self.state_of(item)) == item.state else dataclasses.replace(item, state=state)
            for item in self.results
        )
        self._marks = [job for job in self._marks if job.number in self._unwritten]

    def changed_items(self, before: dict[int, str]) -> list[int]:
        """Ids of the items whose state is not what it was `before` (id -> state)."""
        return [
            item.id
            for section in self.sections()
            for item in section.items
            if item.id in before and before[item.id] != self.state_of(item)
        ]

    def shown_states(self) -> dict[int, str]:
        """Id -> state of everything in the list."""
        return {item.id: self.state_of(item) for section in self.sections() for item in section.items}
