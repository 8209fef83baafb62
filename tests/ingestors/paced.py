"""When requests are sent, by a clock that passes only as fast as somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ingestors.http import HttpClient
from ingestors.transport import Hop


async def times_sent(
    monkeypatch: pytest.MonkeyPatch, urls: Sequence[str], headers: Mapping[str, str]
) -> list[float]:
    """When each of some requests is sent, by a clock that passes when somebody sleeps; one at a time."""
    loop = asyncio.get_running_loop()
    real_time, real_sleep = loop.time, asyncio.sleep
    skipped = 0.0
    starts: list[float] = []
    running = 0

    async def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += max(seconds, 0.0)
        await real_sleep(0)

    class Wire:
        async def get(self, *_: Any, **__: Any) -> Hop:
            nonlocal running
            assert running == 0, "one connection"
            running += 1
            starts.append(loop.time())
            await real_sleep(0)
            running -= 1
            return Hop(200, headers, b"x")

        async def aclose(self) -> None:
            pass

    monkeypatch.setattr(loop, "time", lambda: real_time() + skipped)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    client = HttpClient()
    monkeypatch.setattr(client, "_open", Wire)
    await asyncio.gather(*map(client.get, urls))
    return starts
