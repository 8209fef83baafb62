"""Feeds to measure with, and the server that they come from: no network, the same bytes for the same seed.

    python benchmarks/workload.py FOLDER [--feeds 200] [--entries 50] [--seed 1]    writes feeds
    python benchmarks/workload.py --serve FOLDER                                    serves them, says its port

One feed in three is Atom, one RSS with its texts as CDATA, one RSS with escaped texts. Entries have HTML of
600 to 3,000 characters: paragraphs, lists, links, emphasis, pictures. The server answers from memory, with
ETag, Last-Modified and 304, on 127.0.0.1 until its stdin ends.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
MODIFIED = format_datetime(NEWEST, usegmt=True)
_COMMON = """
the of and to in a that is for it as with on by this are be from or which an at was not have has we can but
they their its our these also more than such other into between one two when where while each both some
"""
_SYLLABLES = """
ba be bo ca ce co da de di do fa fe fi ga ge go ha he hi la le li lo ma me mi mo na ne ni no pa pe pi po ra
re ri ro sa se si so ta te ti to va ve vi vo tion ment ing er al ive
"""
COMMON, SYLLABLES = _COMMON.split(), _SYLLABLES.split()


class Writer:
    """Invents sentences; the frequent words are short and few, the rare ones many, as in a language."""

    def __init__(self, seed: str) -> None:
        self.choose = random.Random(seed)  # noqa: S311 - no secrets
        words = random.Random("words")  # noqa: S311
        self._rare = ["".join(words.choices(SYLLABLES, k=words.randint(2, 4))) for _ in range(20_000)]

    def sentence(self, least: int = 8, most: int = 30) -> str:
        """Words, a capital, a full stop."""
        words = [
            self.choose.choice(COMMON)
            if self.choose.random() < 0.45
            else self._rare[int(len(self._rare) * self.choose.random() ** 3)]
            for _ in range(self.choose.randint(least, most))
        ]
        return " ".join(words).capitalize() + "."

    def body(self) -> str:
        """A post in HTML."""
        size, out, wanted = 0, [], self.choose.randint(600, 3_000)
        while size < wanted:
            sentences = [self.sentence() for _ in range(self.choose.randint(2, 5))]
            if self.choose.random() < 0.15:
                paragraph = "<ul>" + "".join(f"<li>{sentence}</li>" for sentence in sentences) + "</ul>"
            else:
                first, _, rest = sentences[0].partition(" ")
                link = f'<a href="https://site.example/{self.choose.getrandbits(32):x}">{first}</a>'
                sentences[0] = f"{link if self.choose.random() < 0.6 else f'<em>{first}</em>'} {rest}"
                paragraph = f'<p class="body">{" ".join(sentences)}</p>'
            if self.choose.random() < 0.07:
                paragraph += f'<img src="https://img.example/{size}.jpg" alt="figure" width="600"/>'
            out.append(paragraph)
            size += len(paragraph)
        return "\n".join(out)


def feed(number: int, entries: int, seed: int) -> str:
    """One feed."""
    writer = Writer(f"{seed}-{number}")
    site, title = f"https://site{number}.example", f"Feed {number:04d} {writer.sentence(3, 6)}"
    items = []
    for entry in range(entries):
        key, link = f"urn:uuid:{writer.choose.getrandbits(128):032x}", f"{site}/post/{entry}"
        moment = NEWEST - timedelta(hours=7 * entry, minutes=writer.choose.randrange(300))
        heading, author = writer.sentence(5, 12)[:-1], f"{writer.sentence(1, 1)[:-1]} Author{entry % 7}"
        if number % 3 == 0:
            items.append(
                f'<entry><id>{key}</id><title>{heading}</title><link href="{link}"/>'
                f"<updated>{moment.isoformat()}</updated><author><name>{author}</name></author>"
                f'<category term="topic"/><content type="html">{escape(writer.body())}</content></entry>'
            )
            continue
        text = writer.body()
        body = (
            f"<content:encoded><![CDATA[{text}]]></content:encoded>"
            if number % 3 == 1
            else f"<description>{escape(text)}</description>"
        )
        items.append(
            f'<item><guid isPermaLink="false">{key}</guid><title>{heading}</title><link>{link}</link>'
            f"<pubDate>{format_datetime(moment)}</pubDate><dc:creator>{author}</dc:creator>"
            f"<category>topic</category>{body}</item>"
        )
    if number % 3 == 0:
        head = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{title}</title><id>{site}</id>'
        return f'<?xml version="1.0" encoding="utf-8"?>\n{head}\n' + "\n".join(items) + "</feed>"
    head = (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>{title}</title><link>{site}/</link>'
    )
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}\n' + "\n".join(items) + "</channel></rss>"


def write(folder: Path, feeds: int, entries: int, seed: int) -> None:
    """Writes `feeds` files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(feeds):
        (folder / f"{number:04d}.xml").write_text(feed(number, entries, seed), encoding="utf-8")


def answer(files: dict[str, tuple[bytes, str]], request: str) -> bytes:
    """The answer to one request, headers and all."""
    first, *rest = request.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    found = files.get(first.split(" ")[1])
    if found is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    body, tag = found
    head = f"ETag: {tag}\r\nLast-Modified: {MODIFIED}\r\n"
    asked = headers.get("if-none-match")
    if asked == tag or (asked is None and headers.get("if-modified-since") == MODIFIED):
        return f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode()
    head += f"Content-Type: application/xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body


async def serve(bodies: dict[str, bytes]) -> None:
    """Serves `bodies` by their paths until stdin ends."""
    files = {name: (body, f'"{hashlib.sha256(body).hexdigest()[:16]}"') for name, body in bodies.items()}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                writer.write(answer(files, request))
                await writer.drain()
                if "connection: close" in request.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve({f"/{path.name}": path.read_bytes() for path in asked.folder.glob("*.xml")}))
    else:
        write(asked.folder, asked.feeds, asked.entries, asked.seed)


if __name__ == "__main__":
    main()
