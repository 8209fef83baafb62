"""How long one hostile source holds up 499 others: each kind of hostility beside the same round without it.

    python benchmarks/hostile.py [--feeds 499] [--only KIND ...]

A round of the program (`triage.services.fetching.ingest.sync`) gets, parses and stores feeds of ten entries
from a server on the loopback interface, in another process; among them, first in line, one source that is

silent      takes the connection and never answers
dripping    sends a byte of its body every second
headers     sends header lines without an end
gigabyte    sends a gigabyte of spaces
bomb        sends a gigabyte of zeros, packed into a megabyte
crumbs      sends 10 MB in chunks of one byte
hints       announces an answer (103) for ever
redirects   sends to itself for ever
busy        answers 429 without saying for how long
parser      40,000 attributes on one element, which cost parsers the square of it
entities    30,000 entities in a chain, of which parsers die
names       is on a host whose name server does not answer for half a minute (a stand-in for the resolver)

Printed are the seconds by the clock from the start of the round to the moment at which half of the others,
99 in 100 and all of them were stored; how much later all were than without the hostile one; and what was said
of it. Rounds take turns with rounds without it. The round itself ends when the hostile one has been given up.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from triage.config import Config
from triage.paths import Paths
from triage.services.fetching import ingest, sources
from triage.services.fetching.writing import SourceReport
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

MB = 2**20
HANGS = "hangs.example"
HANGS_S = 30


def rss(inside: str, before: str = "", attributes: str = "") -> bytes:
    """A feed."""
    return (
        f'{before}<rss version="2.0"{attributes}><channel><title>t</title>{inside}</channel></rss>'.encode()
    )


def entities() -> str:
    """A chain of them."""
    declared = "".join(f"<!ENTITY a{n} '&a{n - 1};'>" for n in range(1, 30_000))
    return f"<!DOCTYPE rss [<!ENTITY a0 'x'>{declared}]>"


async def answer(path: str, bomb: bytes) -> AsyncIterator[bytes]:
    """What the server sends, head and body."""
    ok = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/xml\r\n"
    match path:
        case "silent":
            await asyncio.sleep(3_600)
        case "dripping":
            yield ok + b"\r\n"
            while True:
                yield b" "
                await asyncio.sleep(1)
        case "headers":
            yield ok
            while True:
                yield b"x-more: of it\r\n"
                await asyncio.sleep(0.01)
        case "gigabyte":
            yield ok + b"\r\n"
            for _ in range(1_024):
                yield b" " * MB
        case "bomb":
            yield ok + b"Content-Encoding: gzip\r\n\r\n"
            yield bomb
        case "crumbs":
            yield ok + b"Transfer-Encoding: chunked\r\n\r\n"
            for _ in range(10 * 1_024):
                yield b"1\r\n \r\n" * 1_024
        case "hints":
            while True:
                yield b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_024
        case "redirects":
            yield b"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /redirects\r\n"
            yield b"Content-Length: 0\r\n\r\n"
        case "busy":
            yield b"HTTP/1.1 429 Slow down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        case "parser":
            yield ok + b"\r\n" + rss("", attributes="".join(f' a{n}="1"' for n in range(40_000)))
        case "entities":
            yield ok + b"\r\n" + rss("<item><title>&a29999;</title></item>", entities())
        case number:
            items = "".join(
                f"<item><guid>{number}-{n}</guid><title>Item {n} of {number}</title>"
                f"<description>{f'words of {number} and {n} ' * 20}</description></item>"
                for n in range(10)
            )
            body = rss(items)
            yield ok + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


async def serve() -> None:
    """Until it is killed; prints its port."""
    bomb = gzip.compress(bytes(256 * MB), 1) * 4

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            async for part in answer(request.split(b" ", 2)[1].decode().strip("/"), bomb):
                writer.write(part)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # it was given up
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    say(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


KINDS = (
    *("silent", "dripping", "headers", "gigabyte", "bomb", "crumbs", "hints", "redirects", "busy"),
    *("parser", "entities", "names"),
)


def a_round(port: int, feeds: int, kind: str | None) -> tuple[list[float], str]:
    """When each of the others was stored, and what is said of the hostile one."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIAGE_HOME"] = folder
        paths = Paths.of()
        paths.create()
        database = Database(paths.database, checkpoints=True)
        ensure_schema(database, paths.backups, now())
        place = f"http://127.0.0.1:{port}"
        hostile = None
        if kind is not None:
            url = f"http://{HANGS}/feed" if kind == "names" else f"{place}/{kind}"
            hostile = sources.add(database, now, url, allow_local=kind != "names").id
        for number in range(feeds):
            sources.add(database, now, f"{place}/{number}", allow_local=True)
        done: list[float] = []
        said = [""]

        def note(report: SourceReport, *_: int) -> None:
            if report.id == hostile:
                said[0] = (
                    f"{time.monotonic() - started:.0f} s: {report.error or report.postponed or 'stored'}"
                )
            else:
                assert report.error is None, report.error
                done.append(time.monotonic() - started)

        started = time.monotonic()
        asyncio.run(ingest.sync(database, Config(), now, on_report=note))
        database.close()
    return sorted(done), said[0]


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def hanging(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """A resolver of which one name server does not answer."""

    def look_up(host: str, *more: Any, **options: Any) -> Any:  # noqa: ANN401  as the library's
        if host == HANGS:
            time.sleep(HANGS_S)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return resolve(host, *more, **options)

    return look_up


def say(line: str) -> None:
    """Prints it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each kind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=499)
    parser.add_argument("--only", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve())
        return
    socket.getaddrinfo = hanging(socket.getaddrinfo)
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    say(f"{'':<10}{'half':>7}{'99 %':>7}{'all':>7}{'later':>7}   the hostile one")
    try:
        for kind in asked.only:
            without, _ = a_round(port, asked.feeds, None)
            stored, said = a_round(port, asked.feeds, kind)
            cuts = statistics.quantiles(stored, n=100)
            later = stored[-1] - without[-1]
            shown = "".join(f"{s:>7.1f}" for s in (cuts[49], cuts[98], stored[-1], later))
            say(f"{kind:<10}{shown}   {said}")
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
