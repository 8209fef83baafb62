"""Which items tell the same story, and what a mark of one of them says of the others.

Pure: the grouping is computed elsewhere (`model.stories`), and what the reader says against it is in the
event log. Owns how the two come together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from triage.core.feedback import Event, effective
from triage.core.verbs import LABEL_VALUES

SETTLED = "settled"
"""The state of an item whose story was marked in another copy."""

NEWS_AFTER = timedelta(days=1)
"""What comes in later than this after a mark of its story is news again: what happened since then."""


class Stories:
    """Items by story; those that nobody else tells belong to none."""

    def __init__(self, story_of: Mapping[int, int], parted: Collection[int] = ()) -> None:
        """Creates it.

        Args:
            story_of: Item id -> id of its story, as computed.
            parted: Items that the reader has split off: each tells a story of its own.
        """
        members: defaultdict[int, list[int]] = defaultdict(list)
        for item_id in sorted(story_of):
            if item_id not in parted:
                members[story_of[item_id]].append(item_id)
        self._members = {story: tuple(ids) for story, ids in members.items() if len(ids) > 1}
        self._story = {item_id: story for story, ids in self._members.items() for item_id in ids}

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """The ids of each story, in order."""
        return iter(self._members.values())

    def story(self, item_id: int) -> int | None:
        """The story that an item tells with others; None if nobody else tells it."""
        return self._story.get(item_id)

    def others(self, item_id: int) -> tuple[int, ...]:
        """The other items that tell the same."""
        story = self._story.get(item_id)
        return tuple(i for i in self._members[story] if i != item_id) if story is not None else ()

    def settled(
        self, events: Iterable[Event], first_seen: Mapping[int, datetime], until: datetime | None = None
    ) -> frozenset[int]:
        """Items that need not be read, because another copy was marked: liked, loved or disliked.

        An item that was marked itself is not among them, nor one that came in more than `NEWS_AFTER` later
        than the last such mark.

        Args:
            events: The log.
            first_seen: When each item came in; those without a time are not settled.
            until: Marks from then on do not count.
        """
        marked: dict[int, datetime] = {}
        own: set[int] = set()
        for event in effective(events):
            if event.verb not in LABEL_VALUES or event.item_id is None or (until and event.at >= until):
                continue
            own.add(event.item_id)
            if (story := self._story.get(event.item_id)) is not None:
                marked[story] = max(event.at, marked.get(story, event.at))
        return frozenset(
            item_id
            for story, at in marked.items()
            for item_id in self._members[story]
            if item_id not in own and item_id in first_seen and first_seen[item_id] <= at + NEWS_AFTER
        )
