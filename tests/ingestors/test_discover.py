"""From the address of a site to its feeds."""

from __future__ import annotations

import pytest
from loopback import LoopbackServer, Route

from ingestors import sites
from ingestors.base import Tools
from ingestors.discover import MAX_CHECKED, Discovery, discover
from ingestors.feeds import FeedIngestor
from ingestors.parsers.feed_links import MAX_FEEDS, parse_links
from ingestors.wire import RefusalError


def rss(title: str, *items: str, text: str = "short") -> Route:
    body = "".join(
        f"<item><guid>{i}</guid><title>{i}</title><link>https://post.example/{i}</link>"
        f"<description>{text}</description></item>"
        for i in items
    )
    return Route(f"<rss version='2.0'><channel><title>{title}</title>{body}</channel></rss>".encode())


def page(head: str, body: str = "") -> Route:
    return Route(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode())


def link(href: str, title: str = "", kind: str = "application/rss+xml") -> str:
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


async def find(server: LoopbackServer, tools: Tools, path: str = "/", *, first: bool = False) -> Discovery:
    return await discover(server.url(path), FeedIngestor(), tools, allow_local=True, first=first)


def paths(server: LoopbackServer) -> list[str]:
    return [request.path for request in server.log]


async def test_a_feed_is_found_with_one_request_and_its_answer_is_kept(
    server: LoopbackServer, tools: Tools
) -> None:
    server.routes["/f"] = rss("Notes", "a", "b")
    (feed,) = (await find(server, tools, "/f")).feeds
    assert (feed.result.title, len(feed.result.entries)) == ("Notes", 2)
    assert feed.result.cursor["etag"]
    assert paths(server) == ["/f"]


async def test_a_page_is_asked_once_and_its_feeds_once_each(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/blog/"] = page(
        '<base href="/b/">'
        + link("comments/feed", "Comments")
        + link("feed.xml", "Posts")
        + link("feed.xml#x")
    )
    server.routes["/b/feed.xml"] = rss("Posts", "a", "b")
    server.routes["/b/comments/feed"] = rss("Comments on posts", "c")
    found = await find(server, tools, "/blog/")
    assert [feed.url for feed in found.feeds] == [server.url("/b/feed.xml"), server.url("/b/comments/feed")]
    assert sorted(paths(server)) == ["/b/comments/feed", "/b/feed.xml", "/blog/"]


async def test_one_feed_in_two_formats_is_one_and_the_longer_text_wins(
    server: LoopbackServer, tools: Tools
) -> None:
    server.routes["/"] = page(link("/teasers") + link("/whole") + link("/other"))
    server.routes["/teasers"] = rss("N", "a", "b", "c")
    server.routes["/whole"] = rss("N", "a", "b", "c", text="long " * 50)
    server.routes["/other"] = rss("O", "d")
    feeds = (await find(server, tools)).feeds
    assert [feed.url for feed in feeds] == [server.url("/whole"), server.url("/other")]
    assert feeds[0].also == (server.url("/teasers"),)


