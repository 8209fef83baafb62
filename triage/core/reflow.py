"""Finds the lines of plain text that were broken only because somebody's window was 72 columns wide.

Pure, and for drawing only: what is stored keeps its line ends, and offsets into it stay valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.core.items import ItemKind

SHORTEST, LONGEST = 50, 80
"""Characters of a line that a mail program breaks: most do so at 72, quoting and gateways move that about."""
_NOT_PROSE = re.compile(r"[\s>|#*•·▪◦+=~_\-–—]|\(?\w{1,3}[.):]\s|[\w-]+: |.*(?:\t|\S\s{3,}\S)")
"""What begins like a list, a quote, a signature, a header or code, or stands in columns."""

_ENDS = tuple('.!?:"”)')
"""A short line that ends so is the end of a paragraph."""


def displayed(kind: ItemKind, text: str) -> str:
    """A text as it is drawn: that of a mail unwrapped, any other as it is, for its lines are meant."""
    return unwrapped(text) if kind == "mail" else text


def unwrapped(text: str) -> str:
    """The text with a space for every line end inside of a paragraph that was wrapped by force.

    Lines of prose are one paragraph if each but the last is about a mail's width, and would have been too
    wide with the first word of the next one. Nobody breaks lists, addresses and poems in that way. The result
    is `text`, character for character, but for these line ends.
    """
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if line in ("--", "-- ")), len(lines))
    parts: list[str] = []
    for run in _runs(lines[:end]):
        parts += [" ".join(paragraph) for paragraph in _paragraphs(run)]
    return "\n".join([*parts, *lines[end:]])


def _runs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines that could be one paragraph; a line that is no prose, or short, ends one."""
    run: list[str] = []
    for line in lines:
        prose = bool(line) and _NOT_PROSE.match(line) is None
        if run and not prose:
            yield run
            run = []
        run.append(line)
        if not prose or not SHORTEST <= len(line) <= LONGEST:
            yield run
            run = []
    if run:
        yield run


def _paragraphs(run: list[str]) -> list[list[str]]:
    """The paragraphs of a run; every line by itself if one was broken within a sentence by choice."""
    width = max(map(len, run))
    found: list[list[str]] = [[]]
    for line, after in zip(run, [*run[1:], ""], strict=True):
        found[-1].append(line)
        if len(line) + 1 + len(after.split(" ")[0]) > width:
            continue
        if after and line.rstrip()[-1:] not in _ENDS:
            return [[each] for each in run]
        found.append([])
    return [paragraph for paragraph in found if paragraph]
