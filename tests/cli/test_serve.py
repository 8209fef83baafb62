"""The interface in a browser: for the reader on this machine, and for nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from world import NOW, stored_items

from triage.paths import Paths
from triage.services.ranker.worker_client import ModelWorker
from triage.store.engine import Database

aiohttp = pytest.importorskip("aiohttp", reason="the extra `serve` is not installed")
pytest.importorskip("textual_serve", reason="the extra `serve` is not installed")


@pytest.fixture
def address(paths: Paths, database: Database, worker: ModelWorker) -> Iterator[str]:
    """Of a running server, with its key."""
    stored_items(database)
    worker.build(NOW)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "serve", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"TRIAGE_NOW": NOW.isoformat()},
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    process.stdout.close()


def test_a_browser_with_the_key_sees_the_digest_and_nobody_else_sees_anything(address: str) -> None:
    async def visit() -> None:
        base, _, _ = address.partition("/?key=")
        port = int(base.rpartition(":")[2])
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            for url, headers in (
                (base, {}),
                (f"{base}/?key=wrong", {}),
                (f"{base}/ws", {}),
                (address, {"Host": f"evil.example:{port}"}),
                (address, {"Origin": "https://evil.example"}),
            ):
                async with browser.get(url, headers=headers) as answer:
                    assert answer.status == 403, url
            async with browser.get(address) as page:
                assert page.status == 200
                assert "triage" in await page.text()
                allowed = page.headers["Content-Security-Policy"].replace(f"ws://127.0.0.1:{port}", "'self'")
                assert "default-src 'none'" in allowed
                assert "//" not in allowed, "nothing is loaded from another host"
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await browser.ws_connect(f"{base}/ws", origin="https://evil.example")
            async with browser.ws_connect(f"{base}/ws?width=80&height=24", origin=base) as screen:
                seen = b""
                async with asyncio.timeout(30):
                    while b"for you" not in seen.lower():
                        message = await screen.receive()
                        if message.type is aiohttp.WSMsgType.TEXT:
                            seen += message.data.encode()
                        elif message.type is aiohttp.WSMsgType.BINARY:
                            seen += message.data
                        else:
                            pytest.fail(f"the screen was closed: {seen!r}")

    asyncio.run(visit())


def test_only_this_machine_is_listened_to(address: str) -> None:
    host, _, rest = address.removeprefix("http://").partition(":")
    assert host == "127.0.0.1"
    port = int(rest.partition("/")[0])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for other in others - {"127.0.0.1"}:
        with socket.socket() as caller:
            caller.settimeout(2)
            assert caller.connect_ex((str(other), port)) != 0
