"""How long a text takes this reader: words and characters, the kind of text, and their own measured speed.

Pure. Owns every number of reading time; which openings are stored, and what a digest does with minutes, is
not known here.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from triage.core.items import ItemKind

WORDS_PER_MINUTE = 230.0
"""Silent reading of English non-fiction: 238 words per minute over 190 studies (Brysbaert 2019), rounded
down because a screen is read a little more slowly than paper."""
CHARACTERS_A_WORD = 416 / 230
"""Chinese or Japanese characters that take as long as a word: 260 words per minute at about 1.6 characters a
word (Brysbaert 2019) are 416 characters."""
DENSITY: dict[ItemKind, float] = {"feed": 1.0, "mail": 1.0, "paper": 1.25}
"""How much longer a word takes: papers are read to learn. Carver (1990, "Reading Rate") finds learning at
two thirds of the speed of ordinary reading; most of a paper's abstract is nearer to the latter."""
OPENING_MINUTES = 0.15
"""To decide on an item and to open it, however short it is."""
PLANNED_MINUTES = 8.0
"""Of something longer a digest plans the first part: who reads on has decided to spend that time."""

SHORTEST_WORDS = 60
"""A shorter text says nothing about speed: finding one's place in it takes as long as reading it."""
SHORTEST_S, LONGEST_S = 8.0, 45 * 60.0
SLOWEST, FASTEST = 70.0, 700.0
"""Words per minute outside of which nobody reads: the text was glanced at, or left open over a coffee."""
LEAST, MOST = 120.0, 450.0
"""The measured speed stays between these: minutes that are wrong by more than a factor of two help nobody."""
PRIOR = 8
"""So many openings weigh as much as what is known of readers in general."""


@dataclass(frozen=True, slots=True)
class Read:
    """A text that was open once: how long it is, and for how long it was."""

    words: int
    cjk_characters: int
    kind: ItemKind
    seconds: float | None
    """None where nobody saw it closed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast this reader reads."""

    words_per_minute: float = WORDS_PER_MINUTE
    measured: int = 0
    """On how many openings that rests; 0 if it is the speed of readers in general."""

    def minutes(self, words: int, cjk_characters: int, kind: ItemKind) -> float:
        """Estimated minutes to read all of a text."""
        return OPENING_MINUTES + load(words, cjk_characters, kind) / self.words_per_minute


GENERAL = Pace()
"""That of readers in general."""


def load(words: int, cjk_characters: int, kind: ItemKind) -> float:
    """The length of a text in words of ordinary prose that would take as long."""
    return (words + cjk_characters / CHARACTERS_A_WORD) * DENSITY[kind]


def measured(reads: Iterable[Read]) -> Pace:
    """The reader's speed, from what they opened.

    The median of the plausible speeds, drawn towards the general one as if that had been seen `PRIOR` times,
    on the scale of logarithms because speeds are ratios. A median, because openings err in both directions:
    a text is left half read, or left open.
    """
    speeds = [speed for read in reads if (speed := _speed(read)) is not None]
    if not speeds:
        return GENERAL
    own, general = math.log(statistics.median(speeds)), math.log(WORDS_PER_MINUTE)
    drawn = math.exp((len(speeds) * own + PRIOR * general) / (len(speeds) + PRIOR))
    return Pace(min(max(drawn, LEAST), MOST), len(speeds))


def was_read(read: Read) -> bool:
    """Whether an opening was a reading: it lasted a fifth of the time that the text takes, or who knows."""
    if read.seconds is None:
        return True
    needed = GENERAL.minutes(read.words, read.cjk_characters, read.kind)
    return read.seconds >= 60 * min(needed, PLANNED_MINUTES) / 5


def _speed(read: Read) -> float | None:
    """Words of ordinary prose a minute; None where that is no reading."""
    length = load(read.words, read.cjk_characters, read.kind)
    if read.seconds is None or not SHORTEST_S <= read.seconds <= LONGEST_S or length < SHORTEST_WORDS:
        return None
    speed = 60 * length / read.seconds
    return speed if SLOWEST <= speed <= FASTEST else None
