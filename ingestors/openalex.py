"""New works in OpenAlex, by words, author, journal or what they cite."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from ingestors.base import JsonValue
from ingestors.papers import DOI, ORCID, PaperService, Question, Service

PAGE = 100
_WORK = re.compile(r"(?:https?://openalex\.org/)?(W\d{4,12})", re.IGNORECASE)
_AUTHOR = re.compile(r"(?:https?://openalex\.org/)?(A\d{4,12})", re.IGNORECASE)


class OpenAlexIngestor(PaperService):
    """`openalex:words`, `openalex:author:A123`, `openalex:issn:1234-5678`, `openalex:cites:W123`."""

    name = "openalex"
    label = "OpenAlex"
    base_url = "https://api.openalex.org"
    parser = "ingestors.parsers.openalex:parse_openalex"
    schemes = ("openalex",)
    facets = frozenset({"query", "author", "issn", "cites", "work"})
    key_parameter = "api_key"
    key_page = "https://openalex.org/settings/api"
    overlap = timedelta(days=30)  # sorted by publication, and indexed weeks after it

    def work(self, text: str) -> str | None:
        """An OpenAlex id or a DOI."""
        found = _WORK.fullmatch(text)
        return found.group(1).upper() if found else super().work(text)

    async def resolve(self, service: Service, question: Question) -> Question:
        """Citations are asked for by the service's own id of the cited work."""
        if question.facet != "cites":
            return question
        if found := _WORK.fullmatch(question.value):
            return Question("cites", found.group(1).upper())
        doi = DOI.fullmatch(question.value)
        name = quote(f"doi:{doi.group(1) if doi else question.value}", safe="/:")
        parser = "ingestors.parsers.openalex:parse_openalex_id"
        return Question("cites", (await service.ask(f"/works/{name}", {"select": "id"}, parser=parser))["id"])

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """Pages by cursor with a key; without one the service only counts them."""
        if question.facet == "work":
            name = question.value if _WORK.fullmatch(question.value) else f"doi:{question.value}"
            return await service.ask(f"/works/{quote(name, safe='/:')}", {})
        filters = [_filter(question), *([f"from_publication_date:{since}"] if since else [])]
        paging = {"cursor": position or "*"} if service.has_key else {"page": position or 1}
        params = {"filter": ",".join(filters), "sort": "publication_date:desc", "per_page": PAGE}
        return await service.ask("/works", {**params, **paging})


def _filter(question: Question) -> str:
    value = question.value.replace(",", " ")  # which would begin another filter
    match question.facet:
        case "author" if ORCID.fullmatch(value):
            return f"authorships.author.orcid:{value}"
        case "author" if found := _AUTHOR.fullmatch(value):
            return f"authorships.author.id:{found.group(1).upper()}"
        case "author":
            return f"raw_author_name.search:{value}"
        case "issn":
            return f"primary_location.source.issn:{value}"
        case "cites":
            return f"cites:{value}"
        case _:
            return f"title_and_abstract.search:{value}"
