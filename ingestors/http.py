"""Polite and wary HTTP GET: who may be asked how often, which redirects are followed, what is an error.

Owns turns, redirects, conditional requests and their failures. How often a host may be asked is in
`ingestors.throttle`. One hop on the wire, with its address check and size limits, is `ingestors.transport`,
which is imported when first used: the HTTP library costs 0.3 s.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.metadata
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, unquote_plus, urlencode, urljoin, urlsplit, urlunsplit

from ingestors.base import FetchError, FetchErrorKind, JsonValue
from ingestors.slots import Slots
from ingestors.throttle import Throttle, rate_limit

if TYPE_CHECKING:
    from ingestors.transport import Hop, Transport

MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 7 * 86_400.0
MAX_TARGET = 4_096
"""Characters of a URL that is remembered as the new one of a source."""
MAX_VALIDATOR = 4_096
"""Characters of an ETag or Last-Modified that are kept; real ones have under a hundred."""

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.1"
)


class HttpError(Exception):
    """A GET that brought no document.

    `retry_after_s` is set where the server named a time, `status` where it answered at all.
    """

    def __init__(
        self,
        kind: FetchErrorKind,
        message: str,
        *,
        retry_after_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_s = retry_after_s
        self.status = status

    def as_value(self) -> FetchError:
        """The error as ingestors return it."""
        return FetchError(self.kind, self.message)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said about its last answer, verbatim; sent back to exactly the same URL."""

    url: str
    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, cursor: Mapping[str, JsonValue]) -> Validators | None:
        """Those that `to_cursor` has put into a cursor; None if it holds none."""
        url, *others = (cursor.get(name) for name in ("url", "etag", "last_modified"))
        etag, modified = (value if isinstance(value, str) and value else None for value in others)
        return cls(url, etag, modified) if isinstance(url, str) else None

    def to_cursor(self) -> dict[str, JsonValue]:
        """As fields of a cursor."""
        return {"url": self.url, "etag": self.etag, "last_modified": self.last_modified}


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
    def fresh_s(self) -> float | None:
        """For how many seconds the document is good, by `max-age` or else by `Expires`; None if untold."""
        for directive in self.headers.get("cache-control", "").split(","):
            name, _, value = directive.strip().partition("=")
            value = value.strip('"')
            if name.lower() == "max-age" and value.isascii() and value.isdigit() and len(value) < 12:
                return float(value)
        expires, date = parse_date(self.headers.get("expires")), parse_date(self.headers.get("date"))
        if expires is None or date is None:
            return None
        return max((expires - date).total_seconds(), 0.0)

    def _validator(self, name: str) -> str | None:
        value = self.headers.get(name)
        return value if value and len(value) <= MAX_VALIDATOR else None


_UNTOLD_WAIT = timedelta(hours=1)
"""For a public host that asks for fewer requests and does not say when."""
_MAX_UNANSWERED = 3
"""Requests in a row without any answer, after which a client stops asking a public host: a dead host with two
hundred feeds would otherwise take an hour of waiting."""


