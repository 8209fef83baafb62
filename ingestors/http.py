"""Polite and wary HTTP GET: who may be asked how often, which redirects are followed, what is an error.

Owns pacing, redirects, conditional requests and their failures. One hop on the wire, with its
address check and size limits, is `ingestors.transport`, which is imported when first used: the HTTP
library costs 0.3 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from ingestors.base import FetchError, FetchErrorKind

if TYPE_CHECKING:
    from ingestors.transport import Transport

MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 7 * 86_400.0
MAX_VALIDATOR = 4_096
"""Characters of an ETag or Last-Modified that are kept; real ones have under a hundred."""

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.1"
)


class HttpError(Exception):
    """A GET that brought no document. `retry_after_s` is set where the server named a time."""

    def __init__(self, kind: FetchErrorKind, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_s = retry_after_s

    def as_value(self) -> FetchError:
        """The error as ingestors return it."""
        return FetchError(self.kind, self.message)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said about its last answer, verbatim; sent back to exactly the same URL."""

    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A document, or with `not_modified` the news that it has not changed."""

    status: int
    url: str
    """Where it came from, after redirects."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    permanent_redirect_to: str | None = None
    """The end of the unbroken chain of permanent redirects that began at the URL asked for."""

    @property
    def not_modified(self) -> bool:
        """Whether the server answered 304."""
        return self.status == 304

    @property
    def validators(self) -> Validators:
        """What to send with the next request."""
        return Validators(self.url, self._validator("etag"), self._validator("last-modified"))

    @property
    def max_age_s(self) -> float | None:
        """`max-age` of Cache-Control, in seconds."""
        for directive in self.headers.get("cache-control", "").split(","):
            name, _, value = directive.strip().partition("=")
            value = value.strip('"')
            if name.lower() == "max-age" and value.isascii() and value.isdigit() and len(value) < 12:
                return float(value)
        return None

    def _validator(self, name: str) -> str | None:
        value = self.headers.get(name)
        return value if value and len(value) <= MAX_VALIDATOR else None


@dataclass(frozen=True, slots=True)
class Pace:
    """How one service, or one host, wants to be asked."""

    lane: str
    """Requests of one lane share its limits, whatever host they go to."""
    spacing_s: float
    concurrency: int


# All interfaces of arXiv together: one connection, one request every three seconds.
_SERVICES = {"arxiv.org": Pace("arxiv.org", 3.0, 1)}
_HOST_SPACING_S = 1.0
_HOST_CONCURRENCY = 2


class HttpClient:
    """The one HTTP client of a process; share it, so that pacing holds over all sources.

    Args:
        user_agent: Who we say we are; by default the name, version and page of this distribution.
        max_body: Most bytes of a document, unpacked as well as on the wire.
        deadline_s: Seconds for a whole request with its redirects, waiting for a turn not counted.
        concurrency: Most requests at a time over all hosts.
    """

    def __init__(
        self,
        *,
        user_agent: str | None = None,
        max_body: int = 10 * 2**20,
        deadline_s: float = 60.0,
        concurrency: int = 16,
    ) -> None:
        self._user_agent = user_agent
        self._max_body = max_body
        self._deadline_s = deadline_s
        self._all = asyncio.Semaphore(concurrency)
        self._lanes: dict[str, _Lane] = {}
        self._transport: Transport | None = None

    async def get(
        self,
        url: str,
        *,
        allow_local: bool = False,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = FEED_TYPES,
        max_body: int | None = None,
    ) -> Response:
        """Fetches a document.

        Args:
            url: Absolute, http or https.
            allow_local: Whether this request may go to loopback and private addresses. Such hosts
                are the reader's own, so they are not paced.
            validators: Of the last answer; sent only to the URL that they came from.
            headers: More request headers. Authorization does not follow to another origin.
            accept: The Accept header.
            max_body: Instead of the limit of the client.

        Raises:
            HttpError: There is no document: refused address, failure on the way, error status, limits.
        """
        headers = dict(headers or {})
        left_s = self._deadline_s
        current, moved, unbroken = url, None, True
        for _ in range(MAX_REDIRECTS + 1):
            parts = _split(current)
            sent = {"User-Agent": self._agent(), "Accept": accept, **headers}
            conditional = validators is not None and validators.url == current
            if validators is not None and conditional:
                sent |= _conditions(validators)
            async with self._turn(parts, allow_local) as lane:
                started = time.monotonic()
                hop = await self._open().get(
                    current,
                    sent,
                    allow_local=allow_local,
                    max_body=max_body or self._max_body,
                    timeout_s=left_s,
                )
                left_s = max(left_s - (time.monotonic() - started), 0.01)
                retry_after_s = parse_retry_after(hop.headers.get("retry-after"))
                if lane is not None and hop.status in (429, 503) and retry_after_s is not None:
                    lane.paused_until = time.monotonic() + retry_after_s
            if hop.status not in (301, 302, 303, 307, 308):
                _check_status(hop.status, parts, conditional, retry_after_s)
                return Response(hop.status, current, hop.headers, hop.body, moved)
            target = _redirect_target(hop.headers.get("location"), current, parts)
            unbroken = unbroken and hop.status in (301, 308)
            moved = target if unbroken else moved
            if _origin(_split(target)) != _origin(parts):
                headers = {name: v for name, v in headers.items() if name.lower() != "authorization"}
            current = target
        raise HttpError("http", f"{_split(url).hostname} redirects more than {MAX_REDIRECTS} times")

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    def _open(self) -> Transport:
        if self._transport is None:
            from ingestors.transport import Transport

            self._transport = Transport()
        return self._transport

    def _agent(self) -> str:
        if self._user_agent is None:
            self._user_agent = _default_user_agent()
        return self._user_agent

    @contextlib.asynccontextmanager
    async def _turn(self, parts: SplitResult, allow_local: bool) -> AsyncIterator[_Lane | None]:
        """Waits until a request to this host is due, and counts it while it runs."""
        if allow_local:
            async with self._all:
                yield None
            return
        pace = _pace(parts)
        lane = self._lanes.setdefault(pace.lane, _Lane(pace))
        async with lane.slots:
            now = time.monotonic()
            if lane.paused_until > now:
                left_s = lane.paused_until - now
                message = f"{parts.hostname} asked to be left alone for {left_s:.0f} s more"
                raise HttpError("limit", message, retry_after_s=left_s)
            start = max(now, lane.next_start)
            lane.next_start = start + pace.spacing_s
            await asyncio.sleep(start - now)
            async with self._all:
                yield lane


