"""Items and digests as plain lines: readable without colour, at any width, by a person or a screen reader."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from triage.cli.output import clean
from triage.core import ending, links, reflow, words
from triage.core.items import Digest, Item, lanes

if TYPE_CHECKING:
    from triage.core.readings import Explained, Reading

MAX_WIDTH = 100
BAR = 24
"""Cells of the longest bar of an explanation."""


def width() -> int:
    """Of the terminal, at most `MAX_WIDTH`: longer lines are hard to read."""
    return min(shutil.get_terminal_size((MAX_WIDTH, 24)).columns, MAX_WIDTH)


def clip(text: str, indent: int) -> str:
    """`text` cut to what is left of a line after `indent` cells; whole where nobody looks at a terminal."""
    room = width() - indent
    return text if len(text) <= room or not sys.stdout.isatty() else text[: room - 1] + "…"


def digest_lines(digest: Digest, now: datetime) -> Iterator[str]:
    """A whole digest, from its headline to its end."""
    title = ending.title(digest) + (" · DEMO, an invented day" if digest.demo else "")
    yield f"{title} · {words.plural(len(digest.items), 'item')} · {words.minutes(digest.minutes)}"
    for warning in digest.warnings:
        yield f"! {clean(warning)}"
    if (old := now - digest.built_at).total_seconds() > 24 * 3600:
        yield f"! This digest is {old.days} days old; to fetch what is new: triage sync"
    for name, found in lanes(digest.items).items():
        yield ""
        yield name.upper()
        for item in found:
            yield from item_lines(item, now)
    yield ""
    yield from ending_lines(digest)


def ending_lines(digest: Digest) -> Iterator[str]:
    """What was covered, what was left out and why, and what may have been missed."""
    yield "That is all."
    keys = "Say what you think, and the order learns: triage mark ID like (or dislike); triage why ID."
    for sentence in ending.sentences(digest, keys):
        yield from textwrap.wrap(sentence, width())


def item_lines(item: Item, now: datetime, *, hits: bool = False) -> Iterator[str]:
    """One item: a line to decide by, a line of facts, and the passage that speaks most for it.

    With `hits`, the words of the passage that were looked for stand between marks.
    """
    mark = f"{words.GLYPHS.get(item.state, ' ')}"
    yield f"{mark}{item.id:>5}  {clean(item.title)}{words.copies(item)}"
    yield "        " + " · ".join(words.facts(item, now))
    if best := _hit(item) if hits else words.passage(item):
        yield from textwrap.wrap(best, width(), initial_indent="        ▌ ", subsequent_indent="        ▌ ")


def _hit(item: Item) -> str:
    """The passage with what was looked for, which stands between marks; empty if there is none."""
    text = ""
    for highlight in item.highlights[:1]:
        last = highlight.start
        for start, end in highlight.phrases:
            text += highlight.text[last - highlight.start : start - highlight.start]
            text += f"⟦{highlight.text[start - highlight.start : end - highlight.start]}⟧"
            last = end
        text += highlight.text[last - highlight.start :]
    return clean(text)


def copy_line(item_id: int, source: str, title: str) -> str:
    """One line on another item that tells the same."""
    return f"        = {item_id}  {clean(source)}: {clean(title)}"


def reading_lines(reading: Reading, now: datetime) -> Iterator[str]:
    """An item opened: head, then the text with its highlights between marks."""
    item = reading.item
    yield clean(item.title)
    facts = [clean(item.source), ", ".join(clean(p) for p in item.people), words.age(item.published, now)]
    facts.append(words.revised(item, now))
    yield " · ".join(fact for fact in facts if fact)
    if item.url:
        yield clean(item.url)
    yield words.care(item)
    if note := words.text_note(reading):
        yield clean(note)
        if reading.text_state == "summary":
            yield f"To fetch the full text: triage fetch {item.id}"
    for copy in reading.copies:
        yield copy_line(copy.id, copy.source, copy.title)
        if copy.url:
            yield f"          {clean(copy.url)}"
    for related in reading.related:
        yield f"        {clean(words.related(related, now))}: {related.id}  {clean(related.title)}"
    yield ""
    for paragraph in _marked(reading).split("\n"):
        yield from textwrap.wrap(paragraph, width(), replace_whitespace=False) or [""]
    if reading.links:
        yield ""
    for number, link in enumerate(reading.links, 1):
        yield f"[{number}] {clean(words.link(link))}"


def text_json(reading: Reading) -> dict[str, str | None]:
    """The text of an item opened, in the documented JSON form."""
    names = ("text", "text_state", "text_note", "text_url")
    return {name: getattr(reading, name) for name in names}


def _marked(reading: Reading) -> str:
    marks = links.numbered(reading.text, reading.links)
    for h in reading.item.highlights:
        opening, closing = ("⟦", "⟧") if h.contribution >= 0 else ("⟦−", "−⟧")
        marks += [(h.start, opening), (h.end, closing)]
    text = reflow.displayed(reading.item.kind, reading.text)
    for offset, mark in sorted(marks, key=lambda mark: -mark[0]):
        text = f"{text[:offset]}{mark}{text[offset:]}"
    return text


def explained_lines(explained: Explained) -> Iterator[str]:
    """Every signed share of a score, with bars, and their sum."""
    yield clean(explained.item.title)
    yield ""
    longest = max((abs(r.contribution) for r in explained.reasons), default=1.0) or 1.0
    for reason in explained.reasons:
        cells = round(BAR * abs(reason.contribution) / longest)
        bar = ("+" if reason.contribution >= 0 else "−") * cells
        label = f"{reason.kind}: {clean(reason.name, 60)}" if reason.name else reason.kind
        yield f"{reason.contribution:+8.3f}  {bar:<{BAR}}  {label}"
    yield f"{explained.score:+8.3f}  {'the score, the sum of these':<{BAR}}"
    yield explained.calibration


def mark_lines(explained: Explained) -> Iterator[str]:
    """Which marks move an item, the strongest first, and by how much."""
    yield ""
    if not explained.marks:
        yield "No mark moves it: nothing was marked yet."
        return
    yield "Your marks that move it most (its score with the mark, less its score without):"
    for mark in explained.marks:
        yield f"{mark.change:+8.3f}  {mark.state:<8}{mark.item:>6}  {clean(mark.title, 60)}"
