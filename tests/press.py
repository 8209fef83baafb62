"""A press that publishes invented articles, some of which a reader wants: here the truth is known.

Subjects have words of their own and borrow some of each other's; every article is either a report or a
notice, which have words of their own too. What is wanted follows from both, so that neither a subject nor a
source nor a single word tells it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

SUBJECTS = {
    "bees": "hive queen drone honey comb nectar swarm pollen keeper smoker wax brood colony blossom",
    "trams": "tram rail driver depot stop track wire bend platform switch carriage conductor signal fare",
    "chess": "bishop rook opening endgame gambit castle pawn tournament clock master blunder fork mate",
    "bread": "sourdough oven crust flour baker crumb yeast rye loaf dough starter proof salt grain",
    "tides": "harbour moon current estuary gauge ebb mudflat pilot dike surge sluice buoy anchorage",
    "clay": "kiln glaze potter wheel slip firing bowl ash stoneware bisque handle throwing chamber",
    "stars": "telescope nebula orbit comet spectrum mirror eclipse planet dust lens dwarf transit moon",
    "bikes": "saddle pedal spoke chain frame gear hub lane brake commuter trailer rim helmet wheel",
}
"""Words of each subject, in a ring: each borrows from the next one."""
REPORT = "measured compared learned years history method found because evidence explains tested results"
NOTICE = "tickets closed hours members discount register weekend parking announced tonight prices sale"
COMMON = (
    "people morning small first place water street city winter summer work hands old new quiet long group "
    "visit country question answer week page part side letter friend paper colour table little often"
)
BORROWED = 4
"""Words that a subject takes from the next one."""
WANTED = frozenset({"bees", "tides", "stars"})
"""What the reader cares for, as long as it is a report."""
REPORTS = 0.6
"""Their share of all articles."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article as it is published."""

    key: str
    title: str
    text: str
    at: datetime
    wanted: bool
    """Whether the reader wants it, which nobody else knows."""


class Press:
    """What each source publishes, and when: always the same."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.wanted: dict[str, bool] = {}
        """Title -> whether the reader wants it, of everything that was printed so far."""

    def latest(self, source: str, hours: float, now: datetime, count: int = 12) -> list[Article]:
        """The latest articles of a source that publishes every so many hours, newest first."""
        last = int((now - self._start) / timedelta(hours=hours))
        return [
            self.article(source, n, self._start + n * timedelta(hours=hours))
            for n in range(last, last - count, -1)
        ]

    def article(self, source: str, number: int, at: datetime) -> Article:
        """One article of a source."""
        choose = random.Random(f"{source} {number}")
        beat = random.Random(source).sample(list(SUBJECTS), 3)
        subject, report = choose.choice(beat), choose.random() < REPORTS
        following = list(SUBJECTS)[(list(SUBJECTS).index(subject) + 1) % len(SUBJECTS)]
        own = SUBJECTS[subject].split() + SUBJECTS[following].split()[:BORROWED]
        form, common = (REPORT if report else NOTICE).split(), COMMON.split()
        lines = []
        for _ in range(choose.randint(4, 8)):
            said = choose.choices(own, k=4) + choose.choices(form, k=2) + choose.choices(common, k=5)
            choose.shuffle(said)
            lines.append(" ".join(said).capitalize() + ".")
        heading = " ".join(choose.choices(own, k=2) + choose.choices(common, k=2)).capitalize()
        title = f"{heading} {source} {number}"
        self.wanted[title] = wanted = report and subject in WANTED
        return Article(f"{source}-{number}", title, " ".join(lines), at, wanted)
