"""What a reply says before what it quotes: the text of a mail with the writer's own words first.

A list that answers below the quote begins with somebody else's words, and beginnings are what a lead, a
first digest and a search result show. Only one shape is unambiguous and changed: a mail that begins with
one quote, with or without its line of attribution, and goes on in the writer's words. The quote moves to
the end; not a word is lost. Answers between several quotes are left alone, because there the order is
the meaning, and answers above the quote stand first already.
"""

from __future__ import annotations

import re

MIN_QUOTE = 3
"""Lines: a shorter quote is context that costs nothing, and often what makes an answer readable."""
MIN_OWN = 20
"""Characters of the writer's own: fewer are a signature or nothing at all."""

_QUOTED = re.compile(r"[ \t]{0,3}(?:>|\|\s)")
_ATTRIBUTION_LINES = 3
"""`On Tuesday, 3 November 2026 at 08:00, Ada Lovelace wrote:` is often broken in two."""
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)


def own_words_first(text: str) -> str:
    """Moves a quote at the beginning to the end; any other text is returned as it is."""
    lines = text.split("\n")
    start = _quote_start(lines)
    if start is None:
        return text
    end = start
    while end < len(lines) and (not lines[end].strip() or _QUOTED.match(lines[end])):
        end += 1
    quoted = sum(1 for line in lines[start:end] if line.strip())
    own = lines[end:]
    if quoted < MIN_QUOTE or any(_QUOTED.match(line) for line in own):
        return text
    words = "\n".join(own).strip()
    if len(_SIGNATURE.split(words)[0].strip()) < MIN_OWN:
        return text
    return f"{words}\n\n{chr(10).join(lines[:end]).strip()}"


def _quote_start(lines: list[str]) -> int | None:
    """The first quoted line, if nothing but an attribution stands before it."""
    before: list[str] = []
    for number, line in enumerate(lines):
        if _QUOTED.match(line):
            return number if not before or _is_attribution(before) else None
        if line.strip():
            before.append(line)
            if len(before) > _ATTRIBUTION_LINES:
                return None
    return None


def _is_attribution(lines: list[str]) -> bool:
    """Whether these lines are one sentence that ends in a colon."""
    *begin, end = (line.rstrip() for line in lines)
    return end.endswith((":", "：")) and not any(line.endswith((".", "!", "?")) for line in begin)
