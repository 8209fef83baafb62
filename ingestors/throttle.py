"""Rate limits of services and hosts: how often each may be asked, and with how many requests at a time.

Owns the limits that services have published, and a throttle for each host that is being asked. Sends nothing.
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
class RateLimit:
    """How often one service, or one host, may be asked."""

    name: str
    """Requests under one name share the limit: the domain of a service, whatever host of it they go to."""
    spacing_s: float
    concurrency: int = 1
    jitter_s: float = 0.0
    """By chance, up to so much is added to the spacing."""


# arXiv: all interfaces together one connection, one request every three seconds. NCBI: three requests a
# second without a key. Semantic Scholar: one a second with a key. One connection and one request a second is
# below what any of the others asks for.
_SERVICES = (
    RateLimit("arxiv.org", 3.0),
    RateLimit("ncbi.nlm.nih.gov", 0.4),
    RateLimit("api.semanticscholar.org", 1.1),
    RateLimit("api.crossref.org", 1.0),
    RateLimit("api.openalex.org", 0.5),
    RateLimit("www.ebi.ac.uk", 1.0),
    RateLimit("api.biorxiv.org", 1.0),
    RateLimit("api.zotero.org", 1.0),
)
_SPAN = re.compile(r"(\d{1,5})s")
_MAX_ANNOUNCED_S = 60.0
_HOST_SPACING_S = 1.0
"""Between two requests to one public host, and by chance up to as much again: whoever has two hundred feeds
on one host does not ask for them like a clock."""
_HOST_CONCURRENCY = 2


class Throttle:
    """Holds the requests to one service or host to its rate limit. Times are those of the event loop."""

    def __init__(self, limit: RateLimit) -> None:
        self.name = limit.name
        self.slots = asyncio.Semaphore(limit.concurrency)
        self.serial = limit.concurrency == 1
        """Whether a request starts only after the one before has ended."""
        self.order = asyncio.Lock()
        """Held by whoever is next."""
        self.next_start = 0.0
        self.unanswered: list[HttpError] = []
        """The errors of the last requests in a row that brought no answer."""
        self._limit = limit
        self._announced_s = 0.0

    def spacing_s(self) -> float:
        """Seconds until the next request may start."""
        spacing_s = max(self._limit.spacing_s, self._announced_s)
        return spacing_s + self._limit.jitter_s * random.random()  # noqa: S311  manners, not secrets

    def note_limit(self, headers: Mapping[str, str]) -> None:
        """Takes over the limit that an answer announces in its headers, as all of Crossref do."""
        allowed = headers.get("x-rate-limit-limit", "").strip()
        span = _SPAN.fullmatch(headers.get("x-rate-limit-interval", "").strip())
        if span and allowed.isascii() and allowed.isdigit() and len(allowed) < 7 and int(allowed):
            self._announced_s = min(int(span.group(1)) / int(allowed), _MAX_ANNOUNCED_S)


def rate_limit(host: str, port: int) -> RateLimit:
    """The limit of the service that a host belongs to, else that of any public host."""
    for limit in _SERVICES:
        if host == limit.name or host.endswith("." + limit.name):
            return limit
    return RateLimit(f"{host}:{port}", _HOST_SPACING_S, _HOST_CONCURRENCY, jitter_s=_HOST_SPACING_S)