class HttpClient:
    """The one HTTP client of a process; share it, so that pacing holds over all sources.

    Args:
        user_agent: Who we say we are; by default the name, version and page of this distribution.
        max_body: Most bytes of a document, unpacked as well as on the wire.
        deadline_s: Seconds for a whole request with its redirects, waiting for a turn not counted.
        concurrency: Most requests at a time over all hosts; those that take long are not counted.
        clock: The present, aware UTC; for Retry-After.
        waits: Hosts that want to be left alone and until when, as `waits` of an earlier client said.
    """

    def __init__(
        self,
        *,
        user_agent: str | None = None,
        max_body: int = 10 * 2**20,
        deadline_s: float = 60.0,
        concurrency: int = 16,
        clock: Callable[[], datetime] | None = None,
        waits: Mapping[str, datetime] | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._max_body = max_body
        self._deadline_s = deadline_s
        self._all = Slots(concurrency)
        self._clock = clock or (lambda: datetime.now(UTC))
        self._waits = dict(waits or {})
        self._throttles: dict[str, Throttle] = {}
        self._transport: Transport | None = None
        self.asked: Counter[str] = Counter()
        """Host -> requests that went to it."""
        self.ahead: dict[str, float] = {}
        """Host -> seconds by which its clock is ahead of ours, by its last answer."""

    @property
    def waits(self) -> Mapping[str, datetime]:
        """Hosts that asked to be left alone, and until when; to be kept for the next client."""
        return self._waits

    async def get(
        self,
        url: str,
        *,
        allow_local: bool = False,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
        private: Mapping[str, str] | None = None,
        accept: str = FEED_TYPES,
        max_body: int | None = None,
    ) -> Response:
        """Fetches a document.

        Args:
            url: Absolute, http or https. A name and password in it become an Authorization header.
            allow_local: Whether this request may go to loopback and private addresses. Such hosts
                are the reader's own, so requests to them are not spaced.
            validators: Of the last answer; sent only to the URL that they came from.
            headers: More request headers. None of them follows to another origin: some services take their
                key in one of their own.
            private: Parameters of the query that are sent and named nowhere, such as a key: no URL that comes
                back from here holds them, and they do not follow to another origin.
            accept: The Accept header.
            max_body: Instead of the limit of the client.

        Raises:
            HttpError: There is no document: refused address, failure on the way, error status, limits.
        """
        userinfo, current = _without_userinfo(url)
        headers = _authorized(userinfo, headers or {})
        left_s = self._deadline_s
        moved, unbroken = None, True
        for _ in range(MAX_REDIRECTS + 1):
            parts = _split(current)
            sent = {"User-Agent": self._agent(), "Accept": accept, **headers}
            conditional = validators is not None and validators.url == current
            if validators is not None and conditional:
                sent |= _conditions(validators)
            hop, took_s = await self._ask(
                _with_parameters(current, private or {}),
                parts,
                sent,
                allow_local=allow_local,
                max_body=max_body or self._max_body,
                timeout_s=left_s,
            )
            left_s = max(left_s - took_s, 0.01)
            if hop.status not in (301, 302, 303, 307, 308):
                self._check_status(hop, parts, conditional)
                return Response(hop.status, current, hop.headers, hop.body, _with_userinfo(moved, url))
            target = _redirect_target(hop.headers.get("location"), current, parts)
            target = _without_parameters(target, private or {})  # servers repeat what they were asked
            unbroken = unbroken and hop.status in (301, 308)
            moved = target if unbroken else moved
            if _origin(_split(target)) != _origin(parts):
                headers, private = {}, None
            current = target
        raise HttpError("http", f"{_split(url).hostname} redirects more than {MAX_REDIRECTS} times")

    async def post(
        self, url: str, content: bytes, *, headers: Mapping[str, str], allow_local: bool = False
    ) -> Response:
        """Sends a document, once; a redirect is an error, because it would be sent to somebody else.

        Args:
            url: As for `get`.
            content: The document.
            headers: With its Content-Type.
            allow_local: As for `get`.

        Raises:
            HttpError: There is no answer, or an error. It may have been stored all the same.
        """
        userinfo, target = _without_userinfo(url)
        parts = _split(target)
        sent = {"User-Agent": self._agent(), "Accept": "*/*", **_authorized(userinfo, headers)}
        hop, _ = await self._ask(
            target,
            parts,
            sent,
            allow_local=allow_local,
            max_body=self._max_body,
            timeout_s=self._deadline_s,
            content=content,
        )
        self._check_status(hop, parts, conditional=False)
        return Response(hop.status, target, hop.headers, hop.body)

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def _ask(
        self,
        url: str,
        parts: SplitResult,
        headers: Mapping[str, str],
        *,
        allow_local: bool,
        max_body: int,
        timeout_s: float,
        content: bytes | None = None,
    ) -> tuple[Hop, float]:
        """One hop in its turn, and the seconds it took; notes what it says about the host.

        Raises:
            HttpError: No answer, or the host is not asked at all.
        """
        limit = rate_limit(parts.hostname or "", _origin(parts)[2])
        throttle = self._throttles.setdefault(limit.name, Throttle(limit))
        loop = asyncio.get_running_loop()
        async with self._turn(throttle, parts, spaced=not allow_local):
            started = loop.time()
            self.asked[parts.hostname or ""] += 1
            try:
                hop = await self._open().get(
                    url,
                    headers,
                    allow_local=allow_local,
                    max_body=max_body,
                    timeout_s=timeout_s,
                    content=content,
                )
            except HttpError as error:
                if error.kind in ("network", "timeout"):
                    throttle.unanswered.append(error)
                raise
            throttle.unanswered.clear()
            throttle.note_limit(hop.headers)
            if (date := _date_of(hop.headers)) is not None:
                self.ahead[parts.hostname or ""] = (date - self._clock()).total_seconds()
            took_s = loop.time() - started
        if hop.status in (429, 503):
            wait_s = self._retry_after(hop)
            if wait_s is not None:
                self._leave_alone(throttle, timedelta(seconds=wait_s))
            elif hop.status == 429 and not allow_local:
                self._leave_alone(throttle, _UNTOLD_WAIT)
        return hop, took_s

    @contextlib.asynccontextmanager
    async def _turn(self, throttle: Throttle, parts: SplitResult, *, spaced: bool) -> AsyncIterator[None]:
        """Waits until a request to this host is due, and counts it while it runs."""
        self._require_allowed(throttle, parts, spaced)
        if not spaced:
            async with self._all.slot():
                self._require_allowed(throttle, parts, spaced)
                yield
            return
        loop = asyncio.get_running_loop()
        async with throttle.slots, contextlib.AsyncExitStack() as held:
            async with throttle.order:
                self._require_allowed(throttle, parts, spaced)
                await asyncio.sleep(throttle.next_start - loop.time())
                await held.enter_async_context(self._all.slot())
                # The host may have changed its mind while this request waited for its turn.
                self._require_allowed(throttle, parts, spaced)
                throttle.next_start = loop.time() + throttle.spacing_s()
            try:
                yield
            finally:
                if throttle.serial:
                    # A service counts where requests arrive, and the way there may hold up one of them only.
                    throttle.next_start = loop.time() + throttle.spacing_s()

    def _require_allowed(self, throttle: Throttle, parts: SplitResult, spaced: bool) -> None:
        """Raises HttpError if the host is not to be asked now."""
        now = self._clock()
        left_s = (self._waits.get(throttle.name, now) - now).total_seconds()
        if 0 < left_s <= MAX_RETRY_AFTER_S:  # a longer one was written before the clock was set back
            message = f"{parts.hostname} asked to be left alone for {_duration(left_s)} more"
            raise HttpError("postponed", message, retry_after_s=left_s)
        if spaced and len(throttle.unanswered) >= _MAX_UNANSWERED:
            last = throttle.unanswered[-1]
            raise HttpError(last.kind, last.message)

    def _leave_alone(self, throttle: Throttle, wait: timedelta) -> None:
        until = self._clock() + wait
        self._waits[throttle.name] = max(until, self._waits.get(throttle.name, until))

    def _check_status(self, hop: Hop, parts: SplitResult, conditional: bool) -> None:
        """Raises HttpError if an answer brings no document."""
        if (refusal := _refusal(hop.status, parts.hostname, conditional)) is not None:
            wait_s = self._retry_after(hop) if hop.status == 429 or hop.status >= 500 else None
            raise HttpError(*refusal, retry_after_s=wait_s, status=hop.status)

    def _retry_after(self, hop: Hop) -> float | None:
        # A date counts from the server's own clock: ours may be wrong, or set by the reader.
        now = parse_date(hop.headers.get("date")) or self._clock()
        return parse_retry_after(hop.headers.get("retry-after"), now)

    def _open(self) -> Transport:
        if self._transport is None:
            from ingestors.transport import Transport

            self._transport = Transport()
        return self._transport

    def _agent(self) -> str:
        if self._user_agent is None:
            self._user_agent = _default_user_agent()
        return self._user_agent


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Retry-After, a number or an HTTP date, as seconds from now, 0 to 7 days; None if it is neither."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # A thousand digits are a number to Python, but not one that a float holds.
        return min(float(value[:20]), MAX_RETRY_AFTER_S)
    moment = parse_date(value)
    if moment is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _date_of(headers: Mapping[str, str]) -> datetime | None:
    """What the clock of a server says; a copy on the way has the date of the original, and its own age."""
    date, age = parse_date(headers.get("date")), headers.get("age", "0").strip()
    if date is None or not (age.isascii() and age.isdigit() and len(age) < 10):
        return None
    try:
        return date + timedelta(seconds=int(age))
    except OverflowError:  # after the end of the calendar
        return None


def parse_date(value: str | None) -> datetime | None:
    """An HTTP date, aware; None for anything else."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):  # the latter for a zone that is years away
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _duration(seconds: float) -> str:
    """Seconds in words, rounded up."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds > 2 * length:
            return f"{-(-seconds // length):.0f} {unit}"
    return f"{-(-seconds // 1):.0f} s"


def _without_userinfo(url: str) -> tuple[str, str]:
    """The name and password in a URL, as written, and the URL without them and without its fragment."""
    parts = _split(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    if not userinfo and not parts.fragment:
        return "", url  # as written
    return userinfo, urlunsplit(parts._replace(netloc=host, fragment=""))


def _with_userinfo(moved: str | None, url: str) -> str | None:
    """Where a source has moved, with the password of its old URL; another origin must not learn that."""
    if moved is None or len(moved) > MAX_TARGET or not moved.isprintable():
        return None
    userinfo, _ = _without_userinfo(url)
    parts = _split(moved)
    if not userinfo:
        return moved
    if _origin(parts) != _origin(_split(url)):
        return None
    return urlunsplit(parts._replace(netloc=f"{userinfo}@{parts.netloc}"))


def _authorized(userinfo: str, headers: Mapping[str, str]) -> dict[str, str]:
    if not userinfo or any(name.lower() == "authorization" for name in headers):
        return dict(headers)
    user, _, password = userinfo.partition(":")
    return {**headers, "Authorization": basic_authorization(unquote(user), unquote(password))}


def basic_authorization(user: str, password: str) -> str:
    """The value of an Authorization header, by RFC 7617 in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode("utf-8", "replace")).decode()


def _conditions(validators: Validators) -> dict[str, str]:
    sent = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in sent.items() if value}


def _refusal(status: int, host: str | None, conditional: bool) -> tuple[FetchErrorKind, str] | None:
    """What a status that brings no document means; None for one that brings it."""
    match status:
        case 200 | 203:
            return None
        case 304 if conditional:
            return None
        case 304:
            return "http", f"{host} answered 'not modified' to a question that was never asked"
        case 401 | 403:
            return "denied", f"{host} refuses access ({status})"
        case 404:
            return "not-found", f"{host} knows no such page (404)"
        case 407:
            return "denied", "the proxy wants a name and password; put them into HTTP_PROXY"
        case 410:
            return "gone", f"{host} says that this is gone for good (410)"
        case 429:
            return "limit", f"{host} asks for fewer requests (429)"
        case 451:
            return "denied", f"{host} may not show this for legal reasons (451)"
        case _ if status >= 500:
            return "http", f"{host} is out of order ({status})"
        case _:
            return "http", f"{host} answered with status {status}"


def _redirect_target(location: str | None, url: str, parts: SplitResult) -> str:
    if not location:
        raise HttpError("http", f"{parts.hostname} redirects to nowhere")
    with contextlib.suppress(UnicodeError):
        location = location.encode("latin-1").decode()  # not allowed, but what is sent is mostly UTF-8
    try:
        target = urlsplit(urljoin(url, location))
    except ValueError:
        raise HttpError("http", f"{parts.hostname} redirects to something that is no URL") from None
    if parts.scheme == "https" and target.scheme == "http":
        raise HttpError("blocked", f"{parts.hostname} redirects from https to http, which is not followed")
    # Credentials in a redirect are somebody else's; the fragment is no part of a request.
    netloc = target.netloc.rpartition("@")[2]
    return urlunsplit((target.scheme, netloc, target.path, target.query, ""))


def _with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    if not parameters:
        return url
    parts = _split(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


def _without_parameters(url: str, names: Mapping[str, str]) -> str:
    if not names:
        return url
    parts = _split(url)
    kept = (part for part in parts.query.split("&") if unquote_plus(part.partition("=")[0]) not in names)
    return urlunsplit(parts._replace(query="&".join(kept)))


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
