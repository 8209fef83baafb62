"""What workers tell the app. They never touch a widget: they post one of these, and the app decides."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from textual import on
from textual.app import App
from textual.message import Message
from textual.screen import Screen

from triage.core.errors import TriageError
from triage.core.items import Change, Digest, Item, Recorded
from triage.tui.writer import Job

if TYPE_CHECKING:
    from triage.core.readings import Reading


# Of what a dataclass generates, only __init__ is of use here; the rest would double the import time.
@dataclass(eq=False, repr=False, match_args=False)
class DigestLoaded(Message):
    """A digest arrived; stale if its generation is not the app's any more."""

    generation: int
    digest: Digest


@dataclass(eq=False, repr=False, match_args=False)
class DigestFailed(Message):
    """A digest could not be loaded."""

    generation: int
    error: TriageError


@dataclass(eq=False, repr=False, match_args=False)
class ReadingLoaded(Message):
    """The text of an item, or why there is none."""

    item_id: int
    reading: Reading | None
    error: TriageError | None = None


@dataclass(eq=False, repr=False, match_args=False)
class TextFetched(Message):
    """What came of fetching the full text of an item, in words, or why it was not tried."""

    item_id: int
    said: str
    error: TriageError | None = None


@dataclass(eq=False, repr=False, match_args=False)
class ResultsLoaded(Message):
    """The items found for a query: by words at first, then once more with what is near in meaning."""

    generation: int
    query: str
    items: tuple[Item, ...]
    whole: bool = False
    """Whether this is all that will be found."""
    note: str = ""
    """What the reader should know about it."""


@dataclass(eq=False, repr=False, match_args=False)
class Written(Message):
    """Something that the reader said is stored (`recorded`) or could not be (`error`)."""

    job: Job
    recorded: Recorded | None
    error: BaseException | None


@dataclass(eq=False, repr=False, match_args=False)
class Ranked(Message):
    """All that was stored up to a job was learned from (`change`), or could not be (`error`)."""

    number: int
    """Of the job."""
    change: Change | None
    error: BaseException | None


@dataclass(eq=False, repr=False, match_args=False)
class Learned(Message, bubble=False):
    """Told to every open screen: something was said, and this is what came of it in words."""

    said: str


@dataclass(eq=False, repr=False, match_args=False)
class Polled(Message):
    """What the once-a-second look at the daemon saw."""

    status: str
    changed: bool


@dataclass(eq=False, repr=False, match_args=False)
class LinkOpened(Message):
    """A link was handed to the browser, or the error says why not."""

    url: str
    error: TriageError | None = None


@dataclass(eq=False, repr=False, match_args=False)
class SearchFailed(Message):
    """A search could not be carried out."""

    generation: int
    error: TriageError


@dataclass(eq=False, repr=False, match_args=False)
class Answered(Message):
    """What a screen asked for is there, or the error says why not."""

    screen: Screen[Any]
    then: Callable[[], object] | None
    """What the screen does with it."""
    error: TriageError | None = None


A = TypeVar("A", bound=App[Any])
M = TypeVar("M", bound=Message)


def handles(kind: type[M]) -> Callable[[Callable[[A, M], None]], Callable[[A, M], None]]:
    """Makes a method of the app the handler of a message, unless that comes when the screens are gone."""

    def decorate(handler: Callable[[A, M], None]) -> Callable[[A, M], None]:
        @functools.wraps(handler)
        def guarded(app: A, message: M) -> None:
            if app.is_running:
                handler(app, message)

        return on(kind)(guarded)

    return decorate


def sentence(error: TriageError) -> str:
    """An error as the reader sees it, with what helps."""
    return f"{error}; {error.fix}" if error.fix else str(error)
