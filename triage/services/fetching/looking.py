"""Asking a source without polling it: what a target turns out to be, and how a source answers today.

Stores nothing but what `keep` is told to keep, and which hosts asked to be left alone.
No transaction is open while somebody is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingestors import registry
from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, Ingestor, Tools
from ingestors.discover import Recorded, discover, document_format
from ingestors.sandbox import ParserPool
from triage.config import Clock, Config
from triage.core.text import sanitize_line
from triage.services.fetching import ingest, sources, writing
from triage.services.fetching.client import http_client
from triage.services.fetching.sources import Added
from triage.store.engine import Database

log = logging.getLogger(__name__)

LOOK_S = 90.0
"""Seconds that a person waits for an answer at most."""
CONCURRENCY = 8
MAX_LINE = 300

OnDone = Callable[[int, int], None]
"""Called with (sources asked, sources in all)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One source that a target turned out to be, with its first answer."""

    claim: Claim
    label: str
    result: FetchResult | None
    """None if it was not asked."""
    also: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it calls itself, else what its page calls it."""
        said = self.result.title if self.result else None
        return sanitize_line(said or self.label or self.claim.title, MAX_LINE)

    @property
    def newest(self) -> datetime | None:
        """The latest time that an entry names."""
        return _newest(self.result)


@dataclass(frozen=True, slots=True)
class Look:
    """What looking at one target came to: choices, the best first, or the reason why there is none."""

    claim: Claim
    choices: tuple[Choice, ...] = ()
    error: str | None = None
    fix: str | None = None
    """What helps, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A source to be asked, whether it is stored or not."""

    id: int | None = None
    title: str = ""
    claim: Claim
    allow_local: bool = False
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """How a source answers; what it sent is counted and forgotten."""

    id: int | None
    title: str
    target: str
    ok: bool
    error: str | None = None
    status: int | None = None
    """Of the last answer over HTTP; None for what does not come that way, or did not come."""
    url: str | None = None
    """Where the answer came from, after redirects."""
    format: str = ""
    bytes: int | None = None
    items: int = 0
    newest: datetime | None = None
    truncated: int = 0
    """Items whose text is a teaser."""
    refusals: tuple[str, ...] = ()
    interval_s: float | None = None
    """The least interval that the source asks for."""
    retry_after_s: float | None = None
    validators: bool = False
    """Whether an unchanged source can be recognised without sending it again."""
    more: bool = False


def is_quick(claim: Claim) -> bool:
    """Whether looking takes seconds: a mailbox on this machine may hold gigabytes, and was seen to be one."""
    return claim.kind != "mail" or not Path(claim.target).is_absolute()


async def look(
    database: Database,
    clock: Clock,
    claim: Claim,
    config: Config,
    *,
    allow_local: bool,
    options: Mapping[str, Any],
    first: bool = False,
) -> Look:
    """Finds out what a claimed target is, by asking for it."""
    try:
        async with asyncio.timeout(LOOK_S), _tools(database, clock) as tools:
            return await _look(claim, tools, config, allow_local, options, first)
    except TimeoutError:
        return Look(claim, error=f"there was no answer within {LOOK_S:.0f} s")


def _failed(claim: Claim, error: FetchError) -> Look:
    fix = None
    if "--allow-local" in error.message:
        fix = f"triage add --allow-local {sanitize_line(claim.target, MAX_LINE)}"
    elif error.kind == "denied" and claim.kind == "mail":
        fix = "run the password command by itself: it must print that password and nothing else"
    return Look(claim, error=error.message, fix=fix)


async def _look(
    claim: Claim, tools: Tools, config: Config, allow_local: bool, options: Mapping[str, Any], first: bool
) -> Look:
    ingestor = registry.get(claim.ingestor)
    assert ingestor is not None, "a claim is an ingestor's"
    asked = ingest.request_options(claim.ingestor, options, config)
    if claim.kind != "feed" or not claim.target.startswith(("http://", "https://")):
        request = FetchRequest(target=claim.target, allow_local=allow_local, options=asked)
        result = await _ask(ingestor, request, tools)
        if result.error is not None:
            return _failed(claim, result.error)
        return Look(claim, (Choice(claim, "", result),))
    found = await discover(claim.target, ingestor, tools, allow_local=allow_local, options=asked, first=first)
    if found.error is not None:
        return _failed(claim, found.error)
    choices = []
    for feed in found.feeds:
        # Another ingestor may know this address better; what ours has read is nothing to it then.
        theirs = registry.claim(feed.url) or claim
        mine = theirs.ingestor == claim.ingestor and theirs.target == feed.url
        choices.append(Choice(theirs, feed.label, feed.result if mine else None, feed.also))
    return Look(claim, tuple(choices))


def keep(
    database: Database,
    clock: Clock,
    choice: Choice,
    *,
    allow_local: bool,
    title: str | None,
    tags: Sequence[str],
    options: Mapping[str, Any],
) -> Added:
    """Adds a source, with the answer that it has given already."""
    with database.write() as connection:
        added = sources.add_claimed(
            connection,
            choice.claim,
            clock(),
            allow_local=allow_local,
            title=title,
            tags=tags,
            options=options,
        )
    if added.new and choice.result is not None:
        report = writing.keep(database, clock, added.id, choice.result)
        added = replace(added, title=title or report.title)
    return added


