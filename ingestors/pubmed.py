"""New articles in PubMed, by any query of its own language, author or journal."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from ingestors.base import JsonValue
from ingestors.papers import ORCID, PaperService, Question, Service

PAGE = 100
_PMID = re.compile(r"\d{1,9}")


class PubMedIngestor(PaperService):
    """`pubmed:attention[ti] AND sleep`, `pubmed:author:Lovelace A`, `pubmed:issn:…`, `pubmed:12345678`."""

    name = "pubmed"
    label = "PubMed"
    base_url = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    parser = "ingestors.parsers.pubmed:parse_pubmed"
    schemes = ("pubmed", "pmid")
    facets = frozenset({"query", "author", "issn", "work"})
    parameters = {"tool": "triage", "db": "pubmed"}  # noqa: RUF012  never changed
    key_parameter = "api_key"
    contact_parameter = "email"
    overlap = timedelta(days=3)  # by the day a record came in, which is a day of the United States' East

    def work(self, text: str) -> str | None:
        """A PubMed id."""
        return text if _PMID.fullmatch(text) else None

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """A page is two requests: which articles there are, and what is in them."""
        start = position if isinstance(position, int) else 0
        if question.facet == "work":
            ids, total = [question.value], 1
        else:
            params = {"term": _term(question), "retmode": "json", "retmax": PAGE, "retstart": start}
            if since:
                params |= {"datetype": "edat", "mindate": since.replace("-", "/"), "maxdate": "3000"}
            parser = "ingestors.parsers.pubmed:parse_pubmed_ids"
            found = await service.ask("/esearch.fcgi", params, parser=parser)
            ids, total = found["ids"], found["total"]
        if not ids:
            return {"entries": [], "refusals": [], "count": 0, "total": total, "next": None}
        page = await service.ask("/efetch.fcgi", {"id": ",".join(ids), "retmode": "xml"})
        end = start + len(ids)
        return {**page, "count": len(ids), "total": total, "next": end if end < total else None}


def _term(question: Question) -> str:
    if question.facet == "author":
        return f"{question.value}[{'auid' if ORCID.fullmatch(question.value) else 'au'}]"
    return f'"{question.value}"[ta]' if question.facet == "issn" else question.value
