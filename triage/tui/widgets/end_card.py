"""The end of the digest: what it covered, what it left out, and that one may stop here. Pure drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.content import Content

from triage.core import ending
from triage.core.items import Digest
from triage.tui.cells import line

NOTHING_CAME = (
    "Your sources have brought nothing lately. In a shell, triage sources says how they fare, triage sync "
    "asks them again, triage add brings in others, and triage demo shows an invented day."
)
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
    if not digest.items and not digest.considered:
        return message_card("There is nothing to read yet.", NOTHING_CAME, width)
    paragraphs: list[tuple[Part, str]] = [("title", "You are done."), ("text", ending.covered(digest))]
    paragraphs += [("text", said) for said in (ending.left_out(digest), ending.missed(digest)) if said]
    paragraphs.append(("text", "Nothing was deleted: / searches all of it."))
    paragraphs.append(("note", ending.learning(digest, "l likes, d dislikes.")))
    if pace := ending.pace(digest):
        paragraphs.append(("note", pace))
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
