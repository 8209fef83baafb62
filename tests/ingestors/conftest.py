from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from imap_fetch import PASSWORD
from pytest_asyncio import is_async_test

from ingestors.base import Tools
from ingestors.http import HttpClient
from ingestors.sandbox import ParserPool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parsers() -> AsyncIterator[ParserPool]:
    pool = ParserPool(cpu_s=1, wall_s=60)
    yield pool
    await pool.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def tools(parsers: ParserPool) -> AsyncIterator[Tools]:
    """A client for each test: a port that is given out again must not inherit what another has asked."""
    client = HttpClient(deadline_s=5)
    yield Tools(client, parsers)
    await client.aclose()


@pytest.fixture
def impatient_imap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of the scripted server is at hand, and nobody waits long for it."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    monkeypatch.setattr("ingestors.imap_reading.PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr("ingestors.imap_wire.SILENCE_S", 1.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share children share the event loop that these belong to."""
    shared = pytest.mark.asyncio(loop_scope="module")
    for item in items:
        if (
            item.path.parent == Path(__file__).parent
            and is_async_test(item)
            and "parsers" in item.fixturenames
        ):
            item.add_marker(shared, append=False)
