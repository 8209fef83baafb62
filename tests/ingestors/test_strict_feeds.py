"""Two readers of one kind of feed: they agree wherever both read, and the quick one knows when to pass."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

import triage.demo
from ingestors.parsers.document import read_document
from ingestors.parsers.feeditem import Feed, read_duration
from ingestors.parsers.feeds import parse_feed
from ingestors.parsers.loosefeed import read_loosely
from ingestors.parsers.strictfeed import read_strictly
from ingestors.wire import RefusalError

URL = "https://feed.example/dir/feed.xml"
OURS = sorted((Path(__file__).parent / "feeds").iterdir())
DEMO = sorted(p for p in Path(triage.demo.__file__).parent.glob("feeds/*") if p.suffix != ".json")
ROOTS = ("rss", "rdf", "feed")
CORPUS = os.environ.get("TRIAGE_FEED_CORPUS") or str(Path(__file__).parent / "feeds")
"""Of real feeds, else our own; read here, because tests run without the variables of the program."""


def _both(body: bytes) -> tuple[Feed | None, Feed]:
    document = read_document(body)
    return read_strictly(document, URL), read_loosely(document, URL)


def _entries(name: str) -> list[dict[str, Any]]:
    body = (Path(__file__).parent / "feeds" / name).read_bytes()
    assert read_strictly(read_document(body), URL) is not None
    answer: Any = parse_feed(body, url=URL, content_type="")
    entries: list[dict[str, Any]] = answer["entries"]
    return entries


@pytest.mark.parametrize("path", OURS + DEMO, ids=lambda path: path.name)
def test_both_parsers_read_the_same(path: Path) -> None:
    """PRS-13"""
    strict, loose = _both(path.read_bytes())
    assert strict == loose


def test_both_parsers_read_the_same_in_a_folder_of_feeds() -> None:
    entries = strictly = 0
    differences: list[str] = []
    for path in sorted(Path(CORPUS).rglob("*")):
        body = path.read_bytes() if path.is_file() else b""
        try:
            document = read_document(body)
            if document.root.rpartition(":")[2].lower() not in ROOTS:
                continue
            loose: Any = read_loosely(document, URL)
        except RefusalError:
            continue
        entries += len(loose["entries"])
        strict: Any = read_strictly(document, URL)
        if strict is None:
            continue
        strictly += len(strict["entries"])
        assert [e["key"] for e in strict["entries"]] == [e["key"] for e in loose["entries"]], path
        for one, other in zip(strict["entries"], loose["entries"], strict=True):
            if different := {name: (one[name], other[name]) for name in one if one[name] != other[name]}:
                differences.append(f"{path}: {different}")
    # What is left are items of which feedparser loses a title or a link.
    assert len(differences) <= 0.05 * strictly, "\n".join(differences)
    assert strictly >= 0.8 * entries


def test_a_blog() -> None:
    hammer, doors, escaped, raw = _entries("blog.rss")
    assert hammer["text"] == (
        "It depends on the hand’s owner.\n\nEight hundred grams,\n\nsaid everybody I asked.\nAnd then:\n\n"
        "* one kilo\n* two kilos\n\n  a = 1\n  b = 2\n\n[image: x]\nThe anvil"
    )
    assert (hammer["people"], hammer["tags"]) == (["Ina Brandt"], ["Tools", "Steel & fire"])
    assert hammer["url"] == "https://salt.example/hammer/?utm_source=rss&a=1"
    assert hammer["identifiers"] == {"comments": "https://salt.example/hammer/#comments"}
    assert [entry["flags"] for entry in (hammer, doors)] == [[], ["truncated"]]
    assert doors["published"] == 1793620800
    assert (escaped["title"], escaped["people"]) == ("A title with <tags> & more", ["Ina Brandt"])
    assert (escaped["key"], escaped["url"]) == ("309", None)
    assert (raw["text"], raw["url"]) == ("First\n\nSecond bold", "https://feed.example/raw")


def test_when_a_feed_wants_to_be_asked() -> None:
    folder = Path(__file__).parent / "feeds"
    blog, ferry = (
        parse_feed((folder / n).read_bytes(), url=URL, content_type="") for n in ("blog.rss", "rss091.xml")
    )
    assert (blog["interval_s"], blog["skip_hours"], blog["skip_days"]) == (2700, [], [])
    assert (ferry["skip_hours"], ferry["skip_days"]) == ([0, 3], ["Saturday", "Sunday"])


def test_a_podcast() -> None:
    lighthouse, picture, filmed = _entries("podcast.rss")
    assert lighthouse["identifiers"] == {
        "enclosure": "https://cdn.slow.example/12.mp3?x=1",
        "duration": "3723",
    }
    assert (lighthouse["flags"], lighthouse["url"]) == (["media"], "https://cdn.slow.example/12.mp3?x=1")
    assert lighthouse["text"].endswith("from the west.")
    assert (lighthouse["people"], lighthouse["tags"]) == ([], ["sea", "light"])
    assert (picture["title"], picture["identifiers"], picture["flags"]) == (
        "A picture only",
        {},
        ["truncated"],
    )
    assert filmed["identifiers"] == {"enclosure": "https://slow.example/v.mp4", "duration": "95"}
    assert (filmed["text"], filmed["flags"]) == ("One and a half minutes.", ["media"])


def test_a_channel_of_videos() -> None:
    (ship,) = _entries("videos.xml")
    assert (ship["title"], ship["url"]) == ("Turning a ship", "https://www.videos.example/watch?v=V1")
    assert (ship["text"], ship["flags"]) == ("Two tugs, one captain.\n\nFilmed in one take.", ["media"])


def test_atom_with_bases_and_every_kind_of_text() -> None:
    weaving, plain, prefixed, picture = _entries("atom10.xml")
    assert (weaving["title"], weaving["text"]) == ("Weaving in winter & rain", "Warm hands,\ndry feet.")
    assert weaving["url"] == "https://reed.example/blog/weaving"
    assert weaving["identifiers"] == {
        "enclosure": "https://reed.example/blog/weaving.ogg",
        "comments": "https://reed.example/blog/weaving#c",
    }
    assert (weaving["people"], weaving["tags"]) == (["Guest One", "Guest Two"], ["Craft work", "winter"])
    assert (plain["title"], plain["text"]) == ("Plain <words> stay", "One & two\n  three")
    assert (plain["url"], plain["people"]) == ("https://other.example/x/y", ["Mara Reed"])
    assert (prefixed["text"], prefixed["url"]) == ("* a\n* b", "https://reed.example/blog/p")
    assert (picture["title"], picture["text"]) == ("", "A picture of it.")


def test_a_journal() -> None:
    survey, errata = _entries("library.rdf")
    assert (survey["key"], survey["title"]) == ("https://journal.example/1", "Tides & time: a 2 survey")
    assert (survey["people"], survey["tags"]) == (["A. Okafor", "B. Lindqvist"], ["oceans"])
    assert [entry["identifiers"]["doi"] for entry in (survey, errata)] == [
        "10.5555/tides.1",
        "10.5555/tides.2",
    ]


def test_a_link_that_leads_nowhere_gives_way_to_the_guid() -> None:
    """PRS-14"""
    body = b"<rss><channel><item><link>javascript:x</link><guid>http://e.org/1</guid></item></channel></rss>"
    assert parse_feed(body, url=URL, content_type="")["entries"][0]["url"] == "http://e.org/1"


@pytest.mark.parametrize(
    "body",
    [
        b"<rss><channel><item><title>a & b</title></item></channel></rss>",
        b"<rss><channel><item><title>caf&eacute;</title></item></channel></rss>",
        b"<rss><channel><item><title>cut off</title></item>",
        b"<rss><channel><item><dc:creator>undeclared</dc:creator></item></channel></rss>",
        b"<rss xmlns:dc='urn:slip'><channel><item><dc:creator>a</dc:creator></item></channel></rss>",
        b"<rss xmlns='urn:unknown'><channel><item><title>a</title></item></channel></rss>",
        b"<rss><channel><item><pubDate>yesterday at noon</pubDate></item></channel></rss>",
        b"<rss><channel><items><item><title>deeper</title></item></items></channel></rss>",
        b"<rss><item><title>no channel</title></item></rss>",
        b"<entry xmlns='http://www.w3.org/2005/Atom'><title>alone</title></entry>",
        b"<feed xmlns='http://purl.org/atom/ns#'><entry><content mode='base64'>eA==</content></entry></feed>",
        b"<rss><channel><item><title>\x1b]52;c;x\x07</title></item></channel></rss>",
    ],
)
def test_what_is_not_certain_is_left_to_feedparser(body: bytes) -> None:
    assert read_strictly(read_document(body), URL) is None
    assert parse_feed(body, url=URL, content_type="")["entries"] != []


# One of each line: of two, feedparser takes the first or the last, whichever it is.
PIECES = [
    (
        "<title>{}</title>",
        "<title type='html'>{}</title>",
        "<dc:title>{}</dc:title>",
        "<media:title>{}</media:title>",
    ),
    ("<description>{}</description>", "<content:encoded>{}</content:encoded>", "<summary>{}</summary>"),
    ("<link>http://e.org/a?b=1&amp;c=2</link>", "<link href='/x'/>", "<a:link rel='related' href='r'/>"),
    ("<guid>{}</guid>", "<guid isPermaLink='false'>{}</guid>", "<id>{}</id>"),
    ("<pubDate>Thu, 05 Nov 2026 10:00:00 +0100</pubDate>", "<dc:date>2026-11-04</dc:date>"),
    (
        "<author>{}</author>",
        "<dc:creator>{}</dc:creator>",
        "<media:group><media:content url='v' type='video/mp4'/></media:group>",
    ),
    (
        "<category>{}</category>",
        "<category term='t'/>",
        "<comments>{}</comments>",
        "<x:y>{}</x:y>",
        "<source>{}</source>",
    ),
]
TEXTS = [
    *(
        "word",
        "two  words\n and a line",
        "&lt;b>bold&lt;/b>",
        "<![CDATA[<p>a</p><p>b &amp; c</p>]]>",
        "&amp;amp;",
    ),
    *(
        "a &lt; b",
        "&#233;",
        "caf&amp;eacute;",
        "",
        " ",
        "<![CDATA[x]]>y",
        "x@e.org (X)",
        "\u00c3\u00a9",
        "\u0093q\u0094",
    ),
    *("<p>raw <i>x</i></p>", "[&#8230;]", "Read more"),
]


def test_both_parsers_read_random_items_the_same() -> None:
    choose = random.Random(9)
    head = (
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:a='http://www.w3.org/2005/Atom'"
        " xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:media='http://search.yahoo.com/mrss/'"
        " xmlns:x='urn:x'><channel>"
    )
    read = 0
    for _ in range(300):
        pieces = [
            piece.format(choose.choice(TEXTS))
            for piece in [choose.choice(kind) for kind in choose.sample(PIECES, 5)]
        ]
        strict, loose = _both(f"{head}<item>{''.join(pieces)}</item></channel></rss>".encode())
        read += strict is not None
        assert strict in (None, loose), pieces
    assert read > 200


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3723", 3723),
        ("62:03", 3723),
        ("1:02:03", 3723),
        (" 95.5 ", 95),
        ("", None),
        ("an hour", None),
        ("1:2:3:4", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


def test_attachments_of_json_feeds() -> None:
    item = {"id": 1, "title": "T", "url": "https://e.org/1", "content_text": "Whole.", "attachments": [
        {"url": "a.mp3", "mime_type": "audio/mpeg", "duration_in_seconds": 61}, 5]}  # fmt: skip
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [item, {**item, "id": 2, "content_text": None, "summary": "s"}],
    }
    one, two = parse_feed(json.dumps(feed).encode(), url=URL, content_type="")["entries"]
    assert one["identifiers"] == {"enclosure": "https://feed.example/dir/a.mp3", "duration": "61"}
    assert (one["flags"], two["flags"]) == (["media"], ["media"])
