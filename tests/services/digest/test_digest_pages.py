"""A digest as Markdown, HTML and text: what is said at its end, and what strangers may not do to it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from world import NOW

from triage.core import ending
from triage.core.items import Digest, Highlight, Item
from triage.services.digest import digest_pages

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=y>",
    '"><a href="javascript:x">',
    "[click](https://evil.example) ![pixel](https://evil.example/p.gif) <https://evil.example>",
    "*bold* `code` ~~gone~~ | table | $x$ &lt;b&gt; &#60;b&#62;",
    "# heading",
    "- item",
    "1. first",
    "---",
    "https://evil.example and www.evil.example",
    "\x1b[31mred\u202egnp.exe",
    "line\nbreak\n\n# and more",
    "x" * 10_000,
    "",
    "\\",
]


def item(number: int, title: str, **fields: object) -> Item:
    passage = Highlight(0, len(title), title, 0.5)
    given: dict[str, object] = {
        "kind": "feed",
        "source": title,
        "title": title,
        "url": "https://good.example/a",
        "people": (title,),
        "published": NOW - timedelta(hours=3),
        "minutes": 2.0,
        "score": 0.1,
        "match": "fair",
        "highlights": (passage,),
    }
    return Item(id=number, **given | fields)  # type: ignore[arg-type]


def digest(*items: Item, **fields: object) -> Digest:
    given: dict[str, object] = {"budget_minutes": 15.0, "considered": 40, "built_at": NOW}
    return Digest(items=items, **given | fields)  # type: ignore[arg-type]


class Tags(HTMLParser):
    """The elements of a page, and where it would go or load from."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("href", "src", "srcset")]
        assert not [name for name, _ in attributes if name.startswith("on")]


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_a_strangers_text_is_shown_literally_in_html(title: str) -> None:
    harmless = Tags(digest_pages.html(digest(item(1, "A title")), NOW))
    page = digest_pages.html(digest(item(1, title)), NOW)
    found = Tags(page)
    assert [n for n in found.names if n != "blockquote"] == [n for n in harmless.names if n != "blockquote"]
    assert found.addresses == ["https://good.example/a"]
    assert "\x1b" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_a_strangers_text_is_shown_literally_in_markdown(title: str) -> None:
    page = digest_pages.markdown(digest(item(1, title, url=None)), NOW)
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(page)
    found = Tags(rendered)
    assert set(found.names) <= {"h1", "h2", "ul", "li", "p", "strong", "br", "blockquote", "hr"}
    assert found.names.count("h2") == found.names.count("li") == 1
    assert "<b>" not in rendered


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//evil.example",
        "https://[",
        "mailto:x@y",
    ],
)
def test_only_the_web_is_linked(url: str) -> None:
    hostile = digest(item(1, "T", url=url))
    assert Tags(digest_pages.html(hostile, NOW)).addresses == []
    assert "](" not in digest_pages.markdown(hostile, NOW)
    assert url not in digest_pages.text(hostile, NOW)


def test_an_address_cannot_end_its_place() -> None:
    odd = digest(item(1, "T", url='https://a.example/x> "onclick=y <b>'))
    assert Tags(digest_pages.html(odd, NOW)).addresses == ["https://a.example/x%3E%20%22onclick=y%20%3Cb%3E"]
    assert "(<https://a.example/x%3E%20%22onclick=y%20%3Cb%3E>)" in digest_pages.markdown(odd, NOW)


def test_all_forms_have_the_lanes_in_order_and_the_same_end() -> None:
    items = [
        item(n, f"Title {lane}", lane=lane) for n, lane in enumerate(("exploring", "for-you", "people"), 1)
    ]
    made = digest(*items, repeats=2, unfit=5, too_old=3, people_left=1, ruled_out=4)
    for form in (digest_pages.html, digest_pages.markdown, digest_pages.text):
        page = form(made, NOW)
        places = [page.index(f"Title {lane}") for lane in ("people", "for-you", "exploring")]
        assert places == sorted(places)
        said = " ".join(page.split())
        assert "22 matter less to you, 5 were worth a place but found no room, 1 from people or saved" in said
        assert "3 are too old by now, 2 repeat a story told above, 4 kept out by your rules." in said
    assert max(map(len, digest_pages.text(made, NOW).splitlines())) <= digest_pages.TEXT_WIDTH


def test_long_texts_say_what_is_planned_of_them() -> None:
    assert "8 of 35 min" in digest_pages.text(digest(item(1, "T", minutes=8.0, length=35.2)), NOW)


# ---------------------------------------------------------------- the end


def test_what_may_have_been_missed_is_said_only_where_it_is_known() -> None:
    assert ending.missed(digest()) == ""
    assert "nothing of what came" in ending.missed(digest(missed=0.3))
    assert "about 4 of what came" in ending.missed(digest(missed=3.7))


def test_the_pace_is_said_once_it_is_the_readers_own() -> None:
    assert ending.pace(digest(words_per_minute=230.0)) == ""
    own = ending.pace(digest(words_per_minute=287.4, paced_by=12))
    assert "287 words a minute" in own
    assert "12 texts" in own


@pytest.mark.parametrize(("days", "since"), [(4, "since Thursday"), (9, "since Saturday 21 February")])
def test_a_digest_after_an_absence_says_since_when(days: int, since: str) -> None:
    assert ending.title(digest()) == "Monday 2 March"
    away = dataclasses.replace(digest(), since=NOW - timedelta(days=days))
    assert ending.title(away) == f"Monday 2 March, {since}"