def subjects(
    database: Database, now: datetime, wanted: Sequence[str], allow_local: bool
) -> tuple[list[Subject], list[str]]:
    """Whom a check asks: the sources that `wanted` names, or targets that are none yet; all if it is empty.

    Returns:
        Them, and a note for each source whose server wants to be left alone.

    Raises:
        UsageError: `wanted` names neither a source nor what can be read.
    """
    views = sources.listing(database, now)
    found: list[Subject] = []
    notes: list[str] = []
    for view in views if not wanted else [sources.named(views, word) or word for word in wanted]:
        if isinstance(view, str):
            claim = sources.claim_target(view)
            found.append(Subject(claim=claim, allow_local=allow_local, options={}))
        elif view.wait_until is not None and view.wait_until > now:
            until = f"{view.wait_until.astimezone():%a %H:%M}"
            notes.append(
                f"{view.id} {view.title} was not asked: its server wants to be left alone until {until}"
            )
        else:
            found.append(
                Subject(
                    id=view.id,
                    title=view.title,
                    claim=Claim(view.ingestor, view.kind, view.target, view.title),
                    allow_local=view.allow_local,
                    options=view.settings,
                )
            )
    return found, notes


async def check(
    database: Database,
    clock: Clock,
    config: Config,
    subjects: Sequence[Subject],
    on_done: OnDone | None = None,
) -> list[CheckReport]:
    """Asks each source for everything, as at its first fetch, and stores nothing of it.

    Args:
        database: Knows which hosts asked to be left alone.
        clock: The present.
        config: For the base URLs of services.
        subjects: Whom to ask.
        on_done: Progress.
    """
    gate = asyncio.Semaphore(CONCURRENCY)
    done = 0

    async def one(subject: Subject) -> CheckReport:
        nonlocal done
        async with gate:
            report = await _check(subject, tools, config)
        done += 1
        if on_done is not None:
            on_done(done, len(subjects))
        return report

    async with _tools(database, clock) as tools:
        return list(await asyncio.gather(*map(one, subjects)))


async def _check(subject: Subject, tools: Tools, config: Config) -> CheckReport:
    claim = subject.claim
    recorded = Recorded(tools.http)
    request = FetchRequest(
        target=claim.target,
        allow_local=subject.allow_local,
        options=ingest.request_options(claim.ingestor, subject.options, config),
    )
    ingestor = registry.get(claim.ingestor)
    try:
        if ingestor is None:
            result = FetchResult(
                error=FetchError("usage", f"no ingestor named {claim.ingestor} is installed")
            )
        else:
            async with asyncio.timeout(LOOK_S):
                result = await ingestor.fetch(request, replace(tools, http=recorded))
    except TimeoutError:
        result = FetchResult(error=FetchError("timeout", f"there was no answer within {LOOK_S:.0f} s"))
    answer = recorded.last
    return CheckReport(
        id=subject.id,
        title=sanitize_line(subject.title or result.title or claim.title, MAX_LINE),
        target=claim.target,
        ok=result.error is None,
        error=sanitize_line(result.error.message, MAX_LINE) if result.error else None,
        status=answer.status if answer else None,
        url=answer.url if answer else None,
        format=await document_format(answer, tools) if answer and answer.body else "",
        bytes=len(answer.body) if answer else None,
        items=len(result.entries),
        newest=_newest(result),
        truncated=sum("truncated" in entry.flags for entry in result.entries),
        refusals=tuple(sanitize_line(f"{r.name}: {r.reason}", MAX_LINE) for r in result.refusals),
        interval_s=result.interval_s,
        retry_after_s=result.retry_after_s,
        validators=bool(answer and (answer.validators.etag or answer.validators.last_modified)),
        more=result.more,
    )


async def _ask(ingestor: Ingestor | None, request: FetchRequest, tools: Tools) -> FetchResult:
    """One fetch; whatever goes wrong is its error, a bug of a plug-in and too long a wait as well."""
    if ingestor is None:
        return FetchResult(error=FetchError("usage", "the ingestor of this source is not installed"))
    try:
        async with asyncio.timeout(LOOK_S):
            return await ingestor.fetch(request, tools)
    except TimeoutError:
        return FetchResult(error=FetchError("timeout", f"there was no answer within {LOOK_S:.0f} s"))
    except Exception as error:
        log.exception("the ingestor %s failed", ingestor.name)
        message = f"the ingestor {ingestor.name} failed ({type(error).__name__})"
        return FetchResult(error=FetchError("parse", message))


@asynccontextmanager
async def _tools(database: Database, clock: Clock) -> AsyncIterator[Tools]:
    async with http_client(database, clock, "looking") as http, aclosing(ParserPool()) as parsers:
        yield Tools(http=http, parsers=parsers)


def _newest(result: FetchResult | None) -> datetime | None:
    entries: Iterable[Any] = result.entries if result else ()
    return max((entry.published for entry in entries if entry.published), default=None)
