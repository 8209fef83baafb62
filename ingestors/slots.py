"""A limit on how many requests run at once, which servers that hang cannot use up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PATIENCE_S = 3.0
"""Seconds after which a request that still waits for its server gives its slot to the next one."""


class Slots:
    """A semaphore whose holders lose their slot after `PATIENCE_S`, though they go on.

    Sixteen servers that never answer would otherwise hold up a thousand that do, for a whole deadline each.
    What waits costs next to nothing, so the excess is bounded by how many servers hang.
    """

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot and holds it, for a while at least."""
        await self._free.acquire()
        held = True

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                self._free.release()

        patience = asyncio.get_running_loop().call_later(PATIENCE_S, give_back)
        try:
            yield
        finally:
            patience.cancel()
            give_back()
