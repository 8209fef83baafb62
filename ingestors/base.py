"""The boundary types of every ingestor: what one is asked, what it answers.

Owns the `Ingestor` protocol and the frozen values that cross it. Knows no concrete source, no
transport and no parser. An ingestor never raises for what a source did wrong: a refused document
is a `Refusal`, a failed fetch is a `FetchError` value inside the `FetchResult`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ingestors.http import HttpClient
    from ingestors.sandbox import ParserPool

Kind = Literal["feed", "mail", "paper"]

Flag = Literal["to-me", "reply-to-me", "list", "newsletter", "truncated", "media"]
"""Closed, because callers give each a meaning:

- `to-me`: mail that names the reader's address in To;
- `reply-to-me`: mail that answers one that the reader wrote;
- `list`: mail of a mailing list, to which people write;
- `newsletter`: mail sent to many by one sender, or a story out of one;
- `truncated`: its text is a teaser, and the whole stands behind `url`;
- `media`: what `url` or `identifiers["enclosure"]` leads to is heard or watched.
"""

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
"""What a cursor and the options of a source may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document as its source served it.

    Texts are decoded and free of markup, but still untrusted: they may hold control characters. The
    caller sanitises them before they are stored or shown.
    """

    key: str
    """Identity within the source, the same at every poll."""
    title: str
    text: str
    """Plain text; paragraphs are separated by a blank line. May be empty."""
    url: str | None = None
    """An http(s) URL, or None."""
    people: tuple[str, ...] = ()
    """Authors or senders, in their order, as shown to a reader: `Ada Lovelace`, `ada@example.org`."""
    published: datetime | None = None
    """Aware, as the source claims it: it may lie in the future."""
    tags: tuple[str, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    """Names that hold across sources, by kind.

    Papers: `doi` (lower case), `arxiv` (without its version), `version`, `announce` (new, cross, replace),
    `pmid`, `pmcid`, `openalex`, `s2`, `venue` (the journal, which names no paper).
    Mail: `message-id`, `in-reply-to`, `references`, `thread` (the id of the first mail of the thread),
    `list-id`, `unsubscribe` (an http(s) or mailto URL, shown and never fetched).
    Feeds: `enclosure` (URL), `duration` (seconds), `comments` (URL).
    """
    personal: bool = False
    """True for mail from a person to a person, False for anything sent to many."""
    parent: str | None = None
    """The key of the entry that this one is a part of: the newsletter around a story."""
    flags: frozenset[Flag] = frozenset()
    """What else holds of it."""
    links: tuple[tuple[str, str], ...] = ()
    """Where its text leads, in order: the words that are a link there, and an http(s) URL."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was not taken in, and why, in words a reader understands."""

    name: str
    reason: str


FetchErrorKind = Literal[
    "network",
    "timeout",
    "blocked",
    "too-large",
    "http",
    "gone",
    "not-found",
    "denied",
    "parse",
    "limit",
    "postponed",
    "usage",
]
"""Closed, because callers treat them differently. `denied` and `gone` may pause a source; `limit` is a server
that asks for fewer requests; after `postponed` nothing was asked, because the host wants to be left alone."""


@dataclass(frozen=True, slots=True)
class FetchError:
    """Why a whole fetch failed: a value, because one source must never fail a run."""

    kind: FetchErrorKind
    message: str
    """One sentence for the reader, without secrets; it names the fix where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What to fetch. `cursor` is the JSON object that the last successful fetch returned."""

    target: str
    """As the reader typed it, or as `Ingestor.claim` normalised it: a URL, a path, `arxiv:cs.IR`."""
    cursor: Mapping[str, JsonValue] = field(default_factory=dict)
    allow_local: bool = False
    """Whether loopback and private addresses may be contacted for this source."""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    """Settings of the source and of its service, such as `base_url` of a paper service. Never secrets:
    a password or a key is named by reference (`password_command`, `key_env`, ...) and looked up when used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What came back. With `error` set, `entries` is empty and `cursor` is the one of the request."""

    entries: tuple[Entry, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    cursor: Mapping[str, JsonValue] = field(default_factory=dict)
    """Validators and positions; the caller stores it in the same transaction as the entries."""
    title: str | None = None
    not_modified: bool = False
    retry_after_s: float | None = None
    """Seconds for which the server asked us to stay away, from Retry-After."""
    interval_s: float | None = None
    """The least polling interval that the source asks for, from max-age, ttl and their kin."""
    skip_hours: frozenset[int] = frozenset()
    """Hours of the day, UTC, in which the source does not want to be asked."""
    skip_days: frozenset[int] = frozenset()
    """Days of the week, UTC, 0 for Monday, on which it does not."""
    revalidates: bool = True
    """Whether the next fetch can ask for news alone. Where a server gives no validators it always sends the
    whole document, so it is asked less often."""
    moved_to: str | None = None
    """The target under which the source says it is to be found from now on. It may change its mind: callers
    follow when it has said so consistently."""
    more: bool = False
    """There is more to read at once: a big mailbox comes in portions, each stored with its cursor."""
    error: FetchError | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """An ingestor's word that it can read a target."""

    ingestor: str
    kind: Kind
    target: str
    """The normalised target that is stored: an absolute path, a URL, `arxiv:cs.IR`."""
    title: str
    """A first name for the source, until a fetch brings a better one."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What an ingestor may use. It opens no socket and starts no process by itself."""

    http: HttpClient
    parsers: ParserPool


class Ingestor(Protocol):
    """A way to read one family of sources.

    Instances are created without arguments and hold no state between calls: everything to be
    remembered goes into `FetchResult.cursor`.
    """

    name: str
    """Unique, stored with every source: `feeds`, `mbox`, `arxiv`."""
    kind: Kind

    def claim(self, target: str) -> Claim | None:
        """Whether this ingestor reads `target`; looks at the text and the file system, never at a network."""
        ...

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Fetches what is new since `request.cursor`. Raises only for bugs and cancellation."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """An ingestor whose servers tell of news by themselves."""

    async def watch(self, request: FetchRequest) -> FetchError | None:
        """Waits until there is something to fetch since `request.cursor`, for hours if need be.

        Returns:
            None as soon as there is. An error if nobody can tell: `network` and `timeout` are worth trying
            again, everything else is not. Cancelling it ends its connection.
        """
        ...
