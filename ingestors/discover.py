"""Finding the feeds of a site: known sites by their address, then what the page names, then usual places.

Every feed is shown to be one by fetching it once, through the ingestor that will read it, and its first
answer comes back with it: nobody has to ask for it again. A page is asked for once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from ingestors import sites
from ingestors.base import Entry, FetchError, FetchRequest, FetchResult, Ingestor, JsonValue, Tools
from ingestors.http import HttpClient, Response
from ingestors.sandbox import ParseRefused
from ingestors.sites import Guess

PARSER = "ingestors.parsers.feed_links:parse_links"

MAX_CHECKED = 8
"""Feeds that are fetched to be shown for a choice; blogs offer one for each category."""
SAME_SHARE = 0.8
"""Of the links of the shorter of two feeds: with so many in common they are one feed in two formats."""

_TRY_ELSEWHERE = ("not-found", "gone", "parse")
"""After these a site may still have a feed elsewhere; after others it is left alone."""


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that was fetched."""

    url: str
    label: str
    """What the page or the site calls it; may be empty."""
    result: FetchResult
    """Its first answer."""
    also: tuple[str, ...] = ()
    """Addresses of the same feed in other formats."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found behind an address: feeds, the best first, or why there is none."""

    feeds: tuple[FoundFeed, ...] = ()
    error: FetchError | None = None


