from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from loopback import LoopbackServer, Route

from ingestors import registry
from ingestors.base import FetchRequest, FetchResult, Tools
from ingestors.feeds import FeedIngestor
from ingestors.parsers.document import decode
from ingestors.parsers.feeds import parse_feed
from ingestors.parsers.html import html_to_text
from ingestors.testing import check_claims, check_result
from ingestors.wire import RefusalError

RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>Birds &amp; bees</title><ttl>90</ttl>
<item><title>Swifts</title><link>/swifts?a=1&amp;b=2</link><guid isPermaLink="false">s-1</guid>
<dc:creator>Ada</dc:creator><category>birds</category><pubDate>Tue, 03 Nov 2026 08:00:00 +0100</pubDate>
<description>&lt;p&gt;They sleep&lt;br&gt;in the air.&lt;/p&gt;&lt;p&gt;Truly.&lt;/p&gt;</description></item>
<item><title>Second</title><link>http://example.org/2</link></item></channel></rss>"""

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">A &amp;lt;b&amp;gt; feed</title>
<entry><id>tag:x,1</id><title type="html">Caf&amp;eacute; &lt;i&gt;now&lt;/i&gt;</title>
<link rel="enclosure" href="http://e.org/a.mp3"/><link href="one"/><author><name>Bo</name></author>
<author><name>Cy</name></author><updated>2026-11-01T10:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Body</p></div></content></entry></feed>"""


def _parse(body: bytes, content_type: str = "") -> dict[str, Any]:
    return parse_feed(body, url="https://example.org/feed/", content_type=content_type)


async def _fetch(server: LoopbackServer, tools: Tools, cursor: dict[str, Any] | None = None) -> FetchResult:
    request = FetchRequest(target=server.url("/f"), allow_local=True, cursor=cursor or {})
    result = await FeedIngestor().fetch(request, tools)
    check_result(request, result)
    return result


def test_contract() -> None:
    check_claims(FeedIngestor(), ["https://example.org/feed", "example.org", "feed:https://example.org/x"])


@pytest.mark.parametrize(
    ("target", "claimed"),
    [("example.org", "https://example.org/"), ("example.org/feed", "https://example.org/feed"),
     ("feed://example.org/x", "https://example.org/x"), ("HTTP://e.org", "http://e.org/"), ("/tmp", None),
     ("notes.txt", None), ("inbox.mbox", None), ("a word", None), ("ftp://e.org/", None), ("word", None)],
)  # fmt: skip
def test_claims(target: str, claimed: str | None) -> None:
    claim = FeedIngestor().claim(target)
    assert (claim and claim.target) == claimed


def test_the_registry_finds_the_feed_reader() -> None:
    assert "feeds" in registry.names()
    claim = registry.claim("https://example.org/feed")
    assert claim is not None
    assert (claim.ingestor, claim.kind) == ("feeds", "feed")
    assert registry.claim("no such thing") is None


async def test_a_feed_becomes_entries(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/f"] = Route(RSS, headers={"Content-Type": "application/rss+xml"}, gzip=True)
    result = await _fetch(server, tools)
    assert result.title == "Birds & bees"
    assert result.interval_s == 5400
    first, second = result.entries
    assert (first.key, first.title, first.people, first.tags) == ("s-1", "Swifts", ("Ada",), ("birds",))
    assert first.text == "They sleep\nin the air.\n\nTruly."
    assert first.url == server.url("/swifts?a=1&b=2")
    assert first.published == datetime(2026, 11, 3, 7, tzinfo=UTC)
    assert (second.key, second.published, second.text) == ("http://example.org/2", None, "")


async def test_an_unchanged_feed_is_not_read_again(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/f"] = Route(RSS, headers={"Cache-Control": "public, max-age=7200"})
    first = await _fetch(server, tools)
    second = await _fetch(server, tools, dict(first.cursor))
    assert second.not_modified
    assert second.cursor == first.cursor
    assert (first.interval_s, second.interval_s) == (7200, 7200)
    server.routes["/f"] = Route(ATOM)
    third = await _fetch(server, tools, dict(second.cursor))
    assert [entry.key for entry in third.entries] == ["tag:x,1"]


async def test_a_new_parser_version_asks_for_everything(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/f"] = Route(RSS)
    cursor = {**(await _fetch(server, tools)).cursor, "parser": 0}
    assert len((await _fetch(server, tools, cursor)).entries) == 2


@pytest.mark.parametrize(
    ("route", "kind", "words"),
    [
        (Route(b"<!doctype html><title>Log in</title><p>Pay."), "parse", "web page"),
        (Route(b""), "parse", "empty"),
        (Route(b"  \n "), "parse", "empty"),
        (Route(b'{"error": 1}'), "parse", "not a JSON Feed"),
        (Route(b"%PDF-1.7 ..."), "parse", "PDF"),
        (Route(b"<opml><body/></opml>"), "parse", "OPML"),
        (Route(status=404, etag=False), "not-found", "404"),
        (Route(status=410, etag=False), "gone", "410"),
    ],
)
async def test_what_is_no_feed_keeps_the_old_validators(
    server: LoopbackServer, tools: Tools, route: Route, kind: str, words: str
) -> None:
    server.routes["/f"] = route
    cursor = {"url": server.url("/f"), "etag": '"old"', "parser": 1}
    result = await _fetch(server, tools, cursor)
    assert result.error is not None
    assert result.error.kind == kind
    assert words in result.error.message
    assert result.cursor == cursor


async def test_retry_after_reaches_the_caller(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/f"] = Route(status=503, headers={"Retry-After": "77"}, etag=False)
    assert (await _fetch(server, tools)).retry_after_s == 77


async def test_a_web_page_names_its_feeds(server: LoopbackServer, tools: Tools) -> None:
    page = b"<html><head><link rel='alternate' type='application/rss+xml' href='/feed.xml'></head></html>"
    server.routes["/f"] = Route(page)
    error = (await _fetch(server, tools)).error
    assert error is not None
    assert server.url("/feed.xml") in error.message


async def test_an_empty_feed_is_no_error(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/f"] = Route(b"<rss version='2.0'><channel><title>quiet</title></channel></rss>")
    result = await _fetch(server, tools)
    assert result.error is None
    assert result.entries == ()


async def test_a_moved_feed_says_so(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/f"] = Route(status=301, headers={"Location": "/new"}, etag=False)
    server.routes["/new"] = Route(RSS)
    result = await _fetch(server, tools)
    assert result.moved_to == server.url("/new")
    again = await _fetch(server, tools, dict(result.cursor))
    assert again.not_modified
    assert "if-none-match" not in server.requests("/f")[1].headers


def test_atom() -> None:
    answer = _parse(ATOM)
    (entry,) = answer["entries"]
    assert entry["title"] == "Café now"
    assert entry["url"] == "https://example.org/feed/one"
    assert entry["people"] == ["Bo", "Cy"]
    assert entry["text"] == "Body"
    assert entry["published"] == datetime(2026, 11, 1, 10, tzinfo=UTC).timestamp()


def test_rdf() -> None:
    body = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
    <channel rdf:about="http://e.org/"><title>r</title></channel>
    <item rdf:about="http://e.org/1"><title>one</title><link>http://e.org/1</link></item></rdf:RDF>"""
    (entry,) = _parse(body)["entries"]
    assert (entry["key"], entry["title"]) == ("http://e.org/1", "one")


