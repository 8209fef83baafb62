"""Documents that freeze, crash or blow up parsing libraries, end to end: served, fetched, refused by name."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route

from ingestors.base import FetchRequest, FetchResult, Tools
from ingestors.feeds import FeedIngestor
from ingestors.testing import check_result

CPU = "reading it took more than 1 s of processor time"


BROKEN = "<a>&</a>"
"""Makes a feed one for feedparser."""


def _rss(inside: str, before: str = "") -> bytes:
    channel = f"<channel><title>t</title>{inside}</channel>"
    return f'<?xml version="1.0"?>{before}<rss version="2.0">{channel}</rss>'.encode()


async def _fetch(server: LoopbackServer, tools: Tools, body: bytes, kind: str = "text/xml") -> FetchResult:
    server.routes["/f"] = Route(
        gzip.compress(body), headers={"Content-Type": kind, "Content-Encoding": "gzip"}
    )
    request = FetchRequest(target=server.url("/f"), allow_local=True, cursor={"url": "kept"})
    result = await FeedIngestor().fetch(request, tools)
    check_result(request, result)
    return result


def _entity_chain() -> bytes:
    declared = "".join(f"<!ENTITY a{i} '&a{i - 1};'>" for i in range(1, 30_000))
    return _rss("<item><title>&a29999;</title></item>", f"<!DOCTYPE rss [<!ENTITY a0 'x'>{declared}]>")


def _amplification() -> bytes:
    entity = f"<!DOCTYPE rss [<!ENTITY a '{'a' * 4_000_000}'>]>"
    return _rss(f"<item><title>{'&a;' * 90}</title></item>", entity)


def _hidden_entity() -> bytes:
    before = (
        "<!-- <rss> --><?x <rss> ?><!DOCTYPE rss [ <!-- ]> --> <!eNtItY x SYSTEM 'file:///etc/passwd'> ]>"
    )
    return _rss("<item><title>&x;</title></item>", before)


@pytest.mark.parametrize(
    "body", [_entity_chain(), _amplification(), _hidden_entity()], ids=["F1", "F2", "xxe"]
)
async def test_declared_entities_are_refused(server: LoopbackServer, tools: Tools, body: bytes) -> None:
    """PRS-01, PRS-02, PRS-03."""
    result = await _fetch(server, tools, body)
    assert result.error is not None
    assert "declares entities" in result.error.message


async def test_a_doctype_without_entities_is_fine(server: LoopbackServer, tools: Tools) -> None:
    """PRS-03."""
    doctype = '<!DOCTYPE rss PUBLIC "-//N//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss-0.91.dtd">'
    result = await _fetch(server, tools, _rss("<item><title>Caf&eacute;</title></item>", doctype))
    assert [entry.title for entry in result.entries] == ["Café"]


@pytest.mark.parametrize(
    "inside",
    [
        f"<item><author>{'a' * 100_000}@</author></item>",
        pytest.param(
            "<item " + " ".join(f"a{i}='x'" for i in range(60_000)) + "></item>", marks=pytest.mark.slow
        ),
        pytest.param(
            "<item>" + "".join(f"<category>{i}</category>" for i in range(40_000)) + "</item>",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["F3 author", "F5 attributes", "F6 categories"],
)
async def test_what_takes_too_long_is_killed(server: LoopbackServer, tools: Tools, inside: str) -> None:
    """PRS-04"""
    started = time.monotonic()
    result = await _fetch(server, tools, _rss(inside + BROKEN))
    assert result.error is not None
    assert CPU in result.error.message
    assert time.monotonic() - started < 60


async def test_what_freezes_feedparser_is_read_in_a_moment_where_it_is_well_formed(
    server: LoopbackServer, tools: Tools
) -> None:
    """PRS-04"""
    author = f"<item><title>author</title><author>{'a' * 100_000}@</author></item>"
    categories = "<item>" + "".join(f"<category>{i}</category>" for i in range(40_000)) + "</item>"
    attributes = "<item " + " ".join(f"a{i}='x'" for i in range(60_000)) + "><title>attributes</title></item>"
    comment = f"<item><!--{'x' * 5_000_000}--><title>comment</title></item>"
    result = await _fetch(server, tools, _rss(author + categories + attributes + comment))
    assert result.error is None
    assert [entry.title for entry in result.entries] == ["author", "", "attributes", "comment"]


@pytest.mark.parametrize(
    "before", ["\n" * 200_000, f"<!--{'x' * 5_000_000}-->", "<?x " + "y" * 1_000_000 + "?>" + " \n" * 50_000]
)
async def test_nothing_before_the_first_element_costs_anything(
    server: LoopbackServer, tools: Tools, before: str
) -> None:
    """PRS-04."""
    body = before.encode() + b"<rss version='2.0'><channel><item><title>here</title></item></channel></rss>"
    result = await _fetch(server, tools, body)
    assert [entry.title for entry in result.entries] == ["here"]


@pytest.mark.parametrize("reference", ["&#xD800;", "&#x110000;", "&#99999999999;", "&#0;"])
async def test_references_to_no_character(server: LoopbackServer, tools: Tools, reference: str) -> None:
    """PRS-05."""
    result = await _fetch(server, tools, _rss(f"<item><title>a & {reference} b</title><link>x</item>"))
    assert result.error is None or result.error.kind == "parse"


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "utf-7", "cp037", "undefined", "punycode", "rot13", "idna"]
)
@pytest.mark.parametrize("place", ["prolog", "header"])
async def test_character_sets_that_hide_escapes_are_refused(
    server: LoopbackServer, tools: Tools, charset: str, place: str
) -> None:
    """PRS-05, PRS-08."""
    inside = "<rss version='2.0'><channel><item><title>\\x1b]52;c;AA\\x07</title></item></channel></rss>"
    prolog = f'<?xml version="1.0" encoding="{charset}"?>' if place == "prolog" else ""
    kind = "text/xml" if place == "prolog" else f"text/xml; charset={charset}"
    result = await _fetch(server, tools, (prolog + inside).encode(), kind)
    assert result.error is not None
    assert "character set" in result.error.message


async def test_a_body_that_is_a_path_opens_nothing(
    server: LoopbackServer, tools: Tools, tmp_path: Path
) -> None:
    """PRS-06."""
    planted = tmp_path / "feed.xml"
    os.mkfifo(planted)  # whoever opens it hangs
    for body in (str(planted).encode(), b"/dev/zero", b"/etc/passwd", server.url("/secret").encode()):
        result = await _fetch(server, tools, body)
        assert result.error is not None
        assert "not a feed" in result.error.message
    assert server.requests("/secret") == []


@pytest.mark.parametrize("slip", ["", BROKEN], ids=["well-formed", "broken"])
async def test_links_that_are_no_web_addresses_are_dropped(
    server: LoopbackServer, tools: Tools, slip: str
) -> None:
    """PRS-14"""
    links = [
        "--help;$(touch x)",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
    ]
    items = "".join(f"<item><title>{i}</title><link>{link}</link></item>" for i, link in enumerate(links[1:]))
    result = await _fetch(
        server, tools, _rss(f"<item><guid>{links[0]}</guid><title>g</title></item>{items}{slip}")
    )
    assert len(result.entries) == 5
    urls = [entry.url for entry in result.entries]
    assert urls[1:] == [None] * 4
    # A permalink guid is an address relative to the feed; it can only ever lead to a page there.
    assert urls[0] is None or urls[0].startswith(server.url("/"))


@pytest.mark.parametrize("slip", ["", BROKEN], ids=["well-formed", "broken"])
async def test_markup_leaves_only_its_text(server: LoopbackServer, tools: Tools, slip: str) -> None:
    """PRS-15"""
    markup = (
        "<style>p{x:url(/secret)}</style><script>fetch('/secret')</script><iframe src='/secret'>no</iframe>"
        "<img src='/secret' alt='pixel'><svg><text>no</text></svg><p>Seen &#150; &amp; said.</p>"
        "<p style='display: none'>no</p><div hidden>no</div><span style='font-size:0px'>no</span>"
        "<template>no</template><p>Second.</p>"
    )
    result = await _fetch(
        server, tools, _rss(f"<item><description><![CDATA[{markup}]]></description></item>{slip}")
    )
    assert result.entries[0].text == "[image: pixel]\n\nSeen – & said.\n\nSecond."
    assert server.requests("/secret") == []


async def test_deep_nesting_is_contained(server: LoopbackServer, tools: Tools) -> None:
    """PRS-11"""
    deep_html = "<div>" * 3_000 + "bottom" + "</div>" * 3_000
    cdata = await _fetch(
        server, tools, _rss(f"<item><description><![CDATA[{deep_html}]]></description></item>")
    )
    assert cdata.error is None
    assert len(cdata.entries) == 1
    deep_xml = await _fetch(server, tools, _rss("<a>" * 20_000))
    assert deep_xml.error is None or deep_xml.error.kind == "parse"
    deep_json = await _fetch(server, tools, b'{"items":' + b"[" * 100_000, "application/json")
    assert deep_json.error is not None
    assert deep_json.error.message.endswith("it is nested too deeply")


async def test_only_so_many_items_are_read(server: LoopbackServer, tools: Tools) -> None:
    """PRS-10."""
    body = (
        b'{"version": "https://jsonfeed.org/version/1.1", "items": ['
        + b",".join(b'{"id": %d, "title": "t"}' % i for i in range(2_500))
        + b"]}"
    )
    result = await _fetch(server, tools, body)
    assert len(result.entries) == 2_000
    assert [(refusal.name, refusal.reason) for refusal in result.refusals] == [
        ("items from 2001 on", "only 2000 items are read")
    ]


async def test_one_long_title_is_cut(server: LoopbackServer, tools: Tools) -> None:
    """PRS-10."""
    body = _rss(
        f"<item><title>{'word ' * 1_000_000}</title><description>{'x' * 400_000}</description></item>"
    )
    result = await _fetch(server, tools, body)
    assert [len(entry.title) for entry in result.entries] == [512]
    assert [len(entry.text) for entry in result.entries] == [200_000]


async def test_a_feed_cut_off_anywhere_is_no_crash(server: LoopbackServer, tools: Tools) -> None:
    """PRS-09"""
    whole = _rss(
        "<item><title>one</title><link>http://e.org/1</link></item><item><title>tw&ouml;</title></item>"
    )
    for end in range(0, len(whole), 7):
        result = await _fetch(server, tools, whole[:end])
        assert result.error is None or result.error.kind == "parse"
