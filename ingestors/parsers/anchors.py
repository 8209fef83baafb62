"""The links in a text of HTML, in order: the words that are underlined, and where they lead.

Owns which links are worth keeping. A reader numbers them, finds their words in the text and opens them by
number; `ingestors.parsers.html` makes the text and knows no link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ingestors.parsers.html import html_to_line
from ingestors.wire import MAX_LINK_WORDS, MAX_LINKS, web_url

_OPENING = re.compile(r"""<a\s[^<>]*?\bhref\s*=\s*("[^"<>]*"|'[^'<>]*'|[^\s"'<>]+)[^<>]*>""", re.IGNORECASE)
_INSIDE = 1_000
"""Characters in which the end of a link is looked for."""
_CLOSING = re.compile(r"</?a[\s>]", re.IGNORECASE)


def links_of(
    markup: str, base: str = "", direct: Callable[[str], str | None] | None = None
) -> list[tuple[str, str]]:
    """The links of a fragment or page, each address once: (words, http(s) URL).

    Args:
        markup: HTML, however broken.
        base: What relative addresses are relative to.
        direct: Takes the redirectors off an address; None from it drops the link.
    """
    return _kept(_written(markup), base, direct) if "<a" in markup or "<A" in markup else []


def links_of_tree(tree: Any, base: str = "") -> list[tuple[str, str]]:  # noqa: ANN401 - lxml has no types
    """The same for elements of XML that hold XHTML, with or without their namespace."""
    anchors = (element for element in tree.iter("{*}a") if element.get("href"))
    return _kept(((" ".join("".join(a.itertext()).split()), a.get("href")) for a in anchors), base, None)


def _written(markup: str) -> Iterator[tuple[str, str]]:
    for opening in _OPENING.finditer(markup):
        inside = markup[opening.end() : opening.end() + _INSIDE]
        closing = _CLOSING.search(inside)
        words = html_to_line(inside[: closing.start()]) if closing else ""
        yield words, html_to_line(opening.group(1).strip("\"' "))


def _kept(
    found: Iterator[tuple[str, str]], base: str, direct: Callable[[str], str | None] | None
) -> list[tuple[str, str]]:
    kept: dict[str, str] = {}
    for words, address in found:
        url = None if address.startswith("#") else web_url(address, base)
        if url is not None and direct is not None:
            url = direct(url)
        if url is None or not words:
            continue
        kept.setdefault(url, words[:MAX_LINK_WORDS])
        if len(kept) >= MAX_LINKS:
            break
    return [(words, url) for url, words in kept.items()]