class Recorded(HttpClient):
    """Asks through another client, and keeps the answer that came last."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self.last: Response | None = None

    async def get(self, url: str, **how: Any) -> Response:  # noqa: ANN401  whatever the other one takes
        """As the other client does it."""
        self.last = None
        self.last = await self._client.get(url, **how)
        return self.last

    async def aclose(self) -> None:
        """Leaves the other client open: it belongs to somebody else."""


async def discover(
    url: str,
    ingestor: Ingestor,
    tools: Tools,
    *,
    allow_local: bool = False,
    options: Mapping[str, JsonValue] | None = None,
    first: bool = False,
) -> Discovery:
    """Finds the feeds behind an address.

    Args:
        url: Of a feed or of a page, http or https.
        ingestor: Reads feeds.
        tools: What it may use.
        allow_local: Whether loopback and private addresses may be contacted.
        options: Of the source to be.
        first: Take the first feed that is one, and ask for no others.

    Returns:
        The feeds, or an error. A feed that is addressed directly is found with one request.
    """
    search = _Search(ingestor, tools, allow_local, options or {}, first)
    known = sites.guesses(url)
    if known:
        feeds = await search.check(known)
        if feeds:
            return Discovery(_ranked(feeds))
        if search.error is not None and search.error.kind not in _TRY_ELSEWHERE:
            return Discovery(error=search.error)
    page_url = sites.lookup(url) or url
    recorded = Recorded(tools.http)
    result = await search.fetch(page_url, replace(tools, http=recorded))
    if result.error is None:
        return Discovery((FoundFeed(page_url, "", result),))
    page = recorded.last
    if page is None or page.not_modified or result.error.kind != "parse":
        return Discovery(error=result.error)
    return await _in_page(page, result.error, search)


async def _in_page(page: Response, refusal: FetchError, search: _Search) -> Discovery:
    """The feeds that a page leads to; `refusal` says why it is none itself."""
    links = await _links(page, search.tools)
    if links is None or links["format"] != "HTML":
        return Discovery(error=refusal)
    named = [Guess(feed["url"], feed["title"]) for feed in links["feeds"]]
    named.sort(key=_is_comments)
    elsewhere = [guess for about in links["about"] for guess in sites.guesses(about)]
    for guesses in (named[:MAX_CHECKED], elsewhere):
        if feeds := await search.check(guesses):
            return Discovery(_ranked(feeds))
    host = urlsplit(page.url).hostname
    if named:
        reason = f": {search.error.message}" if search.error else ""
        return Discovery(error=FetchError("parse", f"no feed that {host} offers can be read{reason}"))
    if feeds := await search.check(sites.well_known(page.url, links["generator"]), first=True):
        return Discovery(_ranked(feeds))
    return Discovery(error=FetchError("parse", f"{host} is a web page that offers no feed"))


async def _links(page: Response, tools: Tools) -> dict[str, Any] | None:
    """What a page names; None if it cannot be read."""
    content_type = page.headers.get("content-type", "")
    try:
        return await tools.parsers.parse(PARSER, page.body, url=page.url, content_type=content_type)
    except ParseRefused:
        return None


async def document_format(page: Response, tools: Tools) -> str:
    """What kind of document an answer is: `RSS`, `Atom`, `HTML`, ...; empty if it is none that is known."""
    links = await _links(page, tools)
    return "" if links is None else str(links["format"])


class _Search:
    """One search: who is asked how, and what went wrong last. Each address is asked once."""

    def __init__(
        self,
        ingestor: Ingestor,
        tools: Tools,
        allow_local: bool,
        options: Mapping[str, JsonValue],
        first: bool,
    ) -> None:
        self.ingestor = ingestor
        self.tools = tools
        self.allow_local = allow_local
        self.options = options
        self.error: FetchError | None = None
        self._first = first
        self._asked: set[str] = set()

    async def fetch(self, url: str, tools: Tools) -> FetchResult:
        self._asked.add(url)
        request = FetchRequest(target=url, allow_local=self.allow_local, options=self.options)
        return await self.ingestor.fetch(request, tools)

    async def check(self, guesses: Iterable[Guess], *, first: bool = False) -> list[FoundFeed]:
        """Those that are feeds, in their order; with `first`, only the first of them."""
        fresh = [g for g in {guess.url: guess for guess in guesses}.values() if g.url not in self._asked]
        if not (first or self._first):
            results = await asyncio.gather(*(self.fetch(guess.url, self.tools) for guess in fresh))
            found = [self._found(guess, result) for guess, result in zip(fresh, results, strict=True)]
            return [feed for feed in found if feed is not None]
        for guess in fresh:
            result = await self.fetch(guess.url, self.tools)
            if (feed := self._found(guess, result)) is not None:
                return [feed]
            if result.error is not None and result.error.kind not in _TRY_ELSEWHERE:
                break
        return []

    def _found(self, guess: Guess, result: FetchResult) -> FoundFeed | None:
        if result.error is not None:
            self.error = result.error
            return None
        return FoundFeed(guess.url, guess.label, result)


def _is_comments(guess: Guess) -> bool:
    return "comment" in guess.label.lower() or "/comments/" in guess.url.lower()


def _ranked(feeds: Sequence[FoundFeed]) -> tuple[FoundFeed, ...]:
    """Each feed once, whatever its formats; comments and empty ones last."""
    kept: list[FoundFeed] = []
    for feed in feeds:
        twin = next((k for k in range(len(kept)) if _same(kept[k].result.entries, feed.result.entries)), None)
        if twin is None:
            kept.append(feed)
            continue
        # The format with more text wins; the first one, if they say the same.
        one, other = kept[twin], feed
        if _length(other.result.entries) > 1.1 * _length(one.result.entries):
            one, other = other, one
        kept[twin] = replace(one, also=(*one.also, other.url, *other.also))
    comments = [_is_comments(Guess(feed.url, f"{feed.label} {feed.result.title}")) for feed in kept]
    order = sorted(range(len(kept)), key=lambda k: (comments[k], not kept[k].result.entries))
    return tuple(kept[k] for k in order)


def _same(one: Sequence[Entry], other: Sequence[Entry]) -> bool:
    links, others = ({entry.url for entry in entries if entry.url} for entries in (one, other))
    shorter = min(len(links), len(others))
    return shorter > 0 and len(links & others) >= SAME_SHARE * shorter


def _length(entries: Sequence[Entry]) -> float:
    return sum(len(entry.text) for entry in entries) / max(len(entries), 1)
