"""New papers of arXiv: of a category, of a query, or one paper through its versions.

A category is read from its daily list (RSS), which also tells new papers, cross-lists and revisions apart;
the query interface brings what came before the first day, and the days on which nobody asked. Queries and
single papers know the query interface only.

Cursor: `newest`, the latest submission seen, in seconds since 1970; of a category also `day`, the last daily
list, and its validators (`url`, `etag`, `last_modified`).
Options: `base_url` of the query interface; where it ends in `/api/query`, the daily lists are expected beside
it. `max_results` of a first fetch.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
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
from ingestors.http import HttpError, Validators
from ingestors.papers import ARXIV_ID, day, settings
from ingestors.sandbox import ParseRefused
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.arxiv:parse_arxiv"
DAILY_PARSER = "ingestors.parsers.arxiv:parse_arxiv_daily"
BASE_URL = "https://export.arxiv.org/api/query"
DAILY_URL = "https://rss.arxiv.org/rss/"
ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1"
"""Without `*/*` the service answers 406 to some requests and not to others."""
PAGE = 200
MAX_PAGES = 5
EMPTY_RETRIES = 2
"""The service now and then answers an empty page in the middle of a result; asking again helps."""
OVERLAP_S = 3 * 86_400
"""Papers are announced out of the order of their submission, over weekends by days."""
INTERVAL_S = 6 * 3_600.0
"""The index changes once a day."""

_ARCHIVES = {
    *("astro-ph", "cond-mat", "cs", "econ", "eess", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th"),
    *("math", "math-ph", "nlin", "nucl-ex", "nucl-th", "physics", "q-bio", "q-fin", "quant-ph", "stat"),
}
_DIVIDED = {
    *("astro-ph", "cond-mat", "cs", "econ", "eess", "math", "nlin", "physics", "q-bio", "q-fin", "stat"),
}
_CATEGORY = re.compile(r"([a-z]+(?:-[a-z]+)?)(?:\.[A-Za-z]{2}|\.[a-z]+(?:-[a-z]+)*)?")
# `cs.IR` and `physics.optics`; `cs.it` may be a host in Italy.
_BARE_CATEGORY = re.compile(r"[a-z-]+\.(?:[A-Z]{2}|[a-z-]{4,})(?:\+|$)")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:(?:www\.|export\.|rss\.)?arxiv\.org/(?:abs|pdf|html|rss|atom|list)/"
    r"|(?:dx\.)?doi\.org/10\.48550/arxiv\.)([^?#\s]+)",
    re.IGNORECASE,
)
_BARE_DOI = re.compile(r"(?:doi:)?10\.48550/arxiv\.(\S+)", re.IGNORECASE)
_FIELD = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all|submittedDate):")
_OPERATOR = re.compile(r'[()"]|\b(?:AND|OR|ANDNOT)\b')


class ArxivIngestor:
    """`arxiv:cs.IR`, `arxiv:cs.IR+cs.LG`, `arxiv:au:Ada Lovelace`, `arxiv:some words`, `arxiv:2401.01234`."""

    name = "arxiv"
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """Whatever begins with `arxiv:`, ids, categories like `cs.IR`, addresses of papers and lists."""
        target = " ".join(target.split())
        if len(target) > 1_000 or not target.isprintable():
            return None
        if found := _ADDRESS.fullmatch(target) or _BARE_DOI.fullmatch(target):
            query = found.group(1).removesuffix(".pdf")
            for ending in ("/recent", "/new", "/pastweek", "/current"):
                query = query.removesuffix(ending)
            if not ARXIV_ID.fullmatch(query) and not _categories(query):
                return None
        elif ARXIV_ID.fullmatch(target) or (_BARE_CATEGORY.match(target) and _categories(target)):
            query = target
        else:
            scheme, colon, query = target.partition(":")
            query = query.strip()
            if scheme.lower() != "arxiv" or not colon or not query:
                return None
        if paper := ARXIV_ID.fullmatch(query):
            query = paper.group(1)
        elif query.lower().startswith("author:"):
            query = f"au:{query.partition(':')[2].strip()}"
        return Claim(self.name, self.kind, f"arxiv:{query}", f"arXiv {query}")

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads what is new, by the way that fits the target."""
        query = request.target.partition(":")[2]
        try:
            if paper := ARXIV_ID.fullmatch(query):
                return await self._paper(paper.group(1), request, tools)
            if categories := _categories(query):
                return await self._category(categories, request, tools)
            found = await self._search(_search_query(query), request, tools)
        except HttpError as error:
            return FetchResult(
                cursor=request.cursor, error=_explain(error), retry_after_s=error.retry_after_s
            )
        except ParseRefused as refused:
            error_value = FetchError("parse", f"the answer was refused: {refused.reason}")
            return FetchResult(cursor=request.cursor, error=error_value)
        entries, refusals, newest = found
        return FetchResult(
            entries=tuple(entries.values()),
            refusals=tuple(refusals),
            cursor={"newest": newest} if newest else {},
            title=f"arXiv {query}",
            interval_s=INTERVAL_S,
        )

    async def _paper(self, arxiv: str, request: FetchRequest, tools: Tools) -> FetchResult:
        page = await self._ask({"id_list": arxiv, "max_results": 1}, request, tools)
        if not page["entries"]:
            error = FetchError("not-found", f"arXiv has no paper {arxiv}")
            return FetchResult(cursor=request.cursor, error=error)
        entry = to_entry(page["entries"][0])
        return FetchResult(entries=(entry,), title=entry.title or None, interval_s=86_400.0)

    async def _category(self, categories: list[str], request: FetchRequest, tools: Tools) -> FetchResult:
        cursor, title = request.cursor, f"arXiv {' + '.join(categories)}"
        newest = cursor.get("newest")
        daily = await self._daily(categories, request, tools)
        if daily is not None and daily["not_modified"] and newest is not None:
            return FetchResult(cursor=cursor, not_modified=True, interval_s=INTERVAL_S)
        entries: dict[str, Entry] = {}
        refusals: list[Refusal] = []
        after: dict[str, JsonValue] = {"newest": newest} if newest is not None else {}
        if daily is not None:
            entries = {entry.key: entry for entry in map(to_entry, daily["entries"])}
            refusals = [to_refusal(refusal) for refusal in daily["refusals"]]
            after |= {"day": daily["day"] or cursor.get("day"), **daily["validators"]}
        if newest is None or daily is None or _missed(cursor.get("day"), daily["day"]):
            query = " OR ".join(_category_query(category) for category in categories)
            try:
                found, refused, latest = await self._search(query, request, tools)
            except HttpError as error:
                if daily is None or daily["not_modified"]:
                    raise
                # Today's papers are there. Without validators, with its old day, the next fetch tries again.
                why = _explain(error).message
                refusals.append(Refusal("papers of earlier days", f"{why}; the next fetch asks again"))
                after = {name: cursor[name] for name in ("newest", "day") if name in cursor}
            else:
                for key, entry in found.items():
                    entries[key] = _united(entries[key], entry) if key in entries else entry
                refusals += refused
                after["newest"] = latest or None
        elif (announced := day(daily["day"])) is not None and isinstance(newest, int):
            # A list holds what was submitted until the day before.
            submitted = datetime(announced.year, announced.month, announced.day, tzinfo=UTC)
            after["newest"] = max(newest, int((submitted - timedelta(days=1)).timestamp()))
        return FetchResult(
            entries=tuple(entries.values()),
            refusals=tuple(refusals),
            cursor={name: value for name, value in after.items() if value is not None},
            title=title,
            interval_s=INTERVAL_S,
            skip_days=frozenset(daily["skip_days"]) if daily else frozenset(),
        )

    async def _daily(
        self, categories: list[str], request: FetchRequest, tools: Tools
    ) -> dict[str, Any] | None:
        """The daily list; None where there is none (a mirror may have the query interface only)."""
        root = _daily_root(settings(self.name, request.options).get("base_url"))
        if root is None:
            return None
        try:
            response = await tools.http.get(
                root + "+".join(categories),
                allow_local=request.allow_local,
                validators=Validators.of(request.cursor),
                accept=ACCEPT,
            )
        except HttpError as error:
            if error.kind in ("not-found", "gone"):
                return None
            raise
        if response.not_modified:
            unchanged: dict[str, Any] = {"entries": [], "refusals": [], "skip_days": [], "validators": {}}
            return {**unchanged, "not_modified": True, "day": None}
        parsed = await tools.parsers.parse(DAILY_PARSER, response.body)
        return {**parsed, "not_modified": False, "validators": response.validators.to_cursor()}

    async def _search(
        self, query: str, request: FetchRequest, tools: Tools
    ) -> tuple[dict[str, Entry], list[Refusal], int]:
        """Pages of results, newest first, until they hold nothing new; with the latest submission."""
        newest = request.cursor.get("newest")
        newest = newest if isinstance(newest, int) else None
        entries: dict[str, Entry] = {}
        refusals: list[Refusal] = []
        total = 0
        for number in range(MAX_PAGES if newest is not None else 1):
            page = await self._page(query, number, total, request, tools)
            total = max(total, page["total"])
            refusals += [to_refusal(refusal) for refusal in page["refusals"]]
            for data in page["entries"]:
                entries.setdefault(data["key"], to_entry(data))
            done = (number + 1) * PAGE >= total or page["oldest"] is None
            if newest is None or done or page["oldest"] < newest - OVERLAP_S:
                break
            if number == MAX_PAGES - 1:
                what = f"only the newest {MAX_PAGES * PAGE} of {total} are read; ask for less at a time"
                refusals.append(Refusal("the rest of the papers", what))
        latest = max((int(e.published.timestamp()) for e in entries.values() if e.published), default=0)
        # One date that lies ahead must not keep later fetches from looking back.
        return entries, refusals, min(max(latest, newest or 0), int(datetime.now(UTC).timestamp()))

    async def _page(
        self, query: str, number: int, known_total: int, request: FetchRequest, tools: Tools
    ) -> dict[str, Any]:
        """One page of results; an empty one where there should be more is asked for again.

        Raises:
            HttpError: It cannot be fetched, or stays empty.
            ParseRefused: It is no such page.
        """
        limit = request.options.get("max_results")
        size = min(limit, PAGE) if isinstance(limit, int) and limit > 0 and not request.cursor else PAGE
        question = {
            "search_query": query,
            "sortBy": "submittedDate",
            "sortOrder": "descending",
            "start": number * PAGE,
            "max_results": size,
        }
        for _ in range(EMPTY_RETRIES + 1):
            page = await self._ask(question, request, tools)
            # The total of an empty page is no better than the page: earlier ones count.
            if page["count"] or number * PAGE >= max(page["total"], known_total):
                return page
        raise HttpError(
            "http", "arXiv answers with an empty page where there should be papers; try again later"
        )

    async def _ask(self, question: dict[str, object], request: FetchRequest, tools: Tools) -> dict[str, Any]:
        base = settings(self.name, request.options).get("base_url")
        url = f"{_query_url(base)}?{urlencode(question)}"
        response = await tools.http.get(url, allow_local=request.allow_local, accept=ACCEPT)
        return await tools.parsers.parse(PARSER, response.body)


