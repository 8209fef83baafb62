"""Lists of subscriptions, as they are in the wild, and back again."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestors.parsers.opml import MAX_REFUSALS, parse_opml
from ingestors.parsers.urls import parse_urls
from ingestors.quoting import quote, split_line
from ingestors.sandbox import ParserPool
from ingestors.subscriptions import Subscription, list_format, read_list, write_opml, write_urls

CREATED = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def opml(subscriptions: list[Subscription]) -> str:
    return write_opml(subscriptions, title="Mine", created=CREATED)


def read_back(document: dict[str, list[dict[str, object]]]) -> list[Subscription]:
    return [
        Subscription(s["title"], s["url"], tuple(s["tags"]), s["attributes"])  # type: ignore[arg-type]
        for s in document["subscriptions"]
    ]


async def test_opml_as_it_is_in_the_wild(parsers: ParserPool) -> None:
    """PRS-18: broken XML is read, commands and files are refused by name."""
    body = b"""<?xml version="1.0"?><opml version="2.0"><body><outline text="News">
    <outline text="Tech &amp; more"><outline title="One" xmlUrl="https://e.org/1?a=1&b=2" htmlUrl="https://e.org/"
     fetchInterval='30' /></outline>
    <outline text="cmd" xmlUrl="|curl x"/><outline text="exec" xmlUrl="exec:ls"></outline></outline>
    <!-- <outline xmlUrl="https://e.org/commented"/> -->
    <outline description="a <a href="https://x.org/" title="no">b</a>" text="Two" xmlUrl='https://e.org/2'/>
    <outline text="again" xmlUrl="https://e.org/2" category="/x,y"/><outline text="f" xmlUrl="file:///etc/passwd"/>
    <outline text="filtered" xmlUrl="https://e.org/3" filtercmd="rm"/>
    <outline text="secret" xmlUrl="https://me:pw@e.org/4"/></body></opml>"""
    subscriptions, refusals = await read_list(body, "opml", parsers)
    assert subscriptions[:2] == [
        Subscription(
            "One",
            "https://e.org/1?a=1&b=2",
            ("News", "Tech & more"),
            {"htmlUrl": "https://e.org/", "fetchInterval": "30"},
        ),
        Subscription("no", "https://e.org/2", ("x", "y"), {"description": "a <a href="}),
    ]
    assert [s.url for s in subscriptions[2:]] == ["https://e.org/3", "https://e.org/4"]
    assert [(r.name, r.reason.partition(";")[0]) for r in refusals] == [
        ("cmd", "it would run a command or read a file instead of fetching a feed"),
        ("exec", "it would run a command or read a file instead of fetching a feed"),
        ("f", "it would run a command or read a file instead of fetching a feed"),
        ("filtered", "its filter command is not run"),
        ("secret", "the name and password in its address were left out"),
    ]


@pytest.mark.parametrize("body", [b"<rss/>", b"", b"<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>", b"exec:ls"])
async def test_what_is_no_opml(parsers: ParserPool, body: bytes) -> None:
    subscriptions, refusals = await read_list(body, "opml", parsers)
    assert subscriptions == []
    assert len(refusals) == 1


async def test_a_list_of_absurd_size(parsers: ParserPool) -> None:
    many = "".join(f"<outline xmlUrl='http://e.org/{i}'/>" for i in range(10_001))
    subscriptions, refusals = await read_list(f"<opml>{many}</opml>".encode(), "opml", parsers)
    assert len(subscriptions) == 10_000
    assert [refusal.reason for refusal in refusals] == ["only 10000 subscriptions are read"]


def test_attributes_of_another_program_come_back_with_their_namespace() -> None:
    body = b"""<opml version="2.0" xmlns:frss="https://freshrss.org/opml"><body>
    <outline text="One" xmlUrl="https://e.org/1" frss:priority="feed" undeclared:x="1"/></body></opml>"""
    written = opml(read_back(parse_opml(body)))
    (outline,) = ElementTree.fromstring(written).iter("outline")
    assert outline.get("{https://freshrss.org/opml}priority") == "feed"
    assert "undeclared" not in written


def test_of_many_refusals_the_first_are_named_and_the_rest_counted() -> None:
    found = parse_urls(b"".join(b"exec:%d\n" % n for n in range(5_000)))
    assert len(found["refusals"]) == MAX_REFUSALS + 1
    assert found["refusals"][-1]["name"] == f"{5_000 - MAX_REFUSALS} more lines"


async def test_a_list_nested_without_end_costs_little_and_keeps_twenty_folders(parsers: ParserPool) -> None:
    """PRS-18"""
    deep = "".join(
        f'<outline text="f{n}"><outline text="x" xmlUrl="http://e.org/{n}"/>' for n in range(30_000)
    )
    subscriptions, _ = await read_list(f"<opml><body>{deep}".encode(), "opml", parsers)
    assert len(subscriptions) == 10_000
    assert subscriptions[-1].tags == tuple(f"f{n}" for n in range(20))


def test_an_urls_file_as_newsboat_writes_it() -> None:
    found = parse_urls(
        b"""# my feeds
