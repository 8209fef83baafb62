"""What all paper services have in common: how a target is read, and how pages are read back to a day.

A service is a subclass in a file of its own, which owns the service's addresses and how it is asked. Its
parser (in `ingestors.parsers`) answers with `entries`, `refusals`, `count`, `total`, `next` (where the next
page begins) and `newest`, the latest day of what the service sorts by. Services index papers late, so every
fetch goes back some days behind the newest that was seen; the caller knows papers again by their keys.

Cursor: `newest`, such as `2026-03-02`; never a day that lies ahead.
Options: `base_url`; where the key is (`key_env`, `key_command`); `contact`, the reader's mail address, which
is sent only to services that ask for one; `services`, the same settings of the other services, by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args
from urllib.parse import urlencode

from ingestors.base import (
    Claim,
    Entry,
    FetchError,
    FetchRequest,
    FetchResult,
    JsonValue,
    Kind,
    Refusal,
)
from ingestors.http import HttpError
from ingestors.sandbox import ParseRefused
from ingestors.secrets import SecretError, secret
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

Facet = Literal["query", "author", "issn", "cites", "work", "category"]
"""What a target asks for: words, papers of a person, of a journal, citing a work, one work, of a subject."""

MAX_QUESTION = 1_000
ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])", re.IGNORECASE)
ISSN = re.compile(r"\d{4}-\d{3}[\dX]", re.IGNORECASE)
DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/[^\s?#]+)", re.IGNORECASE)
ARXIV_ID = re.compile(
    r"(?:arxiv:)?(\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7})(?:v\d{1,3})?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a service."""

    facet: Facet
    value: str


class Service:
    """The way to a service within one fetch: its address, key and contact are in place."""

    def __init__(
        self,
        ingestor: type[PaperService] | PaperService,
        request: FetchRequest,
        tools: Tools,
        key: str | None,
    ) -> None:
        options = settings(ingestor.name, request.options)
        self.has_key = key is not None
        self._base = str(options.get("base_url") or ingestor.base_url).rstrip("/")
        self._parser = ingestor.parser
        self._request = request
        self._tools = tools
        self._params: dict[str, str] = dict(ingestor.parameters)
        self._private: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        contact = request.options.get("contact")
        if ingestor.contact_parameter and isinstance(contact, str) and contact:
            self._private[ingestor.contact_parameter] = contact
        if key and ingestor.key_header:
            self._headers[ingestor.key_header] = key
        elif key and ingestor.key_parameter:
            self._private[ingestor.key_parameter] = key

    async def ask(
        self, path: str, params: Mapping[str, object], *, parser: str | None = None, **how: JsonValue
    ) -> dict[str, Any]:
        """One request, parsed in a child.

        Args:
            path: Below the base URL.
            params: Of the query.
            parser: Another than the usual one.
            how: Arguments of the parser.

        Raises:
            HttpError: There is no answer.
            ParseRefused: It is not what was asked for.
        """
        query = urlencode({**params, **self._params})
        response = await self._tools.http.get(
            f"{self._base}{path}{'?' if query else ''}{query}",
            allow_local=self._request.allow_local,
            headers=self._headers,
            private=self._private,
            accept="application/json, application/xml;q=0.9, */*;q=0.1",
        )
        return await self._tools.parsers.parse(parser or self._parser, response.body, **how)


