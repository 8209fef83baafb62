"""New works in Crossref, by words, author or journal, and single works by their DOI."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from ingestors.base import JsonValue
from ingestors.papers import ORCID, PaperService, Question, Service, days_ago

PAGE = 100
FIRST_DAYS = 30
"""How far back the first fetch of words goes."""
_FIELDS = (
    "DOI,title,subtitle,abstract,author,published,published-online,published-print,posted,issued,created,"
    "URL,subject,container-title"
)


class CrossrefIngestor(PaperService):
    """`crossref:words`, `crossref:author:ORCID`, `crossref:issn:1234-5678`, `crossref:10.1234/x`."""

    name = "crossref"
    label = "Crossref"
    base_url = "https://api.crossref.org"
    parser = "ingestors.parsers.crossref:parse_crossref"
    schemes = ("crossref",)
    facets = frozenset({"query", "author", "issn", "work"})
    contact_parameter = "mailto"
    # Sorted by the registration of the DOI, so nothing comes late but what the index takes in late.
    overlap = timedelta(days=3)

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """By date of registration; words match loosely, so of those the best hundred of the time are read."""
        if question.facet == "work":
            return await service.ask(f"/works/{quote(question.value, safe='/')}", {})
        start = position if isinstance(position, int) else 0
        loose = question.facet == "query" or (
            question.facet == "author" and not ORCID.fullmatch(question.value)
        )
        if loose and since is None:
            since = days_ago(FIRST_DAYS)
        filters = [f"from-created-date:{since}"] if since else []
        params: dict[str, object] = {"rows": PAGE, "offset": start, "select": _FIELDS}
        if loose:
            words = "query.bibliographic" if question.facet == "query" else "query.author"
            params |= {words: question.value, "sort": "score", "order": "desc"}
        else:
            name = "orcid" if question.facet == "author" else "issn"
            filters.append(f"{name}:{question.value}")
            params |= {"sort": "created", "order": "desc"}
        page = await service.ask("/works", {**params, "filter": ",".join(filters)}, start=start)
        return {**page, "next": None} if loose else page