def test_the_daily_list_of_arxiv() -> None:
    body = b"""<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>cs.IR</title>
    <item><title>Pooling</title><link>https://arxiv.org/abs/2611.01234</link>
    <description>arXiv:2611.01234v2 Announce Type: new
Abstract: We pool.</description><guid isPermaLink="false">oai:arXiv.org:2611.01234v2</guid>
    <dc:creator>Ada Lovelace, Bo Diddley</dc:creator></item></channel></rss>"""
    (entry,) = _parse(body)["entries"]
    assert entry["identifiers"] == {"arxiv": "2611.01234"}
    assert entry["people"] == ["Ada Lovelace", "Bo Diddley"]
    assert entry["text"] == "We pool."


def _items(*items: str) -> list[dict[str, Any]]:
    body = f"<rss version='2.0'><channel>{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    entries: list[dict[str, Any]] = _parse(body.encode())["entries"]
    return entries


def test_items_that_share_a_guid_are_all_kept() -> None:
    """IDN-02."""
    entries = _items(
        "<guid>g</guid><title>a</title><link>http://e.org/a</link>",
        "<guid>g</guid><title>b</title><link>http://e.org/b</link>",
        "<guid isPermaLink='false'>g</guid><title>c</title>",
        "<guid>g</guid><title>d</title><link>http://e.org/same</link>",
        "<guid>g</guid><title>e</title><link>http://e.org/same</link>",
    )
    assert len({entry["key"] for entry in entries}) == 5
    assert entries[0]["key"] == "http://e.org/a"