class PaperService:
    """The base of the paper services."""

    name: ClassVar[str]
    label: ClassVar[str]
    """As a reader knows the service."""
    base_url: ClassVar[str]
    parser: ClassVar[str]
    """Import path of the parser of a page."""
    schemes: ClassVar[tuple[str, ...]]
    """What targets begin with; the first is stored."""
    facets: ClassVar[frozenset[Facet]]
    parameters: ClassVar[Mapping[str, str]] = {}
    """Sent with every request."""
    key_parameter: ClassVar[str] = ""
    key_header: ClassVar[str] = ""
    key_page: ClassVar[str] = ""
    """Where a reader gets a key; empty if the service has none."""
    contact_parameter: ClassVar[str] = ""
    overlap: ClassVar[timedelta] = timedelta(days=7)
    """How late a paper may show up among those of its day."""
    max_pages: ClassVar[int] = 10
    interval: ClassVar[timedelta] = timedelta(hours=12)
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """`service:words`, `service:author:…`, `service:issn:…`, `service:cites:…`, `service:10.1234/doi`."""
        scheme, _, rest = target.strip().partition(":")
        if scheme.lower() not in self.schemes:
            return None
        question = self.question(rest)
        if question is None:
            return None
        facet = "" if question.facet in ("query", "work", "category") else f"{question.facet}:"
        written = facet + question.value
        return Claim(self.name, self.kind, f"{self.schemes[0]}:{written}", f"{self.label} {written}")

    def question(self, text: str) -> Question | None:
        """What the part of a target behind the scheme asks for; None if this service cannot be asked that."""
        text = " ".join(text.split())
        if not text or len(text) > MAX_QUESTION or not text.isprintable():
            return None
        facet, colon, value = text.partition(":")
        facet, value = facet.lower(), value.strip()
        if colon and facet in get_args(Facet):
            if facet not in self.facets or not value or (facet == "issn" and not ISSN.fullmatch(value)):
                return None
            orcid = ORCID.fullmatch(value) if facet == "author" else None
            return Question(facet, orcid.group(1).upper() if orcid else value)
        if "work" in self.facets and (work := self.work(text)):
            return Question("work", work)
        return Question("query", text) if "query" in self.facets else None

    def work(self, text: str) -> str | None:
        """The name of one work, if `text` is one: a DOI, or an id of the service."""
        doi = DOI.fullmatch(text)
        return doi.group(1).lower() if doi else None

    async def resolve(self, service: Service, question: Question) -> Question:
        """The question in terms of the service, where that takes a request of its own."""
        return question

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """One page of answers, newest first.

        Args:
            service: The way to it.
            question: What `resolve` made of it.
            since: The day back to which papers are wanted; None at a first fetch.
            position: `next` of the page before; None for the first.
        """
        raise NotImplementedError

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads pages back to some days before the newest paper known; at first one page."""
        question = self.question(request.target.partition(":")[2])
        options = settings(self.name, request.options)
        key: str | None = None
        if question is None:
            error = FetchError("usage", f"{self.label} cannot be asked {request.target!r}")
            return FetchResult(cursor=request.cursor, error=error)
        try:
            key = await secret(options, "key")
            return await self._read(question, Service(self, request, tools, key), request)
        except HttpError as failed:
            error, wait_s = self._explain(failed, question, key), failed.retry_after_s
            return FetchResult(cursor=request.cursor, error=error, retry_after_s=wait_s)
        except ParseRefused as refused:
            error = FetchError("parse", f"the answer of {self.label} was refused: {refused.reason}")
            return FetchResult(cursor=request.cursor, error=error)
        except SecretError as missing:
            error = FetchError("usage", f"the key of {self.label}: {missing.message}")
            return FetchResult(cursor=request.cursor, error=error)

    async def _read(self, question: Question, service: Service, request: FetchRequest) -> FetchResult:
        newest = day(request.cursor.get("newest"))
        since = None if newest is None else (newest - self.overlap).isoformat()
        asked = await self.resolve(service, question)
        entries: dict[str, Entry] = {}
        refusals: list[Refusal] = []
        position: JsonValue = None
        read, days = 0, [newest] if newest else []
        for number in range(1, self.max_pages + 1):
            page = await self.page(service, asked, since, position)
            for data in page["entries"]:
                entries.setdefault(data["key"], to_entry(data))
            refusals += [to_refusal(refusal) for refusal in page["refusals"]]
            days += [found] if (found := day(page.get("newest"))) else []
            read, position = read + page["count"], page.get("next")
            total = page.get("total")
            if not page["count"] and since is not None and isinstance(total, int) and read < total:
                raise HttpError("http", f"{self.label} broke off in the middle of its answer")
            if position is None or not page["count"] or (since is None and not self.whole(asked)):
                break
            if number == self.max_pages:
                what = f"only {read} of {total}" if isinstance(total, int) else f"only {read}"
                refusals.append(Refusal("the rest of the papers", f"{what} are read; ask for less"))
        today = datetime.now(UTC).date()
        return FetchResult(
            entries=tuple(self.wanted(asked, since, list(entries.values()))),
            refusals=tuple(refusals),
            cursor={"newest": min(max(days), today).isoformat()} if days else {},
            interval_s=self.interval.total_seconds(),
        )

    def wanted(self, question: Question, since: str | None, entries: list[Entry]) -> list[Entry]:
        """Those of the papers read that are kept, where a service cannot be asked for the new ones only."""
        return entries

    def whole(self, question: Question) -> bool:
        """Whether the first fetch too reads all pages: where they do not come newest first."""
        return False

    def _explain(self, error: HttpError, question: Question, key: str | None) -> FetchError:
        section = f"[services.{self.name}]"
        if self.key_page and error.status in (401, 403, 409, 429) and not key:
            return FetchError(
                "limit",
                f"{self.label} lets nobody in without a key now ({error.status}): get one at {self.key_page} "
                f'and name it in the settings, {section} key_env = "NAME_OF_A_VARIABLE"',
            )
        if key and error.status in (401, 403):
            return FetchError("denied", f"{self.label} refuses the key ({error.status}); see {section}")
        if error.status in (409, 429) and key:
            return FetchError(
                "limit", f"{self.label} has given all that the key allows today ({error.status})"
            )
        if error.status == 404 and question.facet in ("work", "cites", "author"):
            return FetchError("not-found", f"{self.label} does not know {question.value}")
        return error.as_value()


def settings(name: str, options: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The options of a service: those of the source, or what `services` says of it."""
    services = options.get("services")
    own = services.get(name) if isinstance(services, dict) else None
    return {**(own if isinstance(own, dict) else {}), **options}


def day(text: object) -> date | None:
    """A day in ISO form, from 1970 on; None for anything else."""
    try:
        found = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.year >= 1970 else None


def days_ago(days: int) -> str:
    """A day in the past, such as `2026-03-02`."""
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
