"""How services and hosts want to be asked: how often, and how many requests at a time.

Owns what each of them has published, and the state of those that are being asked. Sends nothing.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestors.http import HttpError


@dataclass(frozen=True, slots=True)
class Pace:
    """How one service, or one host, wants to be asked."""

    lane: str
    """Requests of one lane share its limits, whatever host they go to."""
    spacing_s: float
    concurrency: int


# arXiv: all interfaces together one connection, one request every three seconds. NCBI: three requests a
# second without a key. Semantic Scholar: one a second with a key. One connection and one request a second is
# below what any of the others asks for.
_SERVICES = {
    "arxiv.org": Pace("arxiv.org", 3.0, 1),
    "ncbi.nlm.nih.gov": Pace("ncbi.nlm.nih.gov", 0.4, 1),
    "api.semanticscholar.org": Pace("api.semanticscholar.org", 1.1, 1),
    "api.crossref.org": Pace("api.crossref.org", 1.0, 1),
    "api.openalex.org": Pace("api.openalex.org", 0.5, 1),
    "www.ebi.ac.uk": Pace("www.ebi.ac.uk", 1.0, 1),
    "api.biorxiv.org": Pace("api.biorxiv.org", 1.0, 1),
    "api.zotero.org": Pace("api.zotero.org", 1.0, 1),
}
_SPAN = re.compile(r"(\d{1,5})s")
_MOST_TOLD_S = 60.0
_HOST_SPACING_S = 1.0
"""Between two requests to one public host, and by chance up to as much again: whoever has two hundred feeds
on one host does not ask for them like a clock."""
_HOST_CONCURRENCY = 2


class Lane:
    """The running state of a pace. Times are those of the event loop."""

    def __init__(self, pace: Pace) -> None:
        self.name = pace.lane
        self.slots = asyncio.Semaphore(pace.concurrency)
        self.alone = pace.concurrency == 1
        """Whether a request starts only after the one before has ended."""
        self.order = asyncio.Lock()
        """Held by whoever is next."""
        self.next_start = 0.0
        self.silence: list[HttpError] = []
        """Why the last requests, one after another, brought no answer."""
        self._pace = pace
        self._told_s = 0.0

    def spacing_s(self) -> float:
        """Seconds until the next request may start."""
        spread_s = 0.0 if self._pace.lane in _SERVICES else _HOST_SPACING_S
        spacing_s = max(self._pace.spacing_s, self._told_s)
        return spacing_s + spread_s * random.random()  # noqa: S311  manners, not secrets

    def heed(self, headers: Mapping[str, str]) -> None:
        """Takes note of how many requests in what time the host allows; Crossref says so with each answer."""
        limit = headers.get("x-rate-limit-limit", "").strip()
        span = _SPAN.fullmatch(headers.get("x-rate-limit-interval", "").strip())
        if span and limit.isascii() and limit.isdigit() and len(limit) < 7 and int(limit):
            self._told_s = min(int(span.group(1)) / int(limit), _MOST_TOLD_S)


def pace_of(host: str, port: int) -> Pace:
    """The pace of the service that a host belongs to, else that of any public host."""
    for domain, pace in _SERVICES.items():
        if host == domain or host.endswith("." + domain):
            return pace
    return Pace(f"{host}:{port}", _HOST_SPACING_S, _HOST_CONCURRENCY)
