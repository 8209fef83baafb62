"""The text behind a link, end to end: served, fetched, read in a child; or an honest reason why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from documents import SENTENCE, article, pdf
from loopback import LoopbackServer, Route

from ingestors.base import FetchError, Tools
from ingestors.fulltext import MAX_PAGE, FullText, addresses, fetch_full_text

HTML = {"Content-Type": "text/html; charset=utf-8"}


async def fetch(
    server: LoopbackServer, tools: Tools, body: str | bytes, kind: str = "text/html; charset=utf-8"
) -> FullText:
    data = body.encode() if isinstance(body, str) else body
    server.routes["/a"] = Route(data, headers={"Content-Type": kind}, gzip=True)
    return await fetch_full_text([server.url("/a")], tools, allow_local=True)


def reason(found: FullText) -> str:
    assert found.text == ""
    assert found.error is not None
    return found.error.message


async def test_an_article_without_what_stands_around_it(server: LoopbackServer, tools: Tools) -> None:
    page = article(
        "<h2>Costs</h2><p>Nine years and <b>three</b> million.</p><ul><li>rails</li><li>stops</li></ul>"
        "<pre>a = 1\n    b = 2</pre><p style='font-size:0'>words for a ranker</p>"
        "<p onclick='x()'>The end &amp; no more<script>track()</script>.</p>"
    )
    found = await fetch(server, tools, page)
    assert found.error is None
    assert found.text.startswith(SENTENCE)
    assert found.text.endswith(
        "Costs\n\nNine years and three million.\n\n* rails\n* stops\n\na = 1\n    b = 2\n\nThe end & no more."
    )
    assert server.log[-1].headers["accept"].startswith("text/html")
    assert not {"referer", "cookie"} & set(server.log[-1].headers)


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ("", "<form>Please log in <input type='password'></form>", "asks for a login"),
        ("", "<p>We value your privacy. We and our 812 partners store cookies.</p>", "answer about cookies"),
        ("", "<div id='root'></div><script src='/app.js'></script>", "put together by scripts"),
        ("<noscript>Please enable JavaScript.</noscript>", "<p>Loading</p>", "put together by scripts"),
        ("<title>Just a moment...</title>", "<p>Checking your browser</p>", "proof that a person asks"),
        ("<title>404 – Harbour Post</title>", "<p>Sorry.</p>", "was not found"),
        ("", f"<article><p>{SENTENCE}</p></article><p>Subscribe to continue reading.</p>", "paywall"),
        (
            '<script type="application/ld+json">{"isAccessibleForFree": "False"}</script>',
            f"<article>{'<p>' + SENTENCE * 20 + '</p>'}</article>",
            "paywall",
        ),
        ("", "", "no article"),
    ],
)
async def test_a_wall_is_not_taken_for_an_article(
    server: LoopbackServer, tools: Tools, head: str, body: str, said: str
) -> None:
    found = await fetch(server, tools, f"<html><head>{head}</head><body>{body}</body></html>")
    assert said in reason(found)


async def test_an_article_on_cookies_is_no_wall(server: LoopbackServer, tools: Tools) -> None:
    text = "<p>A cookie is set with consent; our partners read the privacy policy, or so they say.</p>"
    page = article(text).replace("<body>", "<body><form><input type='password'></form>")
    assert (await fetch(server, tools, page)).error is None


@pytest.mark.parametrize(
    ("declared", "charset"), [("gb18030", "gb18030"), ("iso-8859-1", "utf-8"), ("no-such-set", "utf-8")]
)
async def test_character_sets_are_found_in_the_page_or_not_believed(
    server: LoopbackServer, tools: Tools, declared: str, charset: str
) -> None:
    """PRS-05: the header names none, the page names one, rightly or wrongly."""
    text = "电车五月通到港口，轨道、车站和车厢都是新的。" * 12
    page = (
        f"<html><head><meta charset='{declared}'></head><body><article><p>{text}</p></article></body></html>"
    )
    found = await fetch(server, tools, page.encode(charset), "text/html")
    assert found.text == text


async def test_the_type_that_the_server_states_decides(server: LoopbackServer, tools: Tools) -> None:
    plain = await fetch(server, tools, f"{SENTENCE}\r\n\r\n\r\n<b>not</b> markup", "text/plain")
    assert plain.text == f"{SENTENCE}\n\n<b>not</b> markup"
    picture = await fetch(server, tools, b"\x89PNG", "image/png")
    assert reason(picture) == "its link leads to image/png, not to a page of text"
    assert "no stated type" in reason(await fetch(server, tools, article(), ""))
    document = await fetch(server, tools, pdf([[SENTENCE]]), "application/octet-stream")
    assert document.text == SENTENCE


async def test_the_address_that_a_page_calls_its_own(server: LoopbackServer, tools: Tools) -> None:
    own = article().replace("<head>", "<head><link rel='canonical' href='/tram'>")
    assert (await fetch(server, tools, own)).url == server.url("/tram")
    for foreign in ("https://elsewhere.example/tram", "/", "javascript:x"):
        page = article().replace("<head>", f"<head><link rel='canonical' href='{foreign}'>")
        assert (await fetch(server, tools, page)).url == server.url("/a")


async def test_an_arxiv_paper_is_asked_for_as_html_and_then_as_pdf(
    server: LoopbackServer, tools: Tools
) -> None:
    places = addresses(server.url("/abs/2601.00001v2"), {"arxiv": "2601.00001"})
    assert places == (server.url("/html/2601.00001v2"), server.url("/pdf/2601.00001v2"))
    assert addresses(server.url("/abs/x"), {}) == (server.url("/abs/x"),)
    server.routes["/pdf/2601.00001v2"] = Route(pdf([[SENTENCE]]), headers={"Content-Type": "application/pdf"})
    found = await fetch_full_text(places, tools, allow_local=True)
    assert (found.text, found.url) == (SENTENCE, places[1])
    assert [request.path for request in server.log] == ["/html/2601.00001v2", "/pdf/2601.00001v2"]


async def test_a_publishers_page_leads_to_its_paper(server: LoopbackServer, tools: Tools) -> None:
    presented = "<head><meta name='citation_pdf_url' content='/paper.pdf'>"
    server.routes["/p"] = Route(article().replace("<head>", presented).encode(), headers=HTML)
    server.routes["/paper.pdf"] = Route(
        pdf([["Only in the paper, which is long."]]), headers={"Content-Type": "application/pdf"}
    )
    paper = await fetch_full_text([server.url("/p")], tools, allow_local=True)
    assert paper.text == "Only in the paper, which is long."
    page = await fetch_full_text([server.url("/p")], tools, allow_local=True, papers=False)
    assert page.text.startswith(SENTENCE)


async def test_what_a_trusted_page_presents_is_not_trusted_with_private_addresses(
    server: LoopbackServer, tools: Tools
) -> None:
    with LoopbackServer({"/x": Route(pdf([[SENTENCE]]))}) as other:
        presented = f"<head><meta name='citation_pdf_url' content='{other.url('/x')}'>"
        found = await fetch(server, tools, article().replace("<head>", presented))
        assert "private address" in reason(found)
        assert other.log == []


@pytest.mark.parametrize(
    ("route", "kind", "said"),
    [
        (Route(status=403), "denied", "refuses access"),
        (Route(status=404), "not-found", "no such page"),
        (Route(status=429, headers={"Retry-After": "120"}), "limit", "fewer requests"),
        (Route(status=302, headers={"Location": "/"}), "not-found", "leads to its front page"),
        (Route(status=302, headers={"Location": "http://169.254.169.254/x"}), "blocked", "link-local"),
        (Route(status=302, headers={"Location": "file:///etc/passwd"}), "blocked", "only http and https"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_server_does_wrong_is_a_value(
    server: LoopbackServer, tools: Tools, route: Route, kind: str, said: str
) -> None:
    """NET-09, NET-15: one request, one reason."""
    server.routes |= {"/a": route, "/": Route(article().encode(), headers=HTML)}
    found = await fetch_full_text([server.url("/a")], tools, allow_local=True)
    assert said in reason(found)
    assert found.error is not None
    assert found.error.kind == kind
    assert found.retry_after_s == (120 if kind == "limit" else None)
    assert len(server.requests("/a")) == 1


async def test_private_addresses_need_permission(server: LoopbackServer, tools: Tools) -> None:
    """NET-09, PRV-07."""
    found = await fetch_full_text([server.url("/a")], tools)
    assert "private address" in reason(found)
    assert server.log == []


async def test_big_endless_and_bombed_pages_end_at_the_limit(server: LoopbackServer, tools: Tools) -> None:
    """NET-01, NET-02."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"<p>more</p>" * 50_000

    server.routes["/endless"] = Route(chunks=endless, headers=HTML)
    found = await fetch_full_text([server.url("/endless")], tools, allow_local=True)
    assert "larger than documents may be" in reason(found)
    packed = await fetch(server, tools, b"\0" * 60_000_000)
    assert "larger than documents may be" in reason(packed)
    big = await fetch(server, tools, "<p>" + "x" * (MAX_PAGE + 1))
    assert reason(big) == "its page is larger than 8 MB"