async def test_the_first_feed_is_enough_if_that_is_asked_for(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/"] = page(link("/gone") + link("/a") + link("/b"))
    server.routes["/a"] = rss("A", "a")
    server.routes["/b"] = rss("B", "b")
    assert [feed.url for feed in (await find(server, tools, first=True)).feeds] == [server.url("/a")]
    assert paths(server) == ["/", "/gone", "/a"]


async def test_usual_places_are_tried_where_a_page_names_no_feed(
    server: LoopbackServer, tools: Tools
) -> None:
    server.routes["/"] = page('<meta name="generator" content="Hugo 0.140">')
    server.routes["/index.xml"] = rss("H", "a")
    assert [feed.url for feed in (await find(server, tools)).feeds] == [server.url("/index.xml")]
    assert paths(server) == ["/", "/index.xml"]


async def test_a_page_without_feeds_says_so_after_few_requests(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/"] = page("<title>x</title>")
    found = await find(server, tools)
    assert found.feeds == ()
    assert found.error is not None
    assert found.error.message == "127.0.0.1 is a web page that offers no feed"
    assert len(server.log) <= 8


@pytest.mark.parametrize(("status", "words"), [(403, "refuses access"), (500, "out of order"), (404, "404")])
async def test_a_site_that_refuses_is_asked_once(
    server: LoopbackServer, tools: Tools, status: int, words: str
) -> None:
    server.routes["/"] = Route(b"<html>no</html>", status=status, etag=False)
    found = await find(server, tools)
    assert found.error is not None
    assert words in found.error.message
    assert len(server.log) == 1


async def test_a_loop_of_redirects_is_an_error(server: LoopbackServer, tools: Tools) -> None:
    """NET-06"""
    server.routes["/"] = Route(status=302, headers={"Location": "/"}, etag=False)
    found = await find(server, tools)
    assert found.error is not None
    assert "redirects more than" in found.error.message


async def test_a_page_of_a_hundred_thousand_links_is_read_with_a_bounded_number_of_requests(
    server: LoopbackServer, tools: Tools
) -> None:
    many = "".join(link(f"/feed/{n}") for n in range(100_000))
    server.routes["/"] = page(many)
    server.routes["/feed/1"] = rss("One", "a")
    found = await find(server, tools)
    assert [feed.url for feed in found.feeds] == [server.url("/feed/1")]
    assert len(server.log) == 1 + MAX_CHECKED


async def test_a_page_without_end_is_cut(server: LoopbackServer, tools: Tools) -> None:
    server.routes["/"] = Route(chunks=lambda: (b"<html>" + b"x" * 2**20 for _ in range(100)))
    found = await find(server, tools)
    assert found.error is not None
    assert "larger than" in found.error.message


def links(markup: str, url: str = "https://e.org/blog/") -> list[str]:
    found = parse_links(f"<!doctype html>{markup}".encode(), url=url, content_type="")
    return [feed["url"] for feed in found["feeds"]]


def test_links_of_a_page_are_absolute_and_only_those_to_feeds() -> None:
    markup = (
        link("feed")
        + link("//cdn.e.org/atom", kind="Application/Atom+XML; charset=utf-8")
        + link("/wp-json/x", kind="application/json")
        + link("/feed.json", kind="application/json")
        + link("/oembed", kind="application/json+oembed")
        + link("javascript:alert(1)")
        + link("file:///etc/passwd")
        + link("http://[")
        + link("feed://f.org/x")
        + '<link rel="stylesheet" type="text/xml" href="/s"><link rel="feed" href="/html5">'
        + '<a href="/never.rss">RSS</a>'
    )
    assert links(markup) == [
        "https://e.org/blog/feed",
        "https://cdn.e.org/atom",
        "https://e.org/feed.json",
        "https://f.org/x",
        "https://e.org/html5",
    ]


def test_links_in_the_text_count_where_the_head_names_none() -> None:
    markup = (
        '<a href="/about">About</a><a href="podcast://p.org/show.xml">Listen</a><a href="/x.rss">here</a>'
        '<a href="/subscribe">RSS</a><a href="/essay">On feeding feeds and why an atom is not a molecule</a>'
    )
    assert links(markup) == ["https://p.org/show.xml", "https://e.org/x.rss", "https://e.org/subscribe"]


def test_a_channel_is_found_by_what_its_page_says_of_itself() -> None:
    markup = '<meta itemprop="identifier" content="UC0123456789abcdefghijkl">'
    found = parse_links(f"<html>{markup}".encode(), url="https://www.youtube.com/@x", content_type="")
    (about,) = found["about"]
    assert [guess.url for guess in sites.guesses(about)] == [
        "https://www.youtube.com/feeds/videos.xml?channel_id=UC0123456789abcdefghijkl"
    ]


def test_a_directory_of_podcasts_names_the_feed() -> None:
    body = b'{"resultCount":1,"results":[{"feedUrl":"https://p.org/f.xml","collectionName":"P"},{"feedUrl":7},3]}'
    found = parse_links(body, url="https://itunes.apple.com/lookup", content_type="")
    assert found["feeds"] == [{"url": "https://p.org/f.xml", "title": "P"}]
    assert sites.lookup("https://podcasts.apple.com/gb/podcast/p/id1234567890?i=1") == (
        "https://itunes.apple.com/lookup?id=1234567890&entity=podcast"
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"\x00\xff", b"<html>" * 5000, b"<base href='http://['><link>"]
)
def test_odd_pages_offer_nothing(body: bytes) -> None:
    try:
        found = parse_links(body, url="https://e.org/", content_type="")
    except RefusalError:
        return
    assert len(found["feeds"]) <= MAX_FEEDS


@pytest.mark.parametrize(
    ("url", "feeds"),
    [
        ("https://www.youtube.com/playlist?list=PL12", ["https://www.youtube.com/feeds/videos.xml?playlist_id=PL12"]),
        ("https://www.youtube.com/@somebody", []),
        (
            "https://github.com/octo/hello.world/",
            [f"https://github.com/octo/hello.world/{what}.atom" for what in ("releases", "tags", "commits")],
        ),
        ("https://github.com/octo/hello/tree/main", ["https://github.com/octo/hello/commits/main.atom"]),
        ("https://github.com/octo/hello/releases.atom", []),
        ("https://github.com/octo", ["https://github.com/octo.atom"]),
        ("https://github.com/explore", []),
        (
            "https://gitlab.com/a/b/c/-/issues",
            [
                "https://gitlab.com/a/b/c/-/releases.atom",
                "https://gitlab.com/a/b/c/-/tags?format=atom",
                "https://gitlab.com/a/b/c.atom",
            ],
        ),
        ("https://old.reddit.com/r/python/", ["https://www.reddit.com/r/python/.rss"]),
        ("https://www.reddit.com/u/me", ["https://www.reddit.com/user/me/.rss"]),
        ("https://social.example/@ada", ["https://social.example/@ada.rss"]),
        ("https://social.example/@ada@other.example", ["https://other.example/@ada.rss"]),
        ("https://www.tiktok.com/@ada", []),
        ("https://news.ycombinator.com/", ["https://news.ycombinator.com/rss"]),
        ("https://news.ycombinator.com/user?id=pg", ["https://hnrss.org/user?id=pg"]),
        ("https://medium.com/@ada/a-story", ["https://medium.com/feed/@ada"]),
        ("https://ada.substack.com/p/a-post", ["https://ada.substack.com/feed"]),
        ("https://ada.wordpress.com", ["https://ada.wordpress.com/feed/"]),
        ("https://bsky.app/profile/ada.example", ["https://bsky.app/profile/ada.example/rss"]),
        ("https://example.org/", []),
        ("https://example.org/feed.xml", []),
        ("http://[", []),
        ("https://github.com/" + "a/" * 5000, []),
        ("https://gitlab.com/" + "a/" * 5000, None),
    ],
)  # fmt: skip
def test_known_sites(url: str, feeds: list[str] | None) -> None:
    found = [guess.url for guess in sites.guesses(url)]
    assert feeds is None or found == feeds