def test_a_true_copy_is_dropped() -> None:
    entries = _items(*["<guid>http://e.org/1</guid><title>a</title>"] * 2, "<title>b</title>")
    assert [entry["title"] for entry in entries] == ["a", "b"]
    assert entries[0]["key"] == "http://e.org/1"


def test_identity_without_guid_and_link_is_the_content() -> None:
    """IDN-01."""
    one, two, again = (_items(f"<title>{t}</title>")[0]["key"] for t in ("a", "b", "a"))
    assert one == again != two


@pytest.mark.parametrize(
    "date", ["Mon, 99 Foo 2026 99:99:99 +9999", "9999-12-31T23:59:59+00:00", "0001-01-01", "soon", ""]
)
def test_odd_dates_lose_no_item(date: str) -> None:
    """IDN-10."""
    (entry,) = _items(f"<title>a</title><pubDate>{date}</pubDate>")
    assert entry["published"] is None or isinstance(entry["published"], int)


def test_sloppy_feeds_are_read() -> None:
    body = b"\n\n<rss version='2.0'><channel><title>A & B</title><item><title>x < y & z</title></item>"
    assert [entry["title"] for entry in _parse(body)["entries"]] == ["x < y & z"]


@pytest.mark.parametrize(
    ("charset", "label"),
    [("utf-8", "utf-8"), ("utf-16", "utf-16"), ("gb18030", "gb2312"), ("koi8-r", "KOI8-R"),
     ("windows-1251", "windows-1251"), ("shift_jis", "Shift_JIS"), ("utf-8", "iso-8859-1")],
)  # fmt: skip
def test_character_sets(charset: str, label: str) -> None:
    """PRS-08."""
    text = {"gb18030": "汉字", "shift_jis": "日本"}.get(charset, "Привет")
    prolog = f'<?xml version="1.0" encoding="{label}"?>'
    body = f'{prolog}<rss version="2.0"><channel><title>{text}</title></channel></rss>'
    assert _parse(body.encode(charset))["title"] == text


def test_character_sets_are_known_by_the_names_that_servers_give_them() -> None:
    """PRS-08."""
    labels = {"日本": "EUC-JP ISO-2022-JP MS932 Shift_JIS", "한": "EUC-KR KS_C_5601-1987 uhc"}
    labels |= {"汉": "GB2312 GBK GB18030", "漢": "Big5 Big5-HKSCS"}
    labels |= {"и": "ISO-8859-5 windows-1251 KOI8-R KOI8-U IBM866 UTF-16LE UTF-32BE"}
    labels |= {"é": "macintosh latin1 ISO-8859-15 ISO_8859-16 windows-1252 windows-1258", "ไ": "cp874"}
    for text, names in labels.items():
        for name in names.split():
            assert decode(text.encode(name), f"text/xml; charset={name}") == text, name


def test_the_byte_order_mark_beats_the_header_which_beats_the_prolog() -> None:
    """PRS-08."""
    assert decode("é".encode("utf-8-sig"), "text/xml; charset=koi8-r") == "é"
    prolog = '<?xml version="1.0" encoding="windows-1252"?>и'
    assert decode(prolog.encode("koi8-r"), "text/xml; charset=koi8-r") == prolog


