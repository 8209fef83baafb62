"""New articles and preprints in Europe PMC, by any query of its own language, author, journal or citation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ingestors.base import JsonValue
from ingestors.papers import ORCID, PaperService, Question, Service

PAGE = 100


class EuropePmcIngestor(PaperService):
    """`europepmc:words`, `europepmc:author:Lovelace A`, `europepmc:issn:…`, `europepmc:cites:12345678`."""

    name = "europepmc"
    label = "Europe PMC"
    base_url = "https://www.ebi.ac.uk/europepmc/webservices/rest"
    parser = "ingestors.parsers.europepmc:parse_europe_pmc"
    schemes = ("europepmc", "epmc")
    facets = frozenset({"query", "author", "issn", "cites", "work"})
    contact_parameter = "email"
    overlap = timedelta(days=3)  # by the day of indexing

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """By day of indexing, whatever the day of publication."""
        query = _query(question)
        if since and question.facet != "work":
            query = f"({query}) AND (FIRST_IDATE:[{since} TO 3000-01-01])"
        params = {
            "query": query,
            "format": "json",
            "resultType": "core",
            "pageSize": PAGE,
            "cursorMark": position or "*",
            "sort": "FIRST_IDATE_D desc",
        }
        return await service.ask("/search", params)


def _query(question: Question) -> str:
    value = question.value.replace('"', " ").strip()
    match question.facet:
        case "author":
            return f'{"AUTHORID" if ORCID.fullmatch(value) else "AUTH"}:"{value}"'
        case "issn":
            return f'ISSN:"{value}"'
        case "cites":
            return f'CITES:"{value}"' if "_" in value else f'CITES:"{value}_MED"'
        case "work":
            return f'DOI:"{value}"'
        case _:
            return question.value
