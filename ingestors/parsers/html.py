"""HTML to plain text: paragraphs separated by a blank line, nothing that a reader would not see.

Our own, over an lxml tree, because text is all that is kept: a library that lays out like a browser costs
2.4 times as much (0.23 against 0.10 ms for an entry of 2 KB), pads layout tables with spaces, and recurses.
"""

from __future__ import annotations

import html
import re
from typing import Any

import lxml.etree

from ingestors.parsers.simplehtml import BLOCK, BULLET, HIDDEN_STYLE, PARAGRAPH, image_words, marked_text
from ingestors.wire import MAX_TEXT

Element = Any  # lxml has no types

# Marks in the output, resolved at the end: only the strongest of neighbouring breaks counts. No text
# can hold them, because `_CHARACTERS` replaces them in all of it.
_BLOCK, _PARAGRAPH, _BULLET, _KEPT_SPACE = BLOCK, PARAGRAPH, BULLET, "\4"

HIDDEN_TAGS = {
    *("head", "script", "style", "template", "noscript", "iframe", "object", "svg", "math"),
    *("textarea", "select", "button"),
}
BREAKS = {
    **dict.fromkeys(("address", "article", "aside", "dd", "details", "div", "dl", "dt", "fieldset"), _BLOCK),
    **dict.fromkeys(("figcaption", "footer", "form", "header", "hr", "main", "nav", "section"), _BLOCK),
    **dict.fromkeys(("summary", "table", "caption", "tr", "ul", "ol", "li"), _BLOCK),
    **dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6"), _PARAGRAPH),
    **dict.fromkeys(("blockquote", "figure", "pre"), _PARAGRAPH),
}

_OTHER_TAGS = """
a abbr acronym area audio b big br canvas center cite code col colgroup del dfn em embed font i img input ins
kbd label legend map mark nobr picture q s samp small source span strike strong sub sup tbody td tfoot th
thead time tt u var video wbr
"""
TAGS = frozenset((*HIDDEN_TAGS, *BREAKS, *_OTHER_TAGS.split()))
"""The elements of HTML that texts are written in."""

# `huge_tree`, because otherwise everything deeper than 256 elements vanishes without a word, and quoted
# mail gets there. Time and memory are limited by the process this runs in.
_PARSER = lxml.etree.HTMLParser(
    encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
)

_MARKUP = re.compile(r"<[a-zA-Z/!?]|&[#a-zA-Z]")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_AFTER_BULLET = re.compile("\3[ \1\2\n]*")
_BREAK_RUN = re.compile("[\1\n][ \1\n]*")
_BLANK_LINES = re.compile(r"\n{3,}")

_CONTROLS = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x9f]")
CP1252 = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
"""What Windows means by the characters that are controls to everybody else; `&#150;` is U+2013 to every
browser, and U+0096 to libxml2."""
# Control characters cannot act on anything, but must not pass for our marks.
_CHARACTERS = {
    **{code: "\ufffd" for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n\r\f"},
    **CP1252,
}


def html_to_text(markup: str) -> str:
    """The visible text of an HTML fragment or page; of an image its alternative text, of a link no trace."""
    if not _MARKUP.search(markup):
        return tidy(markup)
    if len(markup) <= MAX_TEXT and (marked := marked_text(markup)) is not None:
        return _resolve(marked)
    # Real pages have less markup around their text than ten times the text that is kept.
    markup = markup[: 10 * MAX_TEXT].replace("\0", "\ufffd")
    tree = parse_html(markup)
    if tree is None:
        return ""
    controls = "&#" in markup or _CONTROLS.search(markup) is not None
    return _resolve("".join(_pieces(tree, controls=controls)))


def tree_to_text(tree: Element) -> str:
    """The same for elements of XML that hold XHTML; their namespaces are taken off in place."""
    tree.tail = None
    for element in tree.iter("{*}*"):
        element.tag = element.tag.rpartition("}")[2].lower()
    return _resolve("".join(_pieces(tree, controls=True)))


def parse_html(markup: str) -> Element | None:
    """The tree of a page or fragment; None if it is empty."""
    try:
        return lxml.etree.fromstring(markup.encode("utf-8", "replace"), _PARSER)
    except lxml.etree.XMLSyntaxError:
        return None


def html_to_line(markup: str) -> str:
    """The text of a short piece of HTML, a title or a name, in one line."""
    if "<" not in markup:
        return " ".join(html.unescape(markup).split())
    return " ".join(html_to_text(markup).split())


def tidy(text: str) -> str:
    """Plain text without trailing spaces, and with one blank line between paragraphs. Keeps indentation."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def _resolve(marked: str) -> str:
    """Text with marks in it, laid out."""
    # Most texts are paragraphs with no other break in them: to cut those apart takes a third of the time that
    # an expression does.
    parts = (part.strip(" \1\n") for part in _AFTER_BULLET.sub("* ", marked).split(_PARAGRAPH))
    text = "\n\n".join(
        _BREAK_RUN.sub(_line_break, part) if _BLOCK in part or "\n" in part else part
        for part in parts
        if part
    )
    while "  " in text:  # no regular expression, which would look at every space
        text = text.replace("  ", " ")
    return text.replace(" \n", "\n").strip().replace(_KEPT_SPACE, " ")


def _pieces(tree: Element, *, controls: bool) -> list[str]:
    """Texts and marks in the order of the document."""
    out: list[str] = []
    preformatted = 0
    walk = lxml.etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        mark = BREAKS.get(tag)
        if event == "start":
            if tag in HIDDEN_TAGS or is_hidden(element):
                walk.skip_subtree()
                continue
            if mark is not None:
                out.append(mark)
            if tag == "pre":
                preformatted += 1
            elif tag == "li":
                out.append(_BULLET)
            elif tag == "br":
                out.append("\n")
            elif tag == "img":
                words = image_words(element.attrib)
                out.append(words.translate(_CHARACTERS) if controls else words)
            text = element.text
        else:
            if tag == "pre":
                preformatted -= 1
            if mark is not None:
                out.append(mark)
            elif tag in ("td", "th"):
                out.append(" ")
            text = element.tail
        if text:
            if controls:
                text = text.translate(_CHARACTERS)
            out.append(_INDENT.sub(_keep_indent, text) if preformatted else _inline(text))
    return out


def _inline(text: str) -> str:
    """Text with every run of white space as one space, also at its ends."""
    words = " ".join(text.split())
    return f"{' ' if text[0].isspace() else ''}{words}{' ' if words and text[-1].isspace() else ''}"


def is_hidden(element: Element) -> bool:
    """Whether an element says of itself that no reader sees it."""
    style = element.get("style")
    return "hidden" in element.attrib or (style is not None and HIDDEN_STYLE.search(style) is not None)


def _line_break(run: re.Match[str]) -> str:
    return "\n\n" if run.group().count("\n") > 1 else "\n"


def _keep_indent(run: re.Match[str]) -> str:
    return run.group().expandtabs(4).replace(" ", _KEPT_SPACE)
