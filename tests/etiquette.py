"""What a server owner would hold against a client: a log of exchanges in, a list of sins out.

The rules are those by which feed readers are scored in public: conditional requests, with validators as they
were given and no others, never sooner than asked and never within an hour, whole documents once a day,
nothing about the reader, nothing but the feed. It knows nothing of the client; all it needs is in what the
server said before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from loopback import Exchange

Sin = Literal[
    "method", "stray page", "added parameters", "cookie", "referer", "no honest name", "no packing",
    "unconditional repeat", "made-up validator", "stale validator",
    "within the hour", "sooner than asked", "whole document within a day", "in a skipped hour",
    "despite Retry-After", "no backoff", "deaf to a move", "deaf to gone",
]  # fmt: skip

Report = Callable[..., None]

HOUR, DAY = 3_600.0, 86_400.0
BACKOFF = (HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 20 * HOUR)
"""Least waits after failures in a row, before a tenth of chance."""
VALIDATORS = {"if-none-match": "etag", "if-modified-since": "last-modified"}


@dataclass(frozen=True, slots=True)
class Offence:
    """One sin, where and when."""

    sin: Sin
    path: str
    at: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a feed says in its document, which a log of headers does not show."""

    ttl_s: float = 0.0
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Page:
    """What has happened at one URL so far."""

    given: dict[str, list[str]] = field(default_factory=lambda: {"etag": [], "last-modified": []})
    current: dict[str, str] = field(default_factory=dict)
    whole: bool = False
    """Whether the last answer was a document without validators."""
    not_before: float = 0.0
    last: float | None = None
    failures: int = 0
    moved: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)


def offences(exchanges: Iterable[Exchange], feeds: Mapping[str, Wishes]) -> list[Offence]:
    """Everything that a client did wrong on one host; `feeds` are the paths that it was told to read."""
    found: list[Offence] = []
    pages: dict[str, _Page] = {}
    told_at, leave_alone_until = 0.0, 0.0
    for exchange in sorted(exchanges, key=lambda exchange: exchange.request.at):
        request, path = exchange.request, exchange.request.path
        page = pages.setdefault(path, _Page())

        def sin(name: Sin, detail: str = "", exchange: Exchange = exchange) -> None:
            found.append(Offence(name, exchange.request.path, exchange.request.at, detail))

        _judge_request(exchange, feeds, sin)
        if path not in feeds:
            continue
        # What was under way when the host said so could not know.
        if told_at < request.at < leave_alone_until:
            sin("despite Retry-After", f"{leave_alone_until - request.at:.0f} s early")
        _judge_validators(request.headers, page, sin)
        _judge_time(request.at, page, feeds[path], sin)
        _remember(exchange, page, feeds[path])
        if exchange.status in (429, 503):
            told_at, leave_alone_until = request.at, request.at + _retry_after(exchange)
    return found


def _judge_request(exchange: Exchange, feeds: Mapping[str, Wishes], sin: Report) -> None:
    request = exchange.request
    if request.method != "GET":
        sin("method", request.method)
    if request.path not in feeds:
        base = request.path.partition("?")[0]
        sin("added parameters" if base != request.path and base in feeds else "stray page")
    for header in ("cookie", "referer"):
        if header in request.headers:
            sin(header)
    agent = request.headers.get("user-agent", "")
    if "/" not in agent or agent.startswith("Mozilla"):
        sin("no honest name", agent)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        sin("no packing")


def _judge_validators(headers: Mapping[str, str], page: _Page, sin: Report) -> None:
    for asks, gives in VALIDATORS.items():
        sent = headers.get(asks)
        if sent is not None and sent != page.current.get(gives):
            sin("stale validator" if sent in page.given[gives] else "made-up validator", f"{asks}: {sent}")
    if page.current and not any(asks in headers for asks in VALIDATORS):
        sin("unconditional repeat")


def _judge_time(at: float, page: _Page, wishes: Wishes, sin: Report) -> None:
    if page.last is None:
        return  # nobody can know a wish before it is said
    moment = datetime.fromtimestamp(at, UTC)
    if moment.hour in wishes.skip_hours or moment.weekday() in wishes.skip_days:
        sin("in a skipped hour", f"{moment:%A %H:%M}")
    waited = at - page.last
    least = 0.9 * BACKOFF[min(page.failures, len(BACKOFF)) - 1] if page.failures else HOUR
    if waited < least:
        sin("no backoff" if page.failures else "within the hour", f"after {waited:.0f} s")
    elif at < page.not_before:
        sin("sooner than asked", f"by {page.not_before - at:.0f} s")
    elif page.whole and waited < DAY:
        sin("whole document within a day", f"after {waited:.0f} s")
    if page.moved and page.moved[-1] - page.moved[0] >= DAY:
        sin("deaf to a move")
    if len(page.gone) >= 3 and page.gone[-1] - page.gone[0] >= 2 * DAY:
        sin("deaf to gone")


def _remember(exchange: Exchange, page: _Page, wishes: Wishes) -> None:
    at, status = exchange.request.at, exchange.status
    page.last = at
    page.moved = [*page.moved, at] if status in (301, 308) else []
    page.gone = [*page.gone, at] if status == 410 else []
    # A login page with status 200 says nothing about the feed, nor does what was cut: neither is believed.
    whole = len(exchange.body) >= int(exchange.headers.get("content-length", 0))
    login = exchange.body.lstrip().lower().startswith((b"<html", b"<!doctype html"))
    document = status == 200 and whole and not login
    if status not in (200, 301, 302, 303, 304, 307, 308) or (status == 200 and not document):
        page.failures += 1
        page.not_before = 0.0
        return
    page.failures = 0
    if not document and status != 304:
        page.current = {}  # where it leads elsewhere, there is no document that a validator could be of
        return
    given = {name: exchange.headers[name] for name in page.given if name in exchange.headers}
    page.current = given if document else page.current | given
    for name, value in given.items():
        page.given[name].append(value)
    page.whole = not page.current
    page.not_before = at + min(max(wishes.ttl_s, _fresh(exchange)), DAY)


def _fresh(exchange: Exchange) -> float:
    for directive in exchange.headers.get("cache-control", "").split(","):
        if directive.strip().startswith("max-age="):
            return float(directive.partition("=")[2])
    if "expires" in exchange.headers:
        return parsedate_to_datetime(exchange.headers["expires"]).timestamp() - exchange.request.at
    return 0.0


def _retry_after(exchange: Exchange) -> float:
    value = exchange.headers.get("retry-after", "0")
    if value.isdigit():
        return min(float(value), 7 * DAY)
    return parsedate_to_datetime(value).timestamp() - exchange.request.at
