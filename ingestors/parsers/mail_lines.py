"""An HTML mail as lines: what a reader sees as one, with its looks and its links.

The mark-up of mails is older than headings: a title is what is bold, large, or a link as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import lxml.etree

from ingestors.parsers.html import BREAKS, HIDDEN_TAGS, is_hidden, parse_html
from ingestors.wire import MAX_TEXT

Element = Any  # lxml has no types

MAX_LINES = 5_000
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_LIGHT = re.compile(r"font-weight\s*:\s*(?:normal|[1-4]00)", re.IGNORECASE)
_SIZE = re.compile(r"font-size\s*:\s*([\w.%-]+)", re.IGNORECASE)


@dataclass(slots=True)
class Line:
    """Text up to the next break."""

    text: str
    links: list[tuple[str, str]] = field(default_factory=list)
    """(text, href), in order."""
    heading: str = ""
    bold: bool = False
    """All of it."""
    linked: bool = False
    """All of it, by one link."""
    size: str = ""
    paragraph: bool = False
    """Whether it begins a paragraph or a block."""

    @property
    def looks(self) -> tuple[str, bool, bool, str]:
        """What the titles of one newsletter have in common."""
        return (self.heading, self.bold, self.linked, self.size)

    @property
    def stands_out(self) -> bool:
        """Whether it looks like a title."""
        return bool(self.heading) or self.bold or self.linked


def mail_lines(markup: str) -> list[Line]:
    """The visible lines of an HTML mail, in order."""
    tree = parse_html(markup[: 10 * MAX_TEXT].replace("\0", "\ufffd"))
    return _Reader().read(tree) if tree is not None else []


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    href: str
    heading: str
    bold: bool
    size: str


@dataclass(frozen=True, slots=True)
class _Looks:
    href: str = ""
    heading: str = ""
    bold: bool = False
    size: str = ""


class _Reader:
    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._runs: list[_Run] = []
        self._paragraph = True

    def read(self, tree: Element) -> list[Line]:
        looks = [_Looks()]
        walk = lxml.etree.iterwalk(tree, events=("start", "end"))
        for event, element in walk:
            tag = element.tag
            breaks = tag in BREAKS or tag in ("td", "th")
            if event == "start":
                if tag in HIDDEN_TAGS or is_hidden(element):
                    walk.skip_subtree()
                    continue
                if breaks:
                    self._end_line(paragraph=True)
                elif tag == "br":
                    self._end_line(paragraph=False)
                looks.append(_looks(looks[-1], element))
                self._add(element.text, looks[-1])
            else:
                if tag not in HIDDEN_TAGS and not is_hidden(element):
                    looks.pop()
                if breaks:
                    self._end_line(paragraph=True)
                self._add(element.tail, looks[-1])
            if len(self._lines) >= MAX_LINES:
                break
        self._end_line(paragraph=True)
        return self._lines

    def _add(self, text: str | None, looks: _Looks) -> None:
        if text:
            self._runs.append(_Run(text, looks.href, looks.heading, looks.bold, looks.size))

    def _end_line(self, *, paragraph: bool) -> None:
        runs = [run for run in self._runs if run.text.strip()]
        text = " ".join("".join(run.text for run in self._runs).split())
        if not runs:
            if self._runs or paragraph:
                self._runs.clear()
            self._paragraph = self._paragraph or paragraph or not runs
            return
        links: dict[str, str] = {}
        for run in runs:
            if run.href:
                links[run.href] = f"{links.get(run.href, '')} {run.text.strip()}".strip()
        spoken = [run for run in runs if re.search(r"\w", run.text)] or runs
        hrefs = {run.href for run in spoken}
        self._lines.append(
            Line(
                text,
                [(" ".join(words.split()), href) for href, words in links.items()],
                heading=spoken[0].heading,
                bold=all(run.bold for run in spoken),
                linked=len(hrefs) == 1 and "" not in hrefs,
                size=spoken[0].size,
                paragraph=self._paragraph,
            )
        )
        self._runs.clear()
        self._paragraph = paragraph


def _looks(outer: _Looks, element: Element) -> _Looks:
    tag, style = element.tag, element.get("style") or ""
    href = (element.get("href") or "").strip() if tag == "a" else ""
    bold = outer.bold
    if tag in ("b", "strong", "th") or tag in _HEADINGS or _BOLD.search(style):
        bold = True
    elif _LIGHT.search(style):
        bold = False
    size = _SIZE.search(style)
    return _Looks(
        href=href or outer.href,
        heading=tag if tag in _HEADINGS else outer.heading,
        bold=bold,
        size=size.group(1).lower() if size else (element.get("size") or outer.size),
    )
