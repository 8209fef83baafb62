"""Links and images of HTML: what is kept of them, and what is not."""

from __future__ import annotations

import time

import lxml.etree
import pytest

from ingestors.parsers.anchors import links_of, links_of_tree
from ingestors.parsers.html import html_to_text
from ingestors.parsers.links import direct_url
from ingestors.wire import MAX_LINKS


def test_links_have_their_words_and_an_absolute_address_each_once() -> None:
    markup = (
        '<p>See <a href="/a?x=1&amp;y=2">the <b>plan</b></a>, <A class=x HREF=https://b.example/>B</A>,'
        " <a href='#top'>up</a>, <a href='mailto:a@b.example'>mail</a>, <a href='javascript:x()'>x</a>,"
        ' <a href="/a?x=1&amp;y=2">again</a>, <a href="/c"></a>, <a name="d">d</a>'
        ' <a href="/e"><img src="e.png" alt="The quay"></a></p>'
    )
    assert links_of(markup, "https://a.example/posts/1") == [
        ("the plan", "https://a.example/a?x=1&y=2"),
        ("B", "https://b.example/"),
        ("[image: The quay]", "https://a.example/e"),
    ]


def test_links_of_xhtml_are_found_in_its_tree() -> None:
    tree = lxml.etree.fromstring(
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>A <a href="/x">plain\n <i>link</i></a></p></div>'
    )
    assert links_of_tree(tree, "https://a.example/") == [("plain link", "https://a.example/x")]


def test_redirectors_are_taken_off_the_links_of_mails() -> None:
    counted = '<a href="https://click.example/?url=https%3A%2F%2Fa.example%2Fplan&amp;utm_source=x">plan</a>'
    assert links_of(counted, direct=direct_url) == [("plan", "https://a.example/plan")]


@pytest.mark.parametrize(
    "markup",
    [
        "<a href=x>" * 20_000,
        '<a href="' * 20_000,
        "<a " * 66_000,
        "<a href='http://x.example/" + "y" * 199_000,
    ],
)
def test_hostile_links_cost_little(markup: str) -> None:
    begin = time.process_time()
    assert len(links_of(markup, "https://a.example/")) <= MAX_LINKS
    assert time.process_time() - begin < 1.0


@pytest.mark.parametrize("before", ["", "<table></table>"], ids=["by tags", "by tree"])
@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("<img src='a.png' alt='A quay &amp; a &lt;ship&gt;'>", "x [image: A quay & a <ship>] y"),
        ('<img alt="🙂" class="emoji">', "x🙂y"),
        ('<img alt="">', "xy"),
        ("<img>", "xy"),
        ('<img alt="counted" width="1" height="1">', "xy"),
        ('<img alt="unseen" style="display:none">', "xy"),
    ],
)
def test_an_image_is_its_alternative_text_whichever_way_it_is_read(
    before: str, image: str, text: str
) -> None:
    assert html_to_text(f"{before}<p>x{image}y</p>") == text
