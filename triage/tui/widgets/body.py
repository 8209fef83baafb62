"""The text of a reading as paragraphs to be wrapped: passages, phrases, numbers of links, folded quotes.

Pure drawing. A passage is known by its number as the style of its characters, which wrapping keeps.

Text stays in the order in which it was written. A terminal that knows how lays right-to-left scripts out
by itself; reordering here would be undone by it, and wrong in all others. What could turn the order of
neighbouring words around was taken out when the text was sanitised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual.content import Content

from triage.core import links, words
from triage.core.items import Highlight
from triage.core.links import Link
from triage.core.text import sanitize_text
from triage.tui.cells import line

FOLDED = 3
"""So many quoted lines in a row are folded to one."""


def place(highlights: Iterable[Highlight], stored: str, shown: str) -> list[tuple[int, int, bool]]:
    """Where highlights lie in the text as it is shown: (start, end, does not speak against it), in order.

    The offsets hold for the stored text. Should sanitising have changed it, which it does not for text
    that was sanitised when it came in, a highlight is looked up by its words and dropped if not found.
    """
    found = []
    for highlight in highlights:
        start, end = highlight.start, highlight.end
        if shown != stored:
            passage = sanitize_text(highlight.text)
            start = shown.find(passage) if passage else -1
            end = start + len(passage)
        if 0 <= start < end <= len(shown):
            found.append((start, end, highlight.contribution >= 0))
    return sorted(found)


def paragraphs(
    text: str,
    places: Sequence[tuple[int, int, bool]],
    phrases: Sequence[tuple[int, int]],
    leads_to: Sequence[Link],
    *,
    folded: bool,
) -> Iterator[Content]:
    """The text, line by line of its own.

    Args:
        text: As it is shown.
        places: Of the passages, as `place` finds them; their styles are their numbers.
        phrases: `text[start:end]` of the words that carry a passage.
        leads_to: Links that have a place in the text get their numbers there.
        folded: Whether long runs of quoted lines are one line each.
    """
    begin, quoted = 0, _long_quotes(text.split("\n")) if folded else {}
    for number, paragraph in enumerate(text.split("\n")):
        content, end = Content(paragraph), begin + len(paragraph)
        if number in quoted:
            if quoted[number]:
                yield Content.styled(f"> {words.plural(quoted[number], 'quoted line')} (v unfolds)", "dim")
            begin = end + 1
            continue
        for passage, (start, stop, _) in enumerate(places):
            if start < end and stop > begin:
                content = content.stylize(str(passage), max(start, begin) - begin, min(stop, end) - begin)
        for start, stop in phrases:
            if start < end and stop > begin:
                content = content.stylize("phrase", max(start, begin) - begin, min(stop, end) - begin)
        for at, shown in links.numbered(paragraph, leads_to, begin):
            content = Content.assemble(content[:at], (shown, "link"), content[at:])
        yield content
        begin = end + 1


def listed(leads_to: Sequence[Link]) -> Iterator[Content]:
    """The links below the text, each with its whole address."""
    for number, link in enumerate(leads_to, 1):
        if number == 1:
            yield Content("")
        yield Content.assemble((f"[{number}] ", "link"), (line(words.link(link), 5000), "dim"))


def _long_quotes(lines: Sequence[str]) -> dict[int, int]:
    """Line number -> how many lines it stands for: the first of a quote for all, the others for none."""
    found: dict[int, int] = {}
    first = 0
    for number, each in enumerate([*lines, ""]):
        if each.startswith(">"):
            continue
        if number - first >= FOLDED:
            found |= dict.fromkeys(range(first, number), 0) | {first: number - first}
        first = number + 1
    return found