def test_quotes_of_windows_in_latin_1() -> None:
    assert decode(b"\x93quoted\x94", "text/xml; charset=iso-8859-1") == "“quoted”"


def test_a_stray_byte_does_not_turn_utf_8_into_another_set() -> None:
    assert decode("Grüße äöü ÄÖÜ ß €".encode() + b"\xff") == "Grüße äöü ÄÖÜ ß €\ufffd"


def _json_feed(**item: object) -> dict[str, Any]:
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [item]}
    (entry,) = _parse(json.dumps(feed).encode())["entries"]
    result: dict[str, Any] = entry
    return result


def test_json_feed() -> None:
    entry = _json_feed(
        id="1",
        url="/a",
        title="T",
        content_html="<p>a</p><p>b</p>",
        date_published="2026-11-01T12:00:00+02:00",
        authors=[{"name": "Ada"}, {"url": "x"}],
        tags=["x", 5, None],
    )
    assert entry["text"] == "a\n\nb"
    assert (entry["url"], entry["people"], entry["tags"]) == ("https://example.org/a", ["Ada"], ["x", "5"])
    assert entry["published"] == datetime(2026, 11, 1, 10, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("identity", [1, 1.5, None, {}, [], "", " ", "a" * 10_000, "\ud800"])
def test_json_feed_with_odd_ids(identity: object) -> None:
    """PRS-12."""
    entry = _json_feed(id=identity, title="t", url=["no"], authors="no", tags="no", date_published=5)
    assert 0 < len(entry["key"]) <= 512


def test_json_feed_of_1_0_has_one_author() -> None:
    assert _json_feed(id="1", author={"name": "Ada"})["people"] == ["Ada"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"version": "https://jsonfeed.org/version/1"}',
        b'{"version": NaN}',
        b"[]",
        b'{"a": 1%s}' % (b"0" * 5000),
    ],
)
def test_json_that_is_no_feed(body: bytes) -> None:
    """PRS-12."""
    with pytest.raises(RefusalError):
        _parse(body)


def test_layout_tables_become_lines() -> None:
    inner = "<table><tr><td><h2>Head</h2></td></tr><tr><td>Some</td><td>text</td></tr></table>"
    assert html_to_text(f"<table><tr><td>{inner}</td></tr></table>") == "Head\n\nSome text"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain  text", "plain  text"),
        ("a &amp; b", "a & b"),
        ("<div><div>a</div></div><div>b</div>", "a\nb"),
        ("<p>a<p>b<br>c<br><br>d", "a\n\nb\nc\n\nd"),
        ("a<br></div>b", "a\nb"),
        ("x <b> bold</b>  <i>y</i>", "x bold y"),
        ("<ul><li>a<li><p>b</p></li></ul>", "* a\n* b"),
        ("<pre>if x:\n    y\n\tz</pre>after", "if x:\n    y\n    z\n\nafter"),
        ("<p>&#1;&#2;&#3;&#4;</p>b", "\ufffd\ufffd\ufffd\ufffd\n\nb"),
        ("<script>a</script>b<style>c</style>d", "bd"),
        ("<!-- only -->", ""),
        ("<p hidden>a</p>tail<p style='font-size: 0.8em'>small</p>", "tail\n\nsmall"),
        ("a\u00a0\u00a0<b>b</b>", "a b"),
    ],
)
def test_html_to_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize("document", [RSS, ATOM])
async def test_a_document_that_ends_in_the_middle_is_asked_for_as_a_whole_again(
    server: LoopbackServer, tools: Tools, document: bytes
) -> None:
    """PRS-09."""
    server.routes["/f"] = Route(
        document[: document.index(b"<updated>" if document is ATOM else b"</item>") + 12]
    )
    cut = await _fetch(server, tools)
    assert (cut.error, len(cut.entries)) == (None, 1)
    assert [refusal.reason for refusal in cut.refusals] == ["the document ends in the middle"]
    server.routes["/f"] = Route(document)
    whole = await _fetch(server, tools, dict(cut.cursor))
    assert "if-none-match" not in server.requests("/f")[-1].headers
    assert whole.refusals == ()
    assert whole.cursor["etag"]
