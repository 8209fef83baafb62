"""Where in a text the words of a search are: the passages that are shown with what was found.

Owns what a hit is to a reader. The index that finds items is `triage.store.search`; both read words alike but
for the rarest scripts, where a passage is then missing and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from triage.core.items import Highlight
from triage.core.query import Query, Term
from triage.core.text import UNSPACED

WIDTH = 200
"""Characters of a passage."""
BEFORE = 60
"""Of those, at most so many before the first hit."""
READ = 20_000
"""Characters of a text that are looked through: more would take longer than to find the item."""
MOST_HITS = 12
"""That are marked in a passage."""
_WIDE = re.compile(f"[{UNSPACED}]")
"""Scripts in which the beginning and end of a word cannot be told."""


class _Bases(dict[int, str]):
    """Character -> its letter without accents, case and width, one for one: places stay what they are."""

    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFKD", chr(code)).casefold()[:1] or chr(code)
        self[code] = base
        return base


_BASES = _Bases()


def bare(text: str) -> str:
    """A text of the same length, without accents, case and width."""
    return text.lower() if text.isascii() else text.translate(_BASES)


class Hits:
    """The wanted words of a search, ready to be looked for."""

    def __init__(self, query: Query) -> None:
        wanted = [_pattern(term) for term in query.wanted if term.place != "title"]
        self._pattern = re.compile("|".join(wanted)) if wanted else None

    def passages(self, text: str) -> tuple[Highlight, ...]:
        """The passage with the most of the words, which are its phrases; none if no word occurs."""
        if self._pattern is None:
            return ()
        text = text[:READ]
        hits = [(found.span(), found[0]) for found in self._pattern.finditer(bare(text))]
        if not hits:
            return ()
        spans = [span for span, _ in hits]
        start, end = _around(text, hits)
        inside = tuple((a, b) for a, b in spans if start <= a and b <= end)[:MOST_HITS]
        return (Highlight(start, end, text[start:end], 0.0, inside),)


def _around(text: str, hits: list[tuple[tuple[int, int], str]]) -> tuple[int, int]:
    """A passage of whole words of one paragraph, from the hit on that most other words are near to."""
    first = hits[_richest(text, hits)][0]
    begin = text.rfind("\n", 0, first[0]) + 1
    line_end = text.find("\n", first[1])
    end = len(text) if line_end < 0 else line_end
    if first[0] - begin > BEFORE:
        begin = first[0] - BEFORE
        begin = next((p + 1 for p in range(begin, first[0]) if text[p].isspace()), begin)
    if end - begin > WIDTH:
        end = max(begin + WIDTH, first[1])
        end = next((p for p in range(end, first[1], -1) if text[p : p + 1].isspace()), end)
    return begin, end


def _richest(text: str, hits: list[tuple[tuple[int, int], str]]) -> int:
    """Which hit begins the passage with the most different words; in one go, for `the` has thousands."""
    richest, most, ahead = 0, 0, 0
    inside: Counter[str] = Counter()
    for place, ((start, _), word) in enumerate(hits):
        line_end = text.find("\n", start, start + WIDTH - BEFORE)
        limit = start + WIDTH - BEFORE if line_end < 0 else line_end
        while ahead < len(hits) and hits[ahead][0][0] < limit:
            inside[hits[ahead][1]] += 1
            ahead += 1
        if len(inside) > most:
            richest, most = place, len(inside)
        inside[word] -= 1
        if not inside[word]:
            del inside[word]
    return richest


def _pattern(term: Term) -> str:
    parts = [part for part in re.split(r"[\W_]+", bare(term.value)) if part] or [bare(term.value)]
    body = r"[\W_]+".join(map(re.escape, parts))
    if _WIDE.search(term.value):
        return body
    edge = parts[0][0].isalnum()
    return (r"\b" if edge else "") + body + (r"\w*" if term.prefix else r"\b" if edge else "")
