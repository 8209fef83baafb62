"""Starter packs: what they are, and which of them an answer in the reader's words means.

Owns the matching by words. Knows neither where packs are kept nor what the encoder thinks of them: how near
a pack is in meaning is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_PHRASES = 20
NEAR = 0.29
"""Cosine from which on a pack whose words were not said is taken for meant: sourdough is near cooking (.29),
tidal energy near climate (.34), and football (.26) or sailing (.23) near nothing that there is."""
STEM = 5
"""Letters that two words must share from their beginning on to count as one: astronomy, astronomical."""
SUGGESTED = 3
"""Packs that are suggested at most."""
_SEPARATORS = re.compile(r"[,;\n\r|]+|\.\s|\band\b|\bund\b|\bet\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_SMALL = frozenset(
    {"a", "about", "all", "an", "and", "are", "at", "by", "for", "from", "i", "in", "into", "is", "it", "my"}
    | {"new", "news", "of", "on", "or", "the", "to", "up", "with"}
)


@dataclass(frozen=True, slots=True)
class PackSource:
    """One source of a pack."""

    target: str
    title: str
    reason: str
    """What tells it from the others, in a line."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Sources worth starting with, for one interest."""

    name: str
    title: str
    words: str
    """What people call the interest, for matching."""
    sources: tuple[PackSource, ...]
    language: str = "en"

    @property
    def about(self) -> str:
        """All that is said of it, as one text."""
        return f"{self.title}. {self.words}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A pack as it is offered to one reader."""

    pack: Pack
    because: str = ""
    """The reader's phrase that means it; empty if none does."""
    suggested: bool = False


def phrases(answer: str) -> tuple[str, ...]:
    """An answer in the reader's words, as interests: parted at commas, lines, full stops and `and`.

    Phrases without a letter or digit are left out, repeated ones too; `MAX_PHRASES` at most.
    """
    found: dict[str, str] = {}
    for part in _SEPARATORS.split(answer):
        phrase = " ".join(part.split()).strip(" .:!?\"'-–—")
        if any(char.isalnum() for char in phrase):
            found.setdefault(phrase.casefold(), phrase)
    return tuple(found.values())[:MAX_PHRASES]


def offers(
    packs: Sequence[Pack],
    said: Sequence[str],
    nearness: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Offer]:
    """All packs, those that the reader's phrases mean first, the best of them suggested.

    Args:
        packs: The catalogue.
        said: The reader's phrases.
        nearness: Pack name -> phrase -> cosine of their vectors; None without an encoder.
    """
    ranked: list[tuple[float, str, Pack]] = []
    for pack in packs:
        best, because = 0.0, ""
        for phrase in said:
            near = (nearness or {}).get(pack.name, {}).get(phrase, 0.0)
            shared = _shared(phrase, pack)
            score = shared + max(near, 0.0)
            if (shared or near >= NEAR) and score > best:
                best, because = score, phrase
        ranked.append((best, because, pack))
    ranked.sort(key=lambda found: -found[0])
    chosen = _suggested(ranked, said)
    return [Offer(pack, because, pack.name in chosen) for _, because, pack in ranked]


def _suggested(ranked: Sequence[tuple[float, str, Pack]], said: Sequence[str]) -> set[str]:
    """The best pack of each phrase, and never more than `SUGGESTED` or the phrases there are."""
    best = {because: pack.name for _, because, pack in reversed(ranked) if because}
    by_phrase = [best[phrase] for phrase in said if phrase in best]
    return set(dict.fromkeys(by_phrase[: max(SUGGESTED, 1)]))


def _shared(phrase: str, pack: Pack) -> float:
    """The share of a phrase's words that are among a pack's; those of its title count twice."""
    wanted = _words(phrase)
    if not wanted:
        return 0.0
    title, others = _words(pack.title), _words(pack.words)
    values = [2.0 if _among(word, title) else 1.0 if _among(word, others) else 0.0 for word in wanted]
    return sum(values) / len(values)


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if word not in _SMALL]


def _among(word: str, others: Iterable[str]) -> bool:
    return any(word == other or _stem(word) == _stem(other) for other in others)


def _stem(word: str) -> str:
    """A plural without its s, a long word by its beginning."""
    singular = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    return singular if len(singular) <= STEM + 2 else singular[: STEM + 2]
