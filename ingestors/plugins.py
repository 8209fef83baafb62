"""Ingestors of other distributions, held to their word: what one does wrong is an error of its own sources.

A plug-in is code of a stranger in our process. This keeps its mistakes apart from everything else; it is no
protection against malice.
"""

from __future__ import annotations

import asyncio
import logging
from typing import get_args

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, Ingestor, Kind, Tools
from ingestors.contract import broken_promise

log = logging.getLogger(__name__)

LONGEST_S = 300
"""Seconds after which a fetch is given up: whoever needs longer answers in portions."""


class Guarded:
    """A plug-in, whose claims and results are checked and whose exceptions end here."""

    def __init__(self, inner: Ingestor) -> None:
        self._inner = inner
        self.name = inner.name
        self.kind = inner.kind

    def claim(self, target: str) -> Claim | None:
        """See `Ingestor`; a claim that fails or makes no sense is none."""
        try:
            claim = self._inner.claim(target)
        except Exception:
            log.exception("the plug-in %s failed at a claim", self.name)
            return None
        if claim is None:
            return None
        if not isinstance(claim, Claim) or (claim.ingestor, claim.kind) != (self.name, self.kind):
            log.error("the plug-in %s claims in another's name", self.name)
            return None
        return claim

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """See `Ingestor`; never raises but for cancellation."""
        try:
            async with asyncio.timeout(LONGEST_S):
                result = await self._inner.fetch(request, tools)
        except TimeoutError:
            return self._failed(request, f"did not end within {LONGEST_S} s")
        except Exception as error:
            log.exception("the plug-in %s failed at a fetch", self.name)
            return self._failed(request, f"failed ({type(error).__name__}); the log has the details")
        if (promise := broken_promise(request, result)) is not None:
            return self._failed(request, f"broke a promise: {promise}")
        return result

    def _failed(self, request: FetchRequest, what: str) -> FetchResult:
        return FetchResult(
            cursor=request.cursor, error=FetchError("parse", f"the plug-in {self.name} {what}")
        )


class Broken:
    """Stands for a plug-in that cannot be loaded, so that its sources say why."""

    kind: Kind = "feed"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason

    def claim(self, target: str) -> Claim | None:
        """Claims nothing."""
        return None

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """The reason."""
        return FetchResult(cursor=request.cursor, error=FetchError("usage", self.reason))


def flaw(ingestor: object, name: str) -> str | None:
    """What keeps an object from being the ingestor that is registered under `name`; None if nothing does."""
    if not (callable(getattr(ingestor, "claim", None)) and callable(getattr(ingestor, "fetch", None))):
        return "it has no claim and fetch"
    if getattr(ingestor, "name", None) != name:
        return f"it calls itself {getattr(ingestor, 'name', None)!r}"
    if getattr(ingestor, "kind", None) not in get_args(Kind):
        return f"its kind is none of {', '.join(get_args(Kind))}"
    return None
