"""Lines of words of which some are quoted, as in the `urls` file of newsboat: `URL tag "two words"`."""

from __future__ import annotations

import re
from typing import NamedTuple


class Word(NamedTuple):
    """A word of a line."""

    text: str
    quoted: bool


_WORD = re.compile(r'[ \t\r]*(?:"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|(#)|([^ \t\r]+))', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANS = {"n": "\n", "r": "\r", "t": "\t"}


def split_line(line: str) -> list[Word]:
    """The words of a line.

    A `#` where a word could begin starts a comment; a quote that is left open ends with the line.
    """
    words: list[Word] = []
    at = 0
    while (found := _WORD.match(line, at)) is not None:
        quoted, comment, bare = found.groups()
        if comment:
            break
        if quoted is not None:
            words.append(Word(_ESCAPE.sub(lambda e: _MEANS.get(e[1], e[1]), quoted), quoted=True))
        else:
            words.append(Word(bare, quoted=False))
        at = found.end()
    return words


def quote(text: str) -> str:
    """`text` as one quoted word, in one line."""
    text = " ".join(text.split())
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
