"""HTML cut at its tags comes to the same text as its tree, wherever the first way is taken at all."""

from __future__ import annotations

import random

import pytest

from ingestors.parsers import html
from ingestors.parsers.simplehtml import marked_text

TAGS = """
a b code em i p div ul ol li blockquote h1 h3 br hr img span table figure section pre td
"""
TEXTS = [
    *(
        "x",
        "y z",
        " ",
        "\n",
        "  a ",
        "&amp;",
        "&lt;",
        "&nbsp;",
        "&#39;",
        "&#8217;",
        "é",
        "\xa0",
        "&hellip;",
        "-",
    ),
    *(
        "1 < 2",
        "&shy;",
        "&#x2014;",
        "&ensp;",
        "&copy",
        "a&b",
        "&#150;",
        "&thinsp;q",
        "<!-- c -->",
        "\x01",
        "&#1;",
    ),
]
ATTRIBUTES = [
    *(
        ' class="x"',
        " href='y'",
        ' hidden=""',
        ' style="color:red"',
        ' style="display: none"',
        ' data-x="a>b"',
    ),
    *(" a=b", ' title="it\'s"', ' a="b"c="d"', ' x="'),
]
ALTS = ["", ' alt=""', ' alt="a  b"', ' alt="&amp;c&nbsp;"', ' alt="🙂"', " alt='1' width='1'", ' alt="&#1;"']


def _markup(choose: random.Random, depth: int) -> str:
    pieces = []
    for _ in range(choose.randint(1, 4)):
        if depth <= 0 or choose.random() < 0.45:
            pieces.append(choose.choice(TEXTS))
            continue
        tag = choose.choice(TAGS.split())
        attributes = choose.choice(ATTRIBUTES) if choose.random() < 0.2 else ""
        if tag in ("br", "hr", "img"):
            attributes += choose.choice(ALTS) if tag == "img" else ""
            pieces.append(f"<{tag}{attributes}{choose.choice(['', '/', ' /'])}>")
            continue
        inside = _markup(choose, depth - 1)
        if tag in ("ul", "ol") and choose.random() < 0.8:
            inside = "".join(f"<li>{_markup(choose, depth - 1)}</li>" for _ in range(choose.randint(1, 3)))
        pieces.append(f"<{tag}{attributes}>{inside}{f'</{tag}>' if choose.random() < 0.95 else ''}")
    return "".join(pieces)


def test_both_ways_lead_to_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = random.Random(11)
    documents = [_markup(choose, choose.randint(1, 4)) for _ in range(6_500)]
    simple = [document for document in documents if marked_text(document) is not None]
    assert len(simple) > 1_000
    quick = [html.html_to_text(document) for document in simple]
    monkeypatch.setattr(html, "marked_text", lambda _: None)
    assert quick == [html.html_to_text(document) for document in simple]


@pytest.mark.parametrize(
    "markup",
    [
        "<p>a</p>",
        "<p class='x' id=\"y\">a <a href='z'>link</a>, <em>words</em> &amp; &#8220;quotes&#8221;<br/></p>",
        "<div><ul><li>a</li><li><p>b</p></li></ul></div><hr />text",
        "<p style='margin: 0'>coloured</p>",
    ],
)
def test_what_most_posts_are_made_of_needs_no_tree(markup: str) -> None:
    assert marked_text(markup) is not None


@pytest.mark.parametrize(
    "markup",
    [
        "<p>a",
        "<p><div>a</div></p>",
        "<b><p>a</p></b>",
        "<i>a<b>c</i></b>",
        "<p/>a",
        "<li>a</li>",
        "<table><tr><td>a</td></tr></table>",
        "<p hidden>a</p>",
        "<p style='display:none'>a</p>",
        "<a title='>'>b</a>",
        '<a title="x>b</a><i class=">c</i>',
        "<p>&bogus;</p>",
        "<p>&#0;&#27;&#155;</p>",
        "<p>\x1b]0;x\x07</p>",
        "<p>a\u202eb</p>",
        "<script>a</script>",
        "<P>a</P>",
        "a < b <i>c</i>",
    ],
)
def test_what_has_to_be_mended_or_hidden_gets_a_tree(markup: str) -> None:
    assert marked_text(markup) is None
