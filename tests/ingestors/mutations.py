"""Hostile documents without end: sound ones of every kind that is parsed, changed by chance.

Owns the seeds, one or more for each entry point of `ingestors/parsers`, and the ways in which they are
changed. The same number always makes the same document.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from documents import article, pdf
from test_bibliography import BIB, RIS
from test_paper_records import PAGES

DEMO = Path(__file__).parents[2] / "triage" / "demo"
ARXIV_DAILY = b"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom">
<channel><title>cs.IR updates</title><link>http://rss.arxiv.org/</link>
<item><title>Pooling without regret</title><link>https://arxiv.org/abs/2603.00001</link>
<description>arXiv:2603.00001v1 Announce Type: new Abstract: We pool.</description><category>cs.IR</category>
<pubDate>Mon, 02 Mar 2026 00:00:00 -0500</pubDate><arxiv:announce_type>new</arxiv:announce_type>
<dc:creator>Ada Lovelace, Bo King</dc:creator></item></channel></rss>"""
PUBMED = b"""<?xml version="1.0"?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>77</PMID>
<Article><Journal><Title>J</Title><JournalIssue><PubDate><Year>2026</Year><Month>Mar</Month></PubDate>
</JournalIssue></Journal><ArticleTitle>Sleep in <i>herons</i></ArticleTitle>
<Abstract><AbstractText>They sleep.</AbstractText></Abstract>
<AuthorList><Author><LastName>Lovelace</LastName><ForeName>Ada</ForeName></Author></AuthorList></Article>
</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="doi">10.1234/x</ArticleId>
</ArticleIdList></PubmedData></PubmedArticle></PubmedArticleSet>"""
OPML = b"""<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="News">
<outline type="rss" text="Harbour" xmlUrl="https://harbour.example/feed" htmlUrl="https://harbour.example/"/>
</outline></body></opml>"""
URLS = b'https://harbour.example/feed news "~The harbour"\nhttps://marsh.example/atom.xml birds\n'
HEAD = '<link rel="alternate" type="application/rss+xml" href="/feed.xml"><a href="/atom.xml">Atom</a>'


@dataclass(frozen=True, slots=True)
class Seed:
    """A sound document, and how its parser is called."""

    parser: str
    body: bytes
    params: dict[str, Any] = field(default_factory=dict)

    def like(self, body: bytes) -> Seed:
        """Another document for the same parser."""
        sizes = {"sizes": [len(body)]} if "sizes" in self.params else {}
        return Seed(self.parser, body, self.params | sizes)


def seeds() -> list[Seed]:
    """Every kind of document that is parsed, from the demo and from the tests of each parser."""
    found: list[Seed] = []

    def add(parser: str, body: bytes, **params: Any) -> None:
        found.append(Seed(f"ingestors.parsers.{parser}", body, params))

    for path in sorted((DEMO / "feeds").iterdir()):
        add("feeds:parse_feed", path.read_bytes(), url="https://feed.example/f", content_type="")
    for path in sorted((DEMO / "mail").rglob("*.eml")):
        body = path.read_bytes()
        add("mail:parse_mails", body, sizes=[len(body)], addresses=["ada@example.org"])
    add("arxiv:parse_arxiv", (DEMO / "arxiv" / "answer.xml").read_bytes())
    add("arxiv:parse_arxiv_daily", ARXIV_DAILY)
    for parse, page, record in PAGES:
        add(f"{parse.__module__.rpartition('.')[2]}:{parse.__name__}", json.dumps(page([record])).encode())
    add("openalex:parse_openalex_id", b'{"id": "https://openalex.org/W1"}')
    add("zotero:parse_zotero_report", b'{"successful": {"0": {"key": "A"}}, "failed": {"1": {"code": 412}}}')
    add("pubmed:parse_pubmed", PUBMED)
    add("pubmed:parse_pubmed_ids", b'{"esearchresult": {"count": "2", "idlist": ["77", "78"]}}')
    add("papers:parse_papers", (DEMO / "arxiv" / "answer.xml").read_bytes())
    add("bibliography:parse_bibliography", BIB)
    add("bibliography:parse_bibliography", RIS.encode())
    add("opml:parse_opml", OPML)
    add("urls:parse_urls", URLS)
    where = {"url": "https://page.example/a", "content_type": "text/html"}
    add("page:parse_page", article(HEAD).encode(), **where)
    add("page:parse_plain", article().encode(), **where)
    add("feed_links:parse_links", article(HEAD).encode(), **where)
    add("pdf:parse_pdf", pdf([["The tram line to the harbour opens in May."] * 5]), seconds=0.5)
    return found