def _categories(text: str) -> list[str]:
    """The categories of `cs.IR+cs.LG`; empty if it is anything else."""
    parts = [part.strip() for part in text.split("+")]
    found = [match for part in parts if (match := _CATEGORY.fullmatch(part)) and match.group(1) in _ARCHIVES]
    return parts if len(found) == len(parts) else []


def _category_query(category: str) -> str:
    return f"cat:{category}.*" if category in _DIVIDED else f"cat:{category}"


def _search_query(text: str) -> str:
    """What a reader typed, as the interface understands it: words are all to occur, a name is one."""
    if not _FIELD.search(text):
        return text if _OPERATOR.search(text) else " AND ".join(f"all:{word}" for word in text.split())
    field, _, value = text.partition(":")
    if " " in value and not _OPERATOR.search(text) and len(_FIELD.findall(text)) == 1:
        return f'{field}:"{value.strip()}"'
    return text


def _query_url(base: object) -> str:
    if not isinstance(base, str) or not base:
        return BASE_URL
    base = base.rstrip("/")
    return base if base.partition("://")[2].partition("/")[2] else f"{base}/api/query"


def _daily_root(base: object) -> str | None:
    if not isinstance(base, str) or not base:
        return DAILY_URL
    root = _query_url(base)
    return root.removesuffix("/api/query") + "/rss/" if root.endswith("/api/query") else None


def _missed(before: object, now: object) -> bool:
    """Whether a working day lies between two daily lists: there may have been one that nobody read."""
    first, last = day(before), day(now)
    if first is None:
        return True
    if last is None:
        return False
    between = range(1, min((last - first).days, 8))
    return any((first + timedelta(days=n)).weekday() < 5 for n in between)


def _united(announced: Entry, found: Entry) -> Entry:
    """The record of the query interface, with what only the announcement says."""
    return Entry(
        key=found.key,
        title=found.title,
        text=found.text,
        url=found.url,
        people=found.people,
        published=found.published,
        tags=found.tags,
        identifiers={**announced.identifiers, **found.identifiers},
    )


def _explain(error: HttpError) -> FetchError:
    if error.status == 406:
        return FetchError("limit", "arXiv turns requests away for the moment (406), as it does when many ask")
    return error.as_value()
