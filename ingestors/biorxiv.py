"""New preprints of bioRxiv and medRxiv, all or of one subject.

The service cannot be searched: words and authors are for Europe PMC, which has both servers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ingestors.base import JsonValue
from ingestors.papers import PaperService, Question, Service, days_ago

FIRST_DAYS = 3
EVERYTHING = "all"


class BiorxivIngestor(PaperService):
    """`biorxiv:neuroscience`, `biorxiv:all`, `biorxiv:10.1101/2024.01.15.123456`."""

    name = "biorxiv"
    label = "bioRxiv"
    base_url = "https://api.biorxiv.org"
    parser = "ingestors.parsers.biorxiv:parse_biorxiv"
    schemes = ("biorxiv",)
    facets = frozenset({"category", "work"})
    overlap = timedelta(days=2)
    max_pages = 60  # a day has 200 preprints, a page 30 or 100

    def question(self, text: str) -> Question | None:
        """A subject, as it is written on the site, or a DOI."""
        question = super().question(text)
        if question is not None and question.facet == "work":
            return question
        subject = " ".join(text.lower().replace("_", " ").split())
        words = subject.replace(",", " ").replace("-", " ").split()
        if not words or len(words) > 8 or not all(word.isalpha() and word.isascii() for word in words):
            return None
        return Question("category", subject)

    def whole(self, question: Question) -> bool:
        """Preprints come oldest first."""
        return True

    async def page(
        self, service: Service, question: Question, since: str | None, position: JsonValue
    ) -> dict[str, Any]:
        """By day of posting."""
        if question.facet == "work":
            return await service.ask(f"/details/{self.name}/{quote(question.value, safe='/')}/na/json", {})
        start = position if isinstance(position, int) else 0
        subject = "" if question.value == EVERYTHING else question.value
        until = datetime.now(UTC).date().isoformat()
        path = f"/details/{self.name}/{since or days_ago(FIRST_DAYS)}/{until}/{start}/json"
        params = {"category": subject.replace(" ", "_")} if subject else {}
        return await service.ask(path, params, start=start, category=subject)


class MedrxivIngestor(BiorxivIngestor):
    """`medrxiv:epidemiology`, `medrxiv:all`, `medrxiv:10.1101/2024.01.15.24301234`."""

    name = "medrxiv"
    label = "medRxiv"
    schemes = ("medrxiv",)
