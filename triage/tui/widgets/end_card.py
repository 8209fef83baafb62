"""The end of the digest: what it covered, what it left out, and that one may stop here. Pure drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.content import Content

from triage.core import words
from triage.core.items import Digest
from triage.tui.cells import line

Part = Literal["rule", "title", "text", "note"]


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of the card, already wrapped."""

    part: Part
    text: str


def end_card(digest: Digest, width: int, *, demo: bool) -> list[CardLine]:
    """The card in lines of at most `width` cells.

    Args:
        digest: What has come to its end.
        width: Cells that a line may use.
        demo: Whether the items are the ones that come with the program.
    """
    paragraphs: list[tuple[Part, str]] = [("title", "You are done."), ("text", _covered(digest))]
    if left_out := _left_out(digest):
        paragraphs.append(("text", left_out))
    paragraphs.append(("text", "Nothing was deleted: / searches all of it."))
    paragraphs.append(("note", _learning(digest)))
    if demo:
        paragraphs.append(("note", "Demo: these items are made up and come with the program."))
    paragraphs += [("note", line(warning)) for warning in digest.warnings]
    return [CardLine("rule", ""), *_wrap(paragraphs, width)]


def message_card(title: str, text: str, width: int) -> list[CardLine]:
    """A card for a list with nothing in it, or for the end of what was found."""
    return [CardLine("rule", ""), *_wrap([("title", line(title)), ("text", line(text))], width)]


def _wrap(paragraphs: list[tuple[Part, str]], width: int) -> list[CardLine]:
    lines = []
    for part, text in paragraphs:
        lines += [CardLine(part, wrapped.plain) for wrapped in Content(text).wrap(max(width, 2))]
        if part == "title":
            lines.append(CardLine("text", ""))
    return lines


def _covered(digest: Digest) -> str:
    sources = len({item.source for item in digest.items})
    return (
        f"{words.plural(len(digest.items), 'item')} from {words.plural(sources, 'source')}, about "
        f"{words.minutes(digest.minutes)} of your {words.minutes(digest.budget_minutes)}."
    )


def _left_out(digest: Digest) -> str:
    repeats = min(digest.repeats, digest.considered)
    rest = max(digest.considered - len(digest.items) - repeats - digest.ruled_out, 0)
    parts = []
    if rest:
        parts.append(f"{rest} matter less to you")
    if repeats:
        parts.append(f"{repeats} {'repeats' if repeats == 1 else 'repeat'} a story told above")
    if digest.ruled_out:
        parts.append(f"{digest.ruled_out} kept out by your rules")
    left_out = f"Left out of {digest.considered} weighed: " + ", ".join(parts) + "." if parts else ""
    by_words = words.by_words(digest.by_words) if digest.by_words else ""
    return " ".join(part for part in (left_out, by_words) if part)


def _learning(digest: Digest) -> str:
    if digest.labels == 0:
        return "No marks yet, so this is the order of your interests and sources. l likes, d dislikes."
    learned = f"The order is learned from {words.plural(digest.labels, 'mark')}"
    if all(item.p is None for item in digest.items):
        return f"{learned}, too few for probabilities yet."
    return f"{learned}."