@pytest.mark.parametrize(
    "inside",
    [
        "<div>" * 100_000 + "bottom",
        "<table><tr><td>x" * 20_000,
        "<b>x" * 100_000,
        "&#x9b;&#0;&amp;" * 20_000,
        " " * 2_000_000 + "x",
        '<script type="application/ld+json">' + "[" * 100_000 + "</script>",
    ],
    ids=["divs", "tables", "unclosed", "references", "spaces", "json"],
)
async def test_hostile_pages_cost_seconds_at_most(server: LoopbackServer, tools: Tools, inside: str) -> None:
    """PRS-11, PRS-15: nesting and runs that make parsers recurse or backtrack."""
    started = time.monotonic()
    found = await fetch(server, tools, f"<html><body>{inside}</body></html>")
    assert found.error is None or found.error.kind == "parse"
    assert not {"\x1b", "\x9b", "\0"} & set(found.text)
    assert time.monotonic() - started < 8
    assert (await fetch(server, tools, article())).error is None, "the next page is read"


@pytest.mark.slow
async def test_attributes_without_end_are_killed(server: LoopbackServer, tools: Tools) -> None:
    attributes = " ".join(f"a{n}=x" for n in range(100_000))
    assert "processor time" in reason(await fetch(server, tools, f"<html><body><p {attributes}>t</p>"))


