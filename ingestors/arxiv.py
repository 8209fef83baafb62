"""New papers of an arXiv category or query, from the query interface.

Cursor: `newest`, the latest submission seen, in seconds since 1970.
Options: `base_url` of the interface, `max_results` of a first fetch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ingestors.base import Claim, Entry, FetchError, FetchRequest, FetchResult, Kind, Refusal
from ingestors.http import HttpError
from ingestors.sandbox import ParseRefused
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.papers:parse_arxiv"
BASE_URL = "https://export.arxiv.org/api/query"
PAGE = 200
MAX_PAGES = 5
EMPTY_RETRIES = 2
"""The service now and then answers an empty page in the middle of a result; asking again helps."""
OVERLAP_S = 3 * 86_400
"""Papers are announced out of the order of their submission, over weekends by days."""
INTERVAL_S = 6 * 3_600.0
"""The index changes once a day."""

_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Z][A-Za-z-]+|\.[a-z]+(?:-[a-z]+)*)?")


class ArxivIngestor:
    """Reads one category or query per source: `arxiv:cs.IR`, `arxiv:cat:cs.IR AND all:attention`."""

    name = "arxiv"
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """Whatever begins with `arxiv:`."""
        scheme, colon, query = target.strip().partition(":")
        query = " ".join(query.split())
        if scheme.lower() != "arxiv" or not colon or not query:
            return None
        return Claim(self.name, self.kind, f"arxiv:{query}", f"arXiv {query}")

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads pages, newest first, until they hold nothing new."""
        query = request.target.partition(":")[2]
        if _CATEGORY.fullmatch(query):
            query = f"cat:{query}"
        newest = request.cursor.get("newest")
        newest = newest if isinstance(newest, int) else None
        entries: dict[str, Entry] = {}
        refusals: list[Refusal] = []
        for number in range(MAX_PAGES if newest is not None else 1):
            try:
                page = await self._page(query, number, request, tools)
            except HttpError as error:
                return FetchResult(
                    cursor=request.cursor, error=error.as_value(), retry_after_s=error.retry_after_s
                )
            except ParseRefused as refused:
                error_value = FetchError("parse", f"the answer was refused: {refused.reason}")
                return FetchResult(cursor=request.cursor, error=error_value)
            refusals += [to_refusal(refusal) for refusal in page["refusals"]]
            for data in page["entries"]:
                entries.setdefault(data["key"], to_entry(data))
            done = (number + 1) * PAGE >= page["total"] or page["oldest"] is None
            if newest is None or done or page["oldest"] < newest - OVERLAP_S:
                break
        latest = max((int(e.published.timestamp()) for e in entries.values() if e.published), default=0)
        return FetchResult(
            entries=tuple(entries.values()),
            refusals=tuple(refusals),
            cursor={"newest": max(latest, newest or 0)} if latest or newest else {},
            title=f"arXiv {request.target.partition(':')[2]}",
            interval_s=INTERVAL_S,
        )

    async def _page(self, query: str, number: int, request: FetchRequest, tools: Tools) -> dict[str, Any]:
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
        base = request.options.get("base_url") or BASE_URL
        for _ in range(EMPTY_RETRIES + 1):
            response = await tools.http.get(
                f"{base}?{urlencode(question)}",
                allow_local=request.allow_local,
                accept="application/atom+xml, application/xml;q=0.9",
            )
            page = await tools.parsers.parse(PARSER, response.body)
            if page["count"] or number * PAGE >= page["total"]:
                return page
        raise HttpError(
            "http", "arXiv answers with an empty page where there should be papers; try again later"
        )
