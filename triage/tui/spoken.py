"""Items, texts and reasons as plain lines to be read aloud: no column, no bar, no box, no colour.

Pure; a stranger's text is sanitised here. One thought a line, the most telling first, because a screen reader
reads from the beginning and is interrupted at any word. Lines are not wrapped: the terminal does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from triage.core import ledger, links, reflow, words
from triage.core.ending import sentences
from triage.core.insight import Insight, Learned
from triage.core.insight_page import page
from triage.core.items import Digest, Item, heading
from triage.core.journal import Entry, notes
from triage.core.ledger import Ledger
from triage.core.links import Link
from triage.core.readings import Explained, Reading, Related
from triage.core.text import sanitize_line, sanitize_text

INSIGHT_WIDTH = 100
"""Cells that the lines of the insight page are written for."""
MARKING = "Say like, love or dislike of what you have heard."

_STROKES = dict.fromkeys(range(0x2500, 0x25A0))
"""Lines, boxes and blocks, which a screen reader names one by one."""


def line(text: str, limit: int = 600) -> str:
    """A stranger's text as one line."""
    return sanitize_line(text[: 4 * limit], limit)


def headline(digest: Digest, *, demo: bool = False) -> str:
    """What a digest is."""
    built = digest.built_at.astimezone()
    day = f"{built:%A} {built.day} {built:%B}" + (", DEMO: an invented day" if demo or digest.demo else "")
    return f"{day}. {words.plural(len(digest.items), 'item')}, {words.minutes(digest.minutes)}."


def ending(digest: Digest) -> list[str]:
    """That it is over, what it covered, and what was left out."""
    said = sentences(digest, MARKING)
    return ["You are done. That is the end of the digest.", *said, *map(line, digest.warnings)]


def row(number: int, item: Item, state: str) -> str:
    """An item in a list."""
    return f"{number}. {line(item.title) or '(no title)'}, {line(item.source)}{_state(state)}"


def announced(number: int, count: int, item: Item, state: str, now: datetime) -> Iterator[str]:
    """An item when it is its turn: enough to decide by."""
    yield f"{number} of {count}, {heading(item.lane, [item])}{_state(state)}"
    yield line(item.title) or "(no title)"
    yield ", ".join(_facts(item, now))
    if best := words.passage(item):
        yield f"Passage: {best}"


def opened(reading: Reading) -> list[str]:
    """The text of an item, a paragraph an element, with its links numbered, and what belongs to it named."""
    head = [line(words.text_note(reading))]
    head += [f"Also told by {line(copy.source)}: {line(copy.title)}" for copy in reading.copies]
    if reading.related:
        head.append(f"{words.plural(len(reading.related), 'other item')} belong to it: say related.")
    text = reflow.displayed(reading.item.kind, reading.text)
    for offset, number in links.numbered(text, reading.links):
        text = f"{text[:offset]} {number}{text[offset:]}"
    if reading.links:
        text += f"\n\n{words.plural(len(reading.links), 'link')}: say links."
    return [part for part in (*head, *sanitize_text(text).split("\n")) if part] or ["There is no text."]


def highlights(reading: Reading) -> list[str]:
    """The passages that counted, in the order of the text."""
    found = sorted(reading.item.highlights, key=lambda highlight: highlight.start)
    spoken = []
    for number, highlight in enumerate(found, 1):
        against = " speaks against it" if highlight.contribution < 0 else ""
        spoken.append(f"Passage {number} of {len(found)}{against}: {line(highlight.text, 2000)}")
    return spoken


def link(number: int, leads_to: Link) -> str:
    """A link: whose site it leads to, what it is called, and all of its address."""
    return f"{number}. {line(links.host(leads_to.url))}, {line(words.link(leads_to), 5000)}"


def related(number: int, other: Related, now: datetime) -> str:
    """Another item that belongs to the one that is open."""
    return f"{number}. {line(words.related(other, now))}: {line(other.title)}"


def reasons(explained: Explained) -> Iterator[str]:
    """Every share of a score, the strongest first."""
    yield f"Score {explained.score:+.2f}, the sum of these:"
    for reason in sorted(explained.reasons, key=lambda each: -abs(each.contribution)):
        said = f"{reason.kind}: {reason.name}" if reason.name else reason.kind
        yield f"{reason.contribution:+.2f} {line(said)}"
    yield line(explained.calibration)
    yield from map(line, explained.warnings)


def accounts(found: Ledger, now: datetime) -> Iterator[str]:
    """What each source took and gave."""
    for number, account in enumerate(found.accounts, 1):
        advice = f" Advice: {account.advice}." if account.advice in ("quiet", "drop") else ""
        name = line(account.title) or "(no name)"
        yield f"{number}. {name}: {ledger.facts(account, now)}.{advice} {line(account.because)}"


def journal(entries: Sequence[Entry]) -> Iterator[str]:
    """What was said, newest first, and what came of it."""
    for number, entry in enumerate(entries, 1):
        came = f" {notes(entry)}." if notes(entry) else ""
        yield f"{number}. {entry.at.astimezone():%d %b %H:%M}, {line(entry.says)}.{came.replace(' · ', ', ')}"


def insight(found: Insight, learned: Learned) -> Iterator[str]:
    """The insight page without its plots."""
    for pieces in page(found, learned, INSIGHT_WIDTH):
        said = line("".join(text for text, role in pieces if role != "bar").translate(_STROKES))
        if said.strip(". "):
            yield said


def _state(state: str) -> str:
    return "" if state == "new" else f", marked {state}"


def _facts(item: Item, now: datetime) -> Iterable[str]:
    age = words.age(item.published, now)
    facts = [line(item.source), line(item.people[0]) if item.people else "", f"{age} old" if age else ""]
    facts += [words.revised(item, now), words.minutes(item.minutes), words.care(item)]
    if item.copies:
        facts.append(f"told by {words.plural(item.copies, 'other')}")
    return dict.fromkeys(fact for fact in facts if fact)