async def test_nothing_that_a_page_names_is_fetched(server: LoopbackServer, tools: Tools) -> None:
    """PRS-15, MAIL-13: frames, pictures, styles, refreshes."""
    named = (
        "<iframe src='/t'></iframe><img src='/t' srcset='/t 2x'><link rel=stylesheet href='/t'>"
        "<meta http-equiv=refresh content='0;url=/t'><style>p{background:url(/t)}</style>"
        "<script src='/t'></script>"
    )
    await fetch(server, tools, article(named))
    await asyncio.sleep(0.05)
    assert [request.path for request in server.log] == ["/a"]


# ---------------------------------------------------------------- PDF


async def test_a_pdf_document_becomes_paragraphs(server: LoopbackServer, tools: Tools) -> None:
    def page(number: int, *lines: str) -> list[str]:
        return ["Proceedings of the Harbour, 2026", *lines, str(number)]

    pages = [
        page(1, "The tram line to the harbour opens in May with new tracks and quie-", "ter carriages.", ""),
        page(2, "A second paragraph begins on another page and goes on for two full", "lines of the text."),
        page(3, "The third one ends it all."),
    ]
    found = await fetch(server, tools, pdf(pages), "application/pdf")
    assert found.text == (
        "The tram line to the harbour opens in May with new tracks and quieter carriages.\n\n"
        "A second paragraph begins on another page and goes on for two full lines of the text.\n\n"
        "The third one ends it all."
    )
    assert found.missing is None


async def test_of_a_long_document_the_rest_is_said_to_be_missing(
    server: LoopbackServer, tools: Tools
) -> None:
    found = await fetch(
        server, tools, pdf([["one", "two", SENTENCE, "four", "five"]] * 230), "application/pdf"
    )
    assert found.missing == "only 200 of 230 pages could be read"


async def test_a_page_in_an_unknown_encoding_costs_no_other_page(
    server: LoopbackServer, tools: Tools
) -> None:
    """PRS-17. A fuzzer found it: pypdf says of an unknown filter what is no error of its own."""
    body = pdf([[SENTENCE], ["x"]])
    first = body.index(b"/FlateDecode")
    last = body.rindex(b"/FlateDecode")
    found = await fetch(server, tools, body[:last] + b"/FlatceDeode" + body[last + 12 :], "application/pdf")
    assert found.text == SENTENCE
    assert found.missing == "only 1 of 2 pages could be read"
    found = await fetch(
        server, tools, body[:first] + body[first:].replace(b"Flate", b"Fleta"), "application/pdf"
    )
    assert reason(found).endswith("damaged")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"%PDF-1.4\n" + b"\0\xff" * 50_000, "damaged"),
        (pdf([["x"]])[:-40], "damaged"),
        (pdf([["x"]], trailer=b"/Encrypt<</Filter/Standard/V 1/R 2/O(a)/U(b)/P -4>>"), "encrypted"),
        (pdf([[]]), "pictures of its pages, but no text"),
        (pdf([["(x) Tj " * 11_000_000]], raw=True), "damaged"),
        (pdf([["x"]], kids=b"2 0 R"), "damaged"),
        (pdf([["x"]], trailer=b"/Prev 15"), ""),
        (pdf([["x"]], kids=b"4 0 R " * 50_000), ""),
        (b"<html>a login</html>", "damaged"),
    ],
    ids=["junk", "no xref", "encrypted", "scan", "deflate bomb", "tree loop", "xref loop", "pages", "html"],
)
async def test_hostile_pdf_documents_are_refused_in_words(
    server: LoopbackServer, tools: Tools, body: bytes, said: str
) -> None:
    found = await fetch(server, tools, body, "application/pdf")
    assert isinstance(found.error, FetchError)
    assert said in reason(found)
