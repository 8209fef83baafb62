"""The links of a text, numbered: which there are, and behind which words each number stands.

Pure. The addresses are a stranger's: whoever opens one checks it (`triage.tui.links`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST = 200
"""Links of one text that get a number."""

_WRITTEN = re.compile(r"https?://[^\s<>\"'`\\^{|}\ufffd]{4,4096}")
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Link:
    """Where a text leads."""

    words: str
    """What is said there; the address itself, if nothing is."""
    url: str
    end: int | None
    """Behind which character of the text it stands; None if it is not known where."""


def links(text: str, stored: Iterable[tuple[str, str]] = ()) -> tuple[Link, ...]:
    """Every address that a text leads to, once, in the order of the text.

    Args:
        text: As it is stored.
        stored: Pairs of (words, URL) that its source gave, in the order of its words.

    Returns:
        Links with the offset in `text` behind which their number stands; those whose words are not found in
        the text, which another may have replaced, come last and have none.
    """
    found: dict[str, Link] = {}
    begin = 0
    for words, url in stored:
        shown = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)").search(text, begin) if words else None
        end = shown.end() if shown else None
        begin = end or begin
        found.setdefault(url, Link(words, url, end))
    for match in _WRITTEN.finditer(text):
        url = _without_sentence(match.group())
        if url not in found or found[url].end is None:
            found[url] = Link(found[url].words if url in found else url, url, match.start() + len(url))
    inside = sorted((link for link in found.values() if link.end is not None), key=lambda link: link.end or 0)
    return (*inside, *(link for link in found.values() if link.end is None))[:MOST]


def numbered(text: str, links: Iterable[Link], begin: int = 0) -> list[tuple[int, str]]:
    """(offset, number in brackets) for the links of the part of a text that begins there, last one first."""
    end = begin + len(text)
    marks = [
        (link.end - begin, f"[{number}]")
        for number, link in enumerate(links, 1)
        if link.end is not None and begin < link.end <= end
    ]
    return marks[::-1]


def host(url: str) -> str:
    """Whose address it is, without a leading `www.`; empty if that cannot be told."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _without_sentence(url: str) -> str:
    """An address without the punctuation of the sentence that it stands in."""
    while url[-1] in ".,;:!?*_)]":
        opening = _PAIRS.get(url[-1])
        if opening and url.count(opening) >= url.count(url[-1]):
            break
        url = url[:-1]
    return url
