from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ingestors.base import Tools
from ingestors.http import HttpClient
from ingestors.sandbox import ParserPool

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `loopback`, which all areas share

from loopback import LoopbackServer


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
async def parsers() -> AsyncIterator[ParserPool]:
    pool = ParserPool(cpu_s=1, wall_s=8)
    yield pool
    await pool.aclose()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(deadline_s=5)
    yield client
    await client.aclose()


@pytest.fixture
async def tools(http: HttpClient, parsers: ParserPool) -> Tools:
    return Tools(http, parsers)