Change = Callable[[random.Random, bytes], bytes]

PAYLOADS = [
    b"\x1b]52;c;AAAA\x07", b"\x00", b"\x9b2J", b"&#x9d;52;c;AA&#x90;", b"&#27;[2J", b"&#xD800;",
    b"&#99999999999;", b"\\ud800", b"\\u001b[2J", b"[/]", b"[@click=app.quit]x[/]", "\u202e\u2066".encode(),
    "\u0301".encode() * 300, "\U000e0041\u200b".encode(), b"]]>", b"<!--", b"<![CDATA[",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"\r\n\r\n", b"javascript:alert(1)", b"file:///etc/passwd",
    b"http://[::1", b"--help;$(touch x)", b"../../../etc/passwd", b"=?utf-7?B?KwA=?=", b"=?x?Q?=1B]52?=",
    b"NaN", b"1e999", b"null", b"{", b"[" * 500, b'"', b"\xff\xfe", b"\xed\xa0\x80",
]  # fmt: skip
READABLE = [
    "\u009b2J\u009d52;c;AA\u009c".encode(), b"&#x9d;52;c;AA&#x90;", b"\\u001b[2J\\u009d",
    "\u202e\u2066".encode(), "\U000e0041\u200b".encode(), "\u0301".encode() * 300,
    b"[@click=app.quit]x[/]", b"\\ud800",
]  # fmt: skip
"""What leaves a document readable, so that it comes as far as the reader."""
DATES = [
    b"9999-12-31T23:59:59+99:99", b"0001-01-01", b"Mon, 99 Foo 20026 99:99:99 +9999", b"-1", b"2026-02-30",
    b"2026-13-45", b"99999999999999999999", b"Tue, 03 Nov 2026 08:00:00 " + b"(" * 300,
    b"1969-12-31T23:59:59-24:00",
]  # fmt: skip
CHARSETS = ["utf-16", "utf-16-le", "utf-32", "cp037", "utf-7", "shift_jis", "latin-1"]
NAMED = [b"undefined", b"unicode_escape", b"utf-7", b"cp037", b"rot13", b"utf-16", b"x" * 99, b"iso-8859-8"]
_DATE = re.compile(rb"\d{4}-\d\d-\d\d[T\d:Z.+-]*|\w{3}, \d\d? \w{3} \d{4} [\d:]+ [+-]\d{4}")
_NUMBER = re.compile(rb"\d+")
_WORD = re.compile(rb"(?<=[>\": ])[A-Z][a-z]")
_TAG = re.compile(rb"<[A-Za-z][^<>]*>")
_ELEMENT = re.compile(
    rb"<([A-Za-z][\w:]*)[^<>]*>[^<>]*</\1>|\"\w+\": ?(?:\"[^\"]*\"|\d+|null),|[\w-]+: [^\n]+\n"
)
_CHARSET = re.compile(rb"(encoding=[\"']|charset=[\"']?)([\w-]+)")


def _somewhere(rng: random.Random, body: bytes, most: int = 400) -> tuple[int, int]:
    start = rng.randrange(len(body) + 1)
    return start, min(len(body), start + rng.randint(1, most))


def _replaced(
    rng: random.Random, body: bytes, pattern: re.Pattern[bytes], new: Callable[[bytes], bytes]
) -> bytes:
    found = list(pattern.finditer(body))
    for match in sorted(rng.sample(found, min(len(found), rng.randint(1, 4))), key=lambda m: -m.start()):
        body = body[: match.start()] + new(match[0]) + body[match.end() :]
    return body


def cut(rng: random.Random, body: bytes) -> bytes:
    """Ends anywhere."""
    return body[: rng.randrange(len(body) + 1)]


