"""HTML to plain text: paragraphs separated by a blank line, nothing that a reader would not see."""

from __future__ import annotations

import html
import re

import lxml.html
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping
from lxml.etree import ParserError

from ingestors.wire import MAX_TEXT

_HIDDEN_TAGS = (
    *("script", "style", "template", "noscript", "iframe", "object", "svg", "math"),
    *("textarea", "select", "button"),
)
_LAYOUT_TAGS = ("table", "tr", "td", "th")

# Mail and feeds use tables for layout. Rendered as tables they become columns of padding, so a row is
# a block, a cell an inline run, and what is inside the cells decides about lines.
_CSS = {
    **STRICT_CSS_PROFILE,
    **{tag: HtmlElement(display=Display.none) for tag in _HIDDEN_TAGS},
    **{tag: HtmlElement(display=Display.block) for tag in ("table", "tr", "section", "dt", "dd", "hr")},
    **{tag: HtmlElement(suffix=" ") for tag in ("td", "th")},
    "dl": HtmlElement(display=Display.block, margin_before=1, margin_after=1),
}
_CONFIG = ParserConfig(
    css=_CSS,
    custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(
        start_tag_mapping=dict.fromkeys(_LAYOUT_TAGS), end_tag_mapping=dict.fromkeys(_LAYOUT_TAGS)
    ),
)
_PARSER = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)

# Hidden by style: preheaders of newsletters, and words that are there for a ranker only.
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)"
    r"|font-size\s*:\s*0(?:\.0+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|$|!)|max-height\s*:\s*0|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\xa0\u2007\u202f]{2,}|\xa0")
_BLANK_LINES = re.compile(r"\n{3,}")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&[#a-zA-Z]")

# `&#150;` means U+2013 to every browser, and U+0096, a control character, to libxml2.
_CP1252 = {
    code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", "ignore")) != ""
}


def html_to_text(markup: str) -> str:
    """The visible text of an HTML fragment or page; links and images leave no trace."""
    if not _MARKUP.search(markup):
        return tidy(markup)
    # Real pages have less markup around their text than ten times the text that is kept.
    markup = _CONTROLS.sub("\ufffd", markup[: 10 * MAX_TEXT])
    try:
        tree = lxml.html.document_fromstring(markup.encode("utf-8", "replace"), parser=_PARSER)
    except ParserError:
        return ""  # nothing but comments and white space
    if "style" in markup or "hidden" in markup:
        _drop_hidden(tree)
    try:
        text: str = Inscriptis(tree, _CONFIG).get_text()
    except RecursionError:
        text = "\n".join(tree.itertext())
    lines = (_SPACES.sub(" ", line).strip() for line in text.translate(_CP1252).split("\n"))
    return tidy("\n".join(lines))


def html_to_line(markup: str) -> str:
    """The text of a short piece of HTML, a title or a name, in one line."""
    if "<" not in markup:
        return " ".join(html.unescape(markup).split())
    return " ".join(html_to_text(markup).split())


def tidy(text: str) -> str:
    """Plain text without trailing spaces, and with one blank line between paragraphs. Keeps indentation."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def _drop_hidden(tree: lxml.html.HtmlElement) -> None:
    for element in list(tree.iter()):
        if element.getparent() is None or not isinstance(element.tag, str):
            continue
        style = element.get("style")
        if "hidden" in element.attrib or (style is not None and _HIDDEN_STYLE.search(style)):
            element.drop_tree()
