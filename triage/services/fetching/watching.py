"""Waiting for news that servers tell by themselves, such as a mail server by IDLE.

Owns one wait for each source that can be waited for, and when a lost one begins again. News only make the
source due: a round fetches it, under the rules of all others. Fetches nothing itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from ingestors import registry
from ingestors.base import FetchRequest, Watchable
from triage.config import Clock, Config
from triage.core.text import sanitize_line
from triage.services.fetching.ingest import request_options
from triage.store import sources
from triage.store.engine import Database
from triage.store.sources import SourceRow

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often it is looked for sources that came, changed or went."""
SETTLE_S = 30.0
"""After news, until the next wait: a round looks for what is due as often as that."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 900.0
"""Before a lost connection is made again; doubled each time."""
GIVEN_UP_S = 86_400.0
"""For what only the reader can mend, or the server does not do at all, a day is soon enough."""
MAX_WAITS = 20
"""Connections held open at once; other sources are polled as always."""


class Watching:
    """The waits of one process; ends with its `run`."""

    def __init__(self, database: Database, config: Config, clock: Clock) -> None:
        self._database = database
        self._config = config
        self._clock = clock
        self._waits: dict[int, asyncio.Task[None]] = {}
        self._given_up: dict[int, float] = {}

    async def run(self) -> None:
        """Keeps one wait for each source that can be waited for, until it is cancelled."""
        try:
            while True:
                wanted = await asyncio.to_thread(self._wanted)
                for source_id, wait in list(self._waits.items()):
                    if source_id not in wanted:
                        wait.cancel()
                    if wait.done():
                        del self._waits[source_id]
                for source_id in wanted:
                    if source_id not in self._waits and len(self._waits) < MAX_WAITS:
                        self._waits[source_id] = asyncio.create_task(self._wait(source_id))
                await asyncio.sleep(LOOK_S)
        finally:
            for wait in self._waits.values():
                wait.cancel()
            await asyncio.gather(*self._waits.values(), return_exceptions=True)

    async def _wait(self, source_id: int) -> None:
        """Waits for news of one source again and again; returns where that is of no use."""
        pause_s = FIRST_PAUSE_S
        while True:
            source = (await asyncio.to_thread(self._wanted)).get(source_id)
            if source is None:
                return
            ingestor = registry.get(source.ingestor)
            assert isinstance(ingestor, Watchable)
            request = FetchRequest(
                target=source.target,
                cursor=source.cursor,
                allow_local=source.allow_local,
                options=request_options(source.ingestor, source.options, self._config),
            )
            try:
                error = await ingestor.watch(request)
            except Exception:
                # An ingestor is a plug-in: its bug costs the pushing, not the polling.
                log.exception("source %d: the ingestor %s failed while waiting", source_id, source.ingestor)
                self._given_up[source_id] = time.monotonic() + GIVEN_UP_S
                return
            if error is None:
                await asyncio.to_thread(self._have_due, source_id)
                pause_s = FIRST_PAUSE_S
                await asyncio.sleep(SETTLE_S)
            elif error.kind in ("network", "timeout"):
                await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311  to spread, not to hide
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                log.info("source %d is polled only: %s", source_id, sanitize_line(error.message, 200))
                self._given_up[source_id] = time.monotonic() + GIVEN_UP_S
                return

    def _wanted(self) -> dict[int, SourceRow]:
        """Sources that can be waited for, by id. One that was never fetched has no place to go on from."""
        with self._database.read() as connection:
            active = sources.active(connection)
        now = time.monotonic()
        return {
            source.id: source
            for source in active
            if source.paused is None
            and source.succeeded_at is not None
            and not source.failures
            and self._given_up.get(source.id, 0.0) <= now
            and isinstance(registry.get(source.ingestor), Watchable)
        }

    def _have_due(self, source_id: int) -> None:
        with self._database.write() as connection:
            sources.have_due(connection, source_id, self._clock())
