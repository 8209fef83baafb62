"""New papers in Semantic Scholar, by words, author or what they cite."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from ingestors.base import Entry, JsonValue
from ingestors.papers import ARXIV_ID, DOI, PaperService, Question, Service

PAGE = 100
_FIELDS = "title,abstract,authors,externalIds,publicationDate,year,url,venue,journal,fieldsOfStudy"
_OWN_ID = re.compile(r"[0-9a-f]{40}|CorpusId:\d{1,12}|PMID:\d{1,9}", re.IGNORECASE)


class SemanticScholarIngestor(PaperService):
    """`s2:words`, `s2:author:1741101`, `s2:cites:10.1234/x`, `s2:arxiv:2401.01234`."""

    name = "semanticscholar"
    label = "Semantic Scholar"
    base_url = "https://api.semanticscholar.org/graph/v1"
    parser = "ingestors.parsers.semanticscholar:parse_semantic_scholar"
    schemes = ("s2", "semanticscholar")
    facets = frozenset({"query", "author", "cites", "work"})
    key_header = "x-api-key"
    key_page = "https://www.semanticscholar.org/product/api#api-key"
    overlap = timedelta(days=45)  # sorted by publication, and read weeks after it

    def question(self, text: str) -> Question | None:
        """Authors are numbers here, and cited works must have a name that the service knows."""
        question = super().question(text)
        if question is None or question.facet not in ("author", "cites"):
            return question
        if question.facet == "author":
            return question if re.fullmatch(r"\d{1,12}", question.value) else None
        return question if self.work(question.value) else None

    def work(self, text: str) -> str | None:
        """An id of the service, a DOI or an arXiv id, as the service writes it."""
        if _OWN_ID.fullmatch(text):
            return text
        if found := DOI.fullmatch(text):
            return f"DOI:{found.group(1).lower()}"
        found = ARXIV_ID.fullmatch(text)
        return f"ARXIV:{found.group(1)}" if found else None

    def whole(self, question: Question) -> bool:
        """Papers of an author and citations come in no order."""
        return question.facet in ("author", "cites")

    def wanted(self, question: Question, since: str | None, entries: list[Entry]) -> list[Entry]:
        """Of lists without an order the papers since that day; at first the newest hundred."""
        if not self.whole(question):
            return entries
        dated = [(entry.published.date().isoformat(), entry) for entry in entries if entry.published]
        if since is not None:
            return [entry for published, entry in dated if published >= since]
        newest = sorted(dated, key=lambda pair: pair[0], reverse=True)[:PAGE]
        return [entry for _, entry in newest]

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """Lists by offset, searches by token."""
        if question.facet == "work":
            name = self.work(question.value) or question.value
            return await service.ask(f"/paper/{quote(name, safe='/:')}", {"fields": _FIELDS})
        if question.facet == "query":
            params = {"query": question.value, "sort": "publicationDate:desc", "fields": _FIELDS}
            params |= {"publicationDateOrYear": f"{since}:"} if since else {}
            params |= {"token": position} if isinstance(position, str) else {}
            return await service.ask("/paper/search/bulk", params)
        if question.facet == "author":
            path = f"/author/{question.value}/papers"
        else:
            path = f"/paper/{quote(self.work(question.value) or '', safe='/:')}/citations"
        offset = position if isinstance(position, int) else 0
        return await service.ask(path, {"fields": _FIELDS, "limit": PAGE * 5, "offset": offset})