class _Lane:
    """The running state of a pace. Times are monotonic seconds."""

    def __init__(self, pace: Pace) -> None:
        self.slots = asyncio.Semaphore(pace.concurrency)
        self.next_start = 0.0
        self.paused_until = 0.0


def parse_retry_after(value: str | None) -> float | None:
    """Retry-After, a number or an HTTP date, as seconds from now, 0 to 7 days; None if it is neither."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # A thousand digits are a number to Python, but not one that a float holds.
        return min(float(value[:20]), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter for a zone that is years away
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _pace(parts: SplitResult) -> Pace:
    host = parts.hostname or ""
    for domain, pace in _SERVICES.items():
        if host == domain or host.endswith("." + domain):
            return pace
    return Pace(f"{host}:{_origin(parts)[2]}", _HOST_SPACING_S, _HOST_CONCURRENCY)


def _conditions(validators: Validators) -> dict[str, str]:
    sent = {}
    if validators.etag:
        sent["If-None-Match"] = validators.etag
    if validators.last_modified:
        sent["If-Modified-Since"] = validators.last_modified
    return sent


def _check_status(status: int, parts: SplitResult, conditional: bool, retry_after_s: float | None) -> None:
    host = parts.hostname
    match status:
        case 200 | 203:
            return
        case 304 if conditional:
            return
        case 401 | 403:
            raise HttpError("denied", f"{host} refuses access ({status})")
        case 404:
            raise HttpError("not-found", f"{host} knows no such page (404)")
        case 410:
            raise HttpError("gone", f"{host} says that this is gone for good (410)")
        case 429:
            raise HttpError("limit", f"{host} asks for fewer requests (429)", retry_after_s=retry_after_s)
        case 304:
            raise HttpError("http", f"{host} answered 'not modified' to a question that was never asked")
        case _ if status >= 500:
            raise HttpError("http", f"{host} is out of order ({status})", retry_after_s=retry_after_s)
        case _:
            raise HttpError("http", f"{host} answered with status {status}")


def _redirect_target(location: str | None, url: str, parts: SplitResult) -> str:
    if not location:
        raise HttpError("http", f"{parts.hostname} redirects to nowhere")
    try:
        target = urlsplit(urljoin(url, location))
    except ValueError:
        raise HttpError("http", f"{parts.hostname} redirects to something that is no URL") from None
    if parts.scheme == "https" and target.scheme == "http":
        raise HttpError("blocked", f"{parts.hostname} redirects from https to http, which is not followed")
    # Credentials in a redirect are somebody else's; the fragment is no part of a request.
    netloc = target.netloc.rpartition("@")[2]
    return urlunsplit((target.scheme, netloc, target.path, target.query, ""))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError for a port that is none
    except ValueError:
        raise HttpError("usage", "that is not a URL that can be fetched") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HttpError("blocked", f"only http and https are fetched, not {parts.scheme or 'this'}:")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _default_user_agent() -> str:
    about = importlib.metadata.metadata("triage")
    pages = [entry.partition(",")[2].strip() for entry in about.get_all("Project-URL") or []]
    return f"triage/{about['Version']}" + (f" (+{pages[0]})" if pages else "")
