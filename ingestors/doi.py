"""One work by its DOI: from Crossref, or from OpenAlex, which knows what other agencies have registered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ingestors.base import Claim, FetchRequest, FetchResult, Kind
from ingestors.crossref import CrossrefIngestor
from ingestors.openalex import OpenAlexIngestor
from ingestors.papers import DOI

if TYPE_CHECKING:
    from ingestors.base import Tools

INTERVAL = timedelta(days=7)


class DoiIngestor:
    """`doi:10.1234/x`, `10.1234/x`, `https://doi.org/10.1234/x`."""

    name = "doi"
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """A DOI in any of its written forms."""
        found = DOI.fullmatch(target.strip())
        if found is None or len(target) > 300 or not target.isprintable():
            return None
        doi = found.group(1).lower()
        return Claim(self.name, self.kind, f"doi:{doi}", f"doi:{doi}")

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Asks the one service, then the other if the first does not know it."""
        result = await self._ask(CrossrefIngestor(), request, tools)
        if result.error is not None and result.error.kind == "not-found":
            other = await self._ask(OpenAlexIngestor(), request, tools)
            result = result if other.error is not None and other.error.kind == "not-found" else other
        if result.error is not None:
            return result
        title = result.entries[0].title if result.entries else None
        return FetchResult(
            entries=result.entries,
            refusals=result.refusals,
            title=title or None,
            interval_s=INTERVAL.total_seconds(),
        )

    async def _ask(
        self, service: CrossrefIngestor | OpenAlexIngestor, request: FetchRequest, tools: Tools
    ) -> FetchResult:
        asked = FetchRequest(
            target=f"{service.schemes[0]}:{request.target.partition(':')[2]}",
            cursor=request.cursor,
            allow_local=request.allow_local,
            options={k: v for k, v in request.options.items() if k in ("contact", "services")},
        )
        return await service.fetch(asked, tools)
