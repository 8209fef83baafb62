"""What a story is, and the words that are no part of any: footers, advertisements, navigation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MIN_STORIES = 3
MIN_TEXT = 40
"""Characters: less is a menu, a list of links or a table of prices."""

_BOILERPLATE = re.compile(
    r"^\W*(?:advertisement|our sponsor|sponsored|(?:a )?(?:message|word) from our|un-?subscribe"
    r"|forward (?:this|to)|share (?:this|on)|follow us|view (?:this|in|online)|click here|copyright|©|\(c\)"
    r"|all rights|table of contents|in this issue|also (?:in|from)|today's headlines|top stories|quick links"
    r"|e-?mail this|buy now|shop now|order now|sign up|join us|update your|change your|back to top"
    r"|most popular|more (?:from|news|stories)|administrivia|(?-i:[Bb]y [A-Z])|(?-i:--[A-Z])"
    r"|(?:this )?(?:newsletter|issue) (?:is )?(?:brought|sponsor)"
    r"|(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day\W+)?(?:\d{1,2}\.? )?(?:january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\b[\w ,]{0,9}\d{4}\W*$)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^\W*(?:advert|sponsor|paid|anzeige|publicit|subscri|privacy|terms|contact|about|home|contents|feedback"
    r"|help|search|printer|log ?in|manage|download|previous|next|archives?|dear|hello|hi)\b",
    re.IGNORECASE,
)
_LABEL_WORDS = 4
_FOOTER = re.compile(
    r"\bunsubscrib|to (?:leave|stop receiving|be removed|cancel)\b"
    r"|you(?:'re| are| have)? receiv(?:e|ed|ing) th|(?:sent|mailed) to you because|you (?:have )?subscribed"
    r"|(?:manage|update|change|edit) your (?:sub|pref|email|e-mail)|your subscription|advertise with us"
    r"|all rights reserved|copyright (?:©|\(c\)|\d{4})|^©|privacy policy|to subscribe\b"
    r"|this (?:e-?mail|message|newsletter) was sent|abbestellen|abmelden|se désinscrire|darse de baja",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Story:
    """A part of a newsletter, or a mail within a digest."""

    title: str
    text: str
    url: str | None
    author: str = ""
    """Who wrote it, if it is not the sender of the whole."""


def is_boilerplate(text: str) -> bool:
    """Whether a line begins as no title or story does."""
    if _BOILERPLATE.match(text):
        return True
    # "Privacy" is a label, "Privacy advocates sue the harbour" is a title.
    return len(text.split()) <= _LABEL_WORDS and _LABEL.match(text) is not None


def is_footer(text: str) -> bool:
    """Whether a line belongs to what stands below all stories."""
    return len(text) < 1_000 and _FOOTER.search(text) is not None


def spans(starts: Sequence[int], end: int) -> list[tuple[int, int]]:
    """From each start to the next; the last one goes to `end`."""
    return list(zip(starts, [*starts[1:], end], strict=False))
