"""What a reader can say, as verbs, and which of them teach, mark, rule and show. Knows no log and no item."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.core.rules import Effect


class Verb(StrEnum):
    """What can be said."""

    LIKE = "like"
    LOVE = "love"
    DISLIKE = "dislike"
    SAVE = "save"
    """Worth keeping: it teaches as a like does, and a search lists what was saved."""
    LATER = "later"
    KNOWN = "known"
    """A document was handed in that the reader liked elsewhere; `phrase` names where it was listed."""
    INTEREST = "interest"
    """An interest phrase was added, or removed with weight 0."""
    RULE = "rule"
    """A soft rule was added, or a rule of any kind removed with weight 0; `phrase` is its condition."""
    ALWAYS = "always"
    KEEP = "keep"
    NEVER = "never"
    LANE_PEOPLE = "lane people"
    LANE_FOR_YOU = "lane for-you"
    """A hard rule was added; `phrase` is its condition, and the verb its effect."""
    ALIAS = "alias"
    """Two forms of one name were linked, or parted with weight 0; `phrase` is both."""
    USE = "use"
    """Profiles were chosen, which `phrase` names with commas between; all of them where it is empty."""
    SEARCH = "search"
    """A search is kept, or no longer with weight 0; `phrase` is its name, a space and what it looks for."""
    TOO_MUCH = "too-much"
    """A notification of an item was not worth it."""
    SPLIT = "split"
    """An item does not tell the same story as those that it was folded with."""
    UNDO = "undo"


MARKS = (Verb.LIKE, Verb.LOVE, Verb.DISLIKE, Verb.SAVE, Verb.LATER)
"""The verbs that a reader can apply to an item."""

LABEL_VALUES: dict[Verb, float] = {
    Verb.LIKE: 1.0,
    Verb.LOVE: 2.0,
    Verb.DISLIKE: 0.0,
    Verb.SAVE: 1.0,
    Verb.KNOWN: 1.0,
}
"""What trains the ranker. Later does not: it says when, not whether."""

FORESEEABLE = LABEL_VALUES.keys() - {Verb.KNOWN}
"""Of these, the ones that could have been foreseen: what was handed in was never shown here."""

AT_HAND = (Verb.SAVE, Verb.LATER)
"""Marks of what the reader wants at hand: it stands in the lane that nothing buries."""

HARD: dict[Verb, Effect] = {
    Verb.ALWAYS: "always",
    Verb.KEEP: "keep",
    Verb.NEVER: "never",
    Verb.LANE_PEOPLE: "lane people",
    Verb.LANE_FOR_YOU: "lane for-you",
}
"""The verbs of hard rules."""

RULES = (Verb.RULE, *HARD)
"""The verbs of rules."""

PAST_TENSE: dict[Verb, str] = {
    Verb.LIKE: "liked",
    Verb.LOVE: "loved",
    Verb.DISLIKE: "disliked",
    Verb.SAVE: "saved",
    Verb.LATER: "kept for later",
    Verb.KNOWN: "liked elsewhere",
    Verb.SPLIT: "told apart",
    Verb.TOO_MUCH: "too much",
}
"""What has been said of an item; the verbs that are not among these are about none."""