https://e.org/feed news "two words" "~Sea & Sky" # daily
https://e.org/html?a=b#c "!hidden"

"exec:~/bin/feed.sh" scripts
filter:~/bin/f.py:https://e.org/x "~Filtered"
"query:Unread:unread = \\"yes\\"" virtual
https://e.org/feed again "say \\"hi\\" \\\\ now
"""
    )
    assert read_back(found) == [
        Subscription("Sea & Sky", "https://e.org/feed", ("news", "two words", "again", 'say "hi" \\ now')),
        Subscription("", "https://e.org/html?a=b#c", ("!hidden",)),
    ]
    assert [refusal["name"] for refusal in found["refusals"]] == [
        "exec:~/bin/feed.sh",
        "Filtered",
        'query:Unread:unread = "yes"',
    ]


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b'<?xml version="1.0"?><!-- x --><OPML version="1.0">', "opml"),
        ("\ufeff<opml>".encode("utf-16"), "opml"),
        (b"\xef\xbb\xbf# feeds\n\nhttps://e.org/feed news\n", "urls"),
        (b'"query:a:b"\n', "urls"),
        (b"exec:ls\n", "urls"),
        (b"From a@b Mon Jan  1 00:00:00 2026\n", None),
        (b"# nothing\n", None),
        (b"see https://e.org/\n", None),
        (b"<rss><channel>", None),
        (b"", None),
    ],
)
def test_lists_are_told_by_their_beginning(head: bytes, form: str | None) -> None:
    assert list_format(head) == form


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20).map(
    # Labels in the wild are HTML, and are read as such.
    lambda text: " ".join(text.replace("<", "(").replace("&", "+").split()) or "x"
)
TAGS = NAMES.map(lambda name: name.replace(",", ";").strip("/ ").lstrip("~") or "t").map(
    lambda tag: " ".join(tag.split())
)
LISTS = st.lists(
    st.builds(
        Subscription,
        title=NAMES,
        url=st.text(string.ascii_lowercase, min_size=1).map("https://e.org/{}?a=1&b='2'".format),
        tags=st.lists(TAGS, max_size=3, unique=True).map(tuple),
        attributes=st.dictionaries(
            st.sampled_from(["htmlUrl", "description", "x:interval", "type"]), NAMES, max_size=3
        ).map(lambda found: {"type": "rss", "xmlns:x": "https://x.example/", **found}),
    ),
    unique_by=lambda s: s.url,
    max_size=5,
)


@given(LISTS)
def test_what_is_written_as_opml_is_valid_and_read_back(subscriptions: list[Subscription]) -> None:
    document = opml(subscriptions)
    outlines = list(ElementTree.fromstring(document).iter("outline"))
    assert all(outline.get("text") for outline in outlines), "`text` is required"
    found = read_back(parse_opml(document.encode()))
    assert sorted(found, key=lambda s: s.url) == sorted(subscriptions, key=lambda s: s.url)


@given(LISTS)
def test_what_is_written_as_urls_is_read_back(subscriptions: list[Subscription]) -> None:
    found = read_back(parse_urls(write_urls(subscriptions).encode()))
    assert [(s.title, s.url, s.tags) for s in found] == [(s.title, s.url, s.tags) for s in subscriptions]


def test_what_no_xml_can_hold_is_not_written() -> None:
    odd = Subscription(
        "a\x00\x1b\ud800b", "https://e.org/", ("t",), {"bad name": "x", "on<": "y", "ok": "\n"}
    )
    document = opml([odd])
    (outline,) = [o for o in ElementTree.fromstring(document).iter("outline") if o.get("xmlUrl")]
    assert outline.get("text") == "a\ufffd\ufffd\ufffdb"
    assert outline.get("ok") == "\n"
    assert "bad" not in document


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])), max_size=4))
def test_quoted_words_are_read_back(words: list[str]) -> None:
    line = " ".join(quote(word) for word in words)
    assert [word.text for word in split_line(line)] == [" ".join(word.split()) for word in words]
    assert all(word.quoted for word in split_line(line))


@given(st.text(max_size=60))
def test_any_line_is_read(line: str) -> None:
    assert len(split_line(line)) <= len(line)