def lost(rng: random.Random, body: bytes) -> bytes:
    """A part is missing."""
    start, end = _somewhere(rng, body)
    return body[:start] + body[end:]


def flipped(rng: random.Random, body: bytes) -> bytes:
    """Some bits are others."""
    changed = bytearray(body)
    for _ in range(rng.randint(1, 30) if body else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def repeated(rng: random.Random, body: bytes) -> bytes:
    """A part stands there many times."""
    start, end = _somewhere(rng, body)
    return body[:start] + body[start:end] * rng.choice([2, 10, 300]) + body[end:]


def doubled(rng: random.Random, body: bytes) -> bytes:
    """A field stands there more than once."""
    return _replaced(rng, body, _ELEMENT, lambda found: found * rng.choice([2, 3, 500]))


def injected(rng: random.Random, body: bytes) -> bytes:
    """Escapes, references, markup and addresses in odd places."""
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(body) + 1)
        body = body[:at] + rng.choice(PAYLOADS) + body[at:]
    return body


def into_text(rng: random.Random, body: bytes) -> bytes:
    """Such things where the document stays readable: at the beginning of words."""
    return _WORD.sub(lambda found: (rng.choice(READABLE) if rng.random() < 0.3 else b"") + found[0], body)


def counted(rng: random.Random, body: bytes) -> bytes:
    """Numbers that nobody expects."""
    odd = [b"-1", b"1" + b"0" * 400, b"4294967296", b"1e999", b"NaN", "\u0663".encode(), b""]
    return _replaced(rng, body, _NUMBER, lambda _: rng.choice(odd))


def dated(rng: random.Random, body: bytes) -> bytes:
    """Dates that no calendar has."""
    return _replaced(rng, body, _DATE, lambda _: rng.choice(DATES))


def nested(rng: random.Random, body: bytes) -> bytes:
    """Tags or brackets within each other."""
    depth = rng.choice([50, 2_000, 20_000])
    if not _TAG.search(body):
        return _replaced(rng, body, re.compile(rb"[\[{(\"]"), lambda found: found * depth)
    return _replaced(rng, body, _TAG, lambda found: found * min(depth, 200_000 // len(found)))


def declared(rng: random.Random, body: bytes) -> bytes:
    """A DTD in front, and references to what it declares."""
    entities = [b"<!ENTITY a 'x'><!ENTITY b '&a;&a;&a;&a;'>", b"<!ENTITY b SYSTEM 'file:///etc/passwd'>",
                b"<!ENTITY % p SYSTEM 'http://127.0.0.1:9/'>%p;", b""]  # fmt: skip
    doctype = b"<!DOCTYPE x [" + rng.choice(entities) + b"]>"
    prolog = re.match(rb"\s*<\?xml[^>]*\?>", body)
    at = prolog.end() if prolog else 0
    return into_text(rng, body[:at] + doctype + body[at:].replace(b">A", b">&b;A", 5))


def recoded(rng: random.Random, body: bytes) -> bytes:
    """Another character set than it says, or one that it should not say."""
    if rng.random() < 0.5:
        name = rng.choice(NAMED)
        return _CHARSET.sub(lambda found: found[1] + name, body, count=3)
    return body.decode("utf-8", "replace").encode(rng.choice(CHARSETS), "replace")


CHANGES: list[Change] = [
    cut, lost, flipped, repeated, doubled, injected, into_text, counted, dated, nested, declared, recoded,
]  # fmt: skip


def mutant(known: list[Seed], number: int) -> tuple[Seed, Seed]:
    """Document `number`, changed up to three times, and what it was made from: each parser has its turn."""
    rng = random.Random(number)
    parsers = sorted({seed.parser for seed in known})
    seed = rng.choice([seed for seed in known if seed.parser == parsers[number % len(parsers)]])
    body = seed.body
    for change in rng.sample(CHANGES, rng.choice([1, 1, 2, 3])):
        body = change(rng, body)
    if number % 3 == 0:
        body = into_text(rng, body)
    if rng.random() < 0.1:  # two documents grown into one
        other = rng.choice(known).body
        body = body[: rng.randrange(len(body) + 1)] + other[rng.randrange(len(other) + 1) :]
    return seed.like(body[:2_000_000]), seed
