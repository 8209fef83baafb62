"""The text of HTML that is written as by the book, without building a tree.

Most posts are paragraphs, lists and links. Cutting those at their tags takes a quarter of the time of
walking a tree. Every element has to be a common one, closed in order and in a place where it may stand, so
that no rule for mending a document applies; for anything else the answer is None, and the tree decides.
What comes out is the same, character for character: a test compares the two.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

BLOCK, PARAGRAPH, BULLET = "\1", "\2", "\3"
"""Marks in the output, as of `ingestors.parsers.html`; no text that is read here can hold them."""

# Hidden by style: preheaders of newsletters, and words that are there for a ranker only.
HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)"
    r"|font-size\s*:\s*0(?:\.0+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|$|!)|max-height\s*:\s*0|mso-hide\s*:\s*all",
    re.IGNORECASE,
)

_TAG = re.compile(r"""<(/?[a-z]+[1-6]?)(?:\s+[a-z][\w:.-]*=(?:"[^"<>]*"|'[^'<>]*'))*\s*/?>""")
_IMAGE = re.compile(r"""<img((?:\s+[a-z][\w:.-]*=(?:"[^"<>]*"|'[^'<>]*'))*)\s*/?>""")
_ATTRIBUTE = re.compile(r"""([a-z][\w:.-]*)=(?:"([^"<>]*)"|'([^'<>]*)')""")
_CLOSED_AT_ONCE = re.compile(r"<(?!br|hr|img)[^<>]*/>")
_REFERENCE = re.compile(r"&(?:#\d{2,5}|#x[0-9a-fA-F]{2,4}|[a-zA-Z]{2,8}[1-4]?);")

_INLINE = frozenset(
    ("a", "abbr", "b", "cite", "code", "em", "i", "q", "s", "small", "span", "strong", "sub", "sup", "u")
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_MARKS = {
    **dict.fromkeys(("div", "ul", "ol", "li"), BLOCK),
    **dict.fromkeys(("p", "blockquote", *_HEADINGS), PARAGRAPH),
}
_ALONE = {"br": "\n", "hr": BLOCK, "img": ""}
_DRAWN_CHARACTER = 3
"""Characters: an emoji with its joiner or colour has no more."""
_UNKNOWN = "\0"
"""In the place of an image whose attributes only the tree can read."""
_CONTAINERS = (None, "div", "li", "blockquote")
"""In which blocks may stand; None for the top."""


class _Characters(dict[str, str]):
    """What a reference stands for; empty if that is not a visible character or a space."""

    def __missing__(self, reference: str) -> str:
        character = html.unescape(reference).replace("\xa0", " ")
        if len(character) != 1 or not character.isprintable():
            character = ""
        if len(self) < 2_000:  # references come from strangers
            self[reference] = character
        return character


_CHARACTERS = _Characters()


def image_words(attributes: Mapping[str, str]) -> str:
    """What stands in a text for an image: its alternative text; nothing for ornaments and counting pixels.

    A character drawn as an image is that character again.
    """
    alt = " ".join(attributes.get("alt", "").split())
    if not alt or {attributes.get("width"), attributes.get("height")} & {"0", "1"}:
        return ""
    return alt if len(alt) <= _DRAWN_CHARACTER and not alt.isascii() else f" [image: {alt}] "


def _image(tag: re.Match[str]) -> str:
    values = {name: _dereferenced(one or other) for name, one, other in _ATTRIBUTE.findall(tag.group(1))}
    known = {name: value for name, value in values.items() if value is not None}
    return html.escape(image_words(known), quote=False) if len(known) == len(values) else _UNKNOWN


def marked_text(markup: str) -> str | None:
    """Text with marks where it breaks and spaces that are yet to be collapsed; None if it is not simple."""
    markup = markup.replace("\n", " ").replace("\t", " ").replace("\r", " ").replace("\xa0", " ")
    if (
        not markup.isprintable()
        or ("style=" in markup and HIDDEN_STYLE.search(markup))
        or "hidden=" in markup
        or ("/>" in markup and _CLOSED_AT_ONCE.search(markup))
    ):
        return None
    if "<img" in markup:
        markup = _IMAGE.sub(_image, markup)
        if not markup.isprintable():
            return None
    pieces = _TAG.split(markup)
    if len(pieces) // 2 != markup.count("<"):
        return None
    stack: list[str | None] = [None]
    for index in range(1, len(pieces), 2):
        name = pieces[index]
        if name in _INLINE:
            stack.append(name)
            pieces[index] = ""
        elif name in _ALONE:
            if name == "hr" and stack[-1] not in _CONTAINERS:
                return None
            pieces[index] = _ALONE[name]
        elif name[0] == "/":
            name = name[1:]
            if stack.pop() != name:
                return None
            pieces[index] = _MARKS.get(name, "")
        elif (mark := _MARKS.get(name)) is not None:
            if name == "li":
                if stack[-1] not in ("ul", "ol"):
                    return None
                mark = BLOCK + BULLET
            elif stack[-1] not in _CONTAINERS:
                return None
            stack.append(name)
            pieces[index] = mark
        else:
            return None
    return _dereferenced("".join(pieces)) if len(stack) == 1 else None


def _dereferenced(text: str) -> str | None:
    if "&" not in text:
        return text
    references = _REFERENCE.findall(text)
    if len(references) != text.count("&") or not all(_CHARACTERS[each] for each in references):
        return None
    return _REFERENCE.sub(lambda found: _CHARACTERS[found.group()], text)
