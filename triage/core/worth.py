"""What reading an item is worth today, and what there is to gain by it: what a digest collects.

Pure. Owns how a chance becomes a worth: what a letter or a saved thing is worth beyond it, what age takes
away, and what was passed over. The chance itself, and every share of the score, are the ranker's.
"""

from __future__ import annotations

from datetime import timedelta

from triage.core.items import ItemKind, Lane

HALF_LIVES: dict[ItemKind, timedelta] = {
    "feed": timedelta(days=2),
    "mail": timedelta(days=3),
    "paper": timedelta(days=14),
}
"""After which an item is worth half: today's news goes before yesterday's, a paper holds for weeks. They are
those of the ranker, in which being new is one small share of the score among others."""
PERSONAL_HALF_LIFE = timedelta(days=7)
"""Of mail from a person: it waits for an answer."""
LEAST_LEFT = 1 / 8
"""What age leaves of the worth at least. Beside anything new that is too little; among old things alone, such
as the archive of a new source, the better ones come first and not the newer ones."""
FROM_PEOPLE = 0.5
"""What mail from a person, or what was saved by hand, is worth at least while it is new: somebody wrote it to
the reader, or the reader has said so. The chance that they care makes up the other half."""
PASSED_OVER = 0.5
"""What is left of an item's worth each time that it stood in a digest that was looked at and was left alone:
that teaches the ranker nothing, but the minutes are better spent on something else."""
GAIN = 0.75
"""What there is to gain by a text grows with its length, but more slowly: of twice the length, 1.7 times as
much. With 0, every text would count alike: the digest would be made of what is short, whatever it is, because
twenty scraps that nobody has asked for are likelier to hold something than three good articles. With 1, one
long text would count as much as many short ones that are as good, and a reader would rather have those."""
OLD = 2
"""Half-lives after which what is left out is called too old."""


def worth(chance: float, lane: Lane, timeliness: float, *, saved: bool = False, passed: int = 0) -> float:
    """What reading an item is worth, in [0, 1].

    Args:
        chance: That the reader will care, in [0, 1].
        lane: Where it would stand.
        timeliness: What its age has left of it.
        saved: What was saved by hand does not age and is not passed over.
        passed: In how many earlier digests the reader has left it alone.
    """
    full = FROM_PEOPLE + (1 - FROM_PEOPLE) * chance if lane == "people" else chance
    return full if saved else full * timeliness * PASSED_OVER**passed


def gain(worth: float, minutes: float) -> float:
    """What there is to gain by reading an item, in minutes of something that is worth all of them.

    Args:
        worth: What reading it is worth, in [0, 1].
        minutes: Planned for it.
    """
    return float(worth * minutes**GAIN)


def timeliness(kind: ItemKind, lane: Lane, age: timedelta) -> float:
    """The share of an item's worth that its age has left, in [`LEAST_LEFT`, 1]; what lies ahead is new."""
    return float(max(0.5 ** max(age / half_life(kind, lane), 0.0), LEAST_LEFT))


def half_life(kind: ItemKind, lane: Lane) -> timedelta:
    """How long it takes an item to lose half of its worth."""
    return PERSONAL_HALF_LIFE if lane == "people" else HALF_LIVES[kind]
