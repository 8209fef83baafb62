"""What workers tell the app. They never touch a widget: they post one of these, and the app decides."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from triage.core.errors import TriageError
from triage.core.items import Change, Digest, Explained, Item, Reading
from triage.tui.writer import Job


@dataclass
class DigestLoaded(Message):
    """A digest arrived; stale if its generation is not the app's any more."""

    generation: int
    digest: Digest


@dataclass
class DigestFailed(Message):
    """A digest could not be loaded."""

    generation: int
    error: TriageError


@dataclass
class ReadingLoaded(Message):
    """The text of an item, or why there is none."""

    item_id: int
    reading: Reading | None
    error: TriageError | None = None


@dataclass
class ExplainedLoaded(Message):
    """The reasons of an item, or why there are none."""

    item_id: int
    explained: Explained | None
    error: TriageError | None = None


@dataclass
class ResultsLoaded(Message):
    """The items found for a query."""

    generation: int
    query: str
    items: tuple[Item, ...]


@dataclass
class Written(Message):
    """A mark or an undo was carried out (`change`) or failed (`error`)."""

    job: Job
    change: Change | None
    error: BaseException | None


@dataclass
class Polled(Message):
    """What the once-a-second look at the daemon saw."""

    status: str
    changed: bool


@dataclass
class LinkOpened(Message):
    """A link was handed to the browser, or the error says why not."""

    url: str
    error: TriageError | None = None


@dataclass
class SearchFailed(Message):
    """A search could not be carried out."""

    generation: int
    error: TriageError
