"""A month in the life of the program: its daemon, sources that fail, and a reader who comes every morning.

Everything but the time is real: the daemon's rounds and jobs, HTTP on the loopback interface, a mailbox, the
ranker, the services by which a reader marks. The clock goes on by an hour from round to round. What was
promised is judged from outside: by the servers' logs, by what was published, by what the reader truly wants.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from loopback import Route
from press import Article, Press
from servers import Days, InProcess, World
from world import NOW

from triage.config import Config, DaemonConfig, FullTextConfig, NotifyConfig
from triage.core.verbs import Verb
from triage.daemon.app import Daemon
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import ingest, sources
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, reading
from triage.store import feedback as event_log
from triage.store import items
from triage.store.engine import Database

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = 10
"""Items of a digest that the reader looks at in the morning, and says something about some of them."""
LONGEST_GAP = 1.1 * DAY + 2 * HOUR
"""Between two polls of a feed that answers: a day, the spread of chance, and the steps of this clock."""
BIG = 1.05
"""How much larger an item may be on disk at the end than after a quarter of the month."""
SETTINGS = Config(
    full_text=FullTextConfig(fetch=False),
    notify=NotifyConfig(per_day=0),
    daemon=DaemonConfig(on_battery=True, backups=1),
)
"""Whole texts are served already, nobody has a desktop, and laptops do not matter here."""


@dataclass(frozen=True, slots=True)
class Morning:
    """How good the order was that the reader found one morning."""

    day: int
    share: float
    """Of the first items of the digest, how many were wanted."""
    newest_share: float
    """The same if the newest items had been shown."""
    precision: float | None
    """Average precision over the items that came since the last morning; None if none of them was wanted."""
    newest_precision: float | None


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that was promised, and whether it was kept."""

    name: str
    kept: bool
    found: str


@dataclass(slots=True)
class Month:
    """What a month came to."""

    days: int
    encoder: str
    mornings: list[Morning] = field(default_factory=list)
    marks: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Event id -> (item, verb), of every mark that was acknowledged."""
    due_after_round: int = 0
    """Rounds after which a source was still due."""
    troubles: list[str] = field(default_factory=list)
    """What the daemon has logged as errors."""
    rounds: int = 0
    polls: int = 0
    sizes: list[dict[str, int]] = field(default_factory=list)
    """At each quarter's end: rows by table, bytes, open files, threads."""
    promises: list[Promise] = field(default_factory=list)

    def quarter(self, number: int) -> list[Morning]:
        """The mornings of a quarter of the month, a week if it has 28 days."""
        length = len(self.mornings) // 4
        return self.mornings[number * length : (number + 1) * length]


def settle(world: World, press: Press, days: Days, mailbox: Path) -> None:
    """Sources of all manners. Hours are counted from the start."""

    def hour() -> float:
        return (days.now - NOW) / HOUR

    def publishing(name: str, hours: float, **how: Any) -> Callable[[], Route]:
        return lambda: Route(rss(press.latest(name, hours, days.now)), **how)

    def unless(trouble: Callable[[], Route | None], served: Callable[[], Route]) -> Callable[[], Route]:
        return lambda: trouble() or served()

    def between(first: float, last: float, route: Route) -> Callable[[], Route | None]:
        return lambda: route if first <= hour() < last else None

    def renaming() -> Route:
        """Gives every article another guid each day."""
        return Route(rss(press.latest("renaming", 9, days.now), f" of day {int(hour()) // 24}"))

    broken = Route(b"", 500, etag=False)
    half = b"<rss version='2.0'><channel>"
    cut = Route(chunks=lambda: iter([half]), headers={"Content-Length": "90000"}, etag=False)
    portal = Route(b"<html>Log in</html>", headers={"ETag": '"portal"'})
    busy = Route(b"", 429, {"Retry-After": "10800"}, etag=False)
    away = Route(b"", 308, {"Location": "/found"}, etag=False)
    world.host(plain=publishing("plain", 6), dated=publishing("dated", 10, gzip=True))
    world.host(
        whole=publishing("whole", 13, etag=False),
        fresh=publishing("fresh", 7, headers={"Cache-Control": "max-age=10800"}),
    )
    world.host(flapping=unless(lambda: broken if int(hour()) % 7 < 2 else None, publishing("flapping", 8)))
    world.host(down=unless(between(60, 110, Route(b"", 503, etag=False)), publishing("down", 11)))
    world.host(cut=unless(lambda: cut if int(hour()) % 11 < 2 else None, publishing("cut", 9)))
    world.host(portal=unless(between(30, 40, portal), publishing("portal", 12)))
    world.host(
        busy=unless(lambda: busy if int(hour()) % 5 == 0 else None, publishing("busy", 8)),
        neighbour=publishing("neighbour", 10),
    )
    world.host(gone=unless(between(80, 1e9, Route(b"", 410, etag=False)), publishing("gone", 12)))
    world.host(lost=unless(between(50, 75, Route(b"", 404, etag=False)), publishing("lost", 12)))
    world.host(moved=unless(between(40, 1e9, away), publishing("moved", 7)), found=publishing("moved", 7))
    world.host(renaming=renaming)
    world.targets = [*(url for name, url in world.urls.items() if name != "found"), str(mailbox)]
    for folder in ("new", "cur", "tmp"):
        (mailbox / folder).mkdir(parents=True)


def rss(articles: Iterable[Article], suffix: str = "") -> bytes:
    """A feed of articles."""
    entries = "".join(
        f"<item><guid isPermaLink='false'>{article.key}{suffix}</guid><title>{escape(article.title)}</title>"
        f"<link>https://press.example/{article.key}</link><pubDate>{format_datetime(article.at)}</pubDate>"
        f"<description>{escape(article.text)}</description></item>"
        for article in articles
    )
    return f"<rss version='2.0'><channel><title>Press</title>{entries}</channel></rss>".encode()


def deliver(press: Press, mailbox: Path, number: int, now: datetime) -> Article:
    """A mail a day, from a list."""
    article = press.article("letters", number, now)
    (mailbox / "new" / f"{number}.mail.host").write_text(
        f"From: The list <list@press.example>\nTo: reader@press.example\nSubject: {article.title}\n"
        f"Date: {format_datetime(now)}\nMessage-ID: <{article.key}@press.example>\n"
        f"List-Id: <letters.press.example>\nPrecedence: list\n\n{article.text}\n"
    )
    return article


def install(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Has rounds parse in this process; `put` is `setattr` or that of a monkeypatch."""
    put(ingest, "ParserPool", InProcess)


def live(
    paths: Paths,
    open_database: Callable[[], Database],
    worker: ModelWorker,
    *,
    days: int = 28,
    encoder: str,
    on_morning: Callable[[Morning], None] = lambda _: None,
) -> Month:
    """Lives through it, and judges it."""
    clock, month = Days(), Month(days, encoder)
    heard = _Heard(month.troubles)
    logging.getLogger("triage").addHandler(heard)
    try:
        with ExitStack() as stack:
            life = _Life(paths, open_database, worker, clock, month, stack)
            life.run(on_morning)
            month.promises = life.judged()
    finally:
        logging.getLogger("triage").removeHandler(heard)
    return month


class _Heard(logging.Handler):
    """Keeps what was logged as an error."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage())


class _Life:
    """The month while it goes on."""

    def __init__(
        self,
        paths: Paths,
        open_database: Callable[[], Database],
        worker: ModelWorker,
        clock: Days,
        month: Month,
        stack: ExitStack,
    ) -> None:
        self._paths, self._open, self._worker = paths, open_database, worker
        self._clock, self._month = clock, month
        self._press, self._world = Press(NOW), World(clock, stack)
        self._mailbox = paths.data / "mailbox"
        self._mails: list[str] = []
        settle(self._world, self._press, clock, self._mailbox)
        self._database = open_database()
        for target in self._world.targets:
            sources.add(self._database, clock, target, allow_local=True)

    def run(self, on_morning: Callable[[Morning], None]) -> None:
        """Hour by hour; the daemon begins anew now and then."""
        daemon = self._daemon()
        for hour in range(self._month.days * 24 + 1):
            self._clock.now = NOW + hour * HOUR
            if hour % 24 == 0:
                self._mails.append(deliver(self._press, self._mailbox, hour // 24, self._clock.now).title)
            if hour in (30, 100, 101) or hour % 240 == 200:
                daemon = self._restarted()
            asyncio.run(daemon.round())
            self._month.rounds += 1
            self._month.due_after_round += not ingest.until_next(self._database, self._clock, HOUR)
            if hour % 24 == 0 and hour:
                self._month.mornings.append(self._morning(hour // 24))
                on_morning(self._month.mornings[-1])
            if (hour + 1) % (self._month.days * 6) == 0:
                self._month.sizes.append(self._sizes())
        self._worker.close()

    def _daemon(self) -> Daemon:
        return Daemon(self._paths, SETTINGS, self._clock, self._database, self._worker)

    def _restarted(self) -> Daemon:
        self._worker.close()
        self._database.close()
        self._database = self._open()
        return self._daemon()

    def _morning(self, day: int) -> Morning:
        """The reader opens the digest, reads what they want of the first items, and marks some."""
        now, truth = self._clock.now, self._press.wanted
        digest = digest_file.read(self._paths.digest)
        assert digest is not None
        with self._database.read() as connection:
            marked = {event.item_id for event in event_log.events(connection)}
        self._worker.flush(now)
        with self._database.read() as connection:
            rows = [row for row in items.best(connection, 100_000) if row.id not in marked]
        newest = sorted(rows, key=lambda row: (row.published_at or row.first_seen_at, row.id), reverse=True)
        since = [row for row in rows if row.first_seen_at > now - DAY]
        newest_since = [row for row in newest if row.first_seen_at > now - DAY]
        shown = digest.items[:FIRST]
        digest_file.looked(self._paths.seen, digest, now)
        for n, item in enumerate(shown):
            wanted = truth[item.title]
            if wanted:
                reading.opened(self._database, self._clock, item.id, seconds=20.0)
            if item.state == "new" and (day + n) % 3:
                verb = Verb.LIKE if wanted else Verb.DISLIKE
                recorded = feedback.mark(self._database, self._clock, item.id, verb)
                self._month.marks[recorded.event_id] = (item.id, verb.value)
        self._worker.rerank(now)
        return Morning(
            day=day,
            share=_share([truth[item.title] for item in shown]),
            newest_share=_share([truth[row.title] for row in newest[:FIRST]]),
            precision=average_precision([truth[row.title] for row in since]),
            newest_precision=average_precision([truth[row.title] for row in newest_since]),
        )

    def _sizes(self) -> dict[str, int]:
        with self._database.read() as connection:
            tables = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                " AND name NOT LIKE 'item_search%'"
            ).scalars()
            found = {
                name: int(connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one())
                for name in list(tables)
            }
        wal = self._paths.database.with_name(f"{self._paths.database.name}-wal")
        return found | {
            "bytes": self._database.pragma("page_count") * self._database.pragma("page_size"),
            "log bytes": wal.stat().st_size if wal.exists() else 0,
            "open files": len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0,
            "threads": threading.active_count(),
        }

    # ------------------------------------------------------------ judging

    def judged(self) -> list[Promise]:
        """Every promise, judged from outside."""
        self._database.close()
        self._database = self._open()
        try:
            return [
                self._no_early_poll(),
                self._no_missed_poll(),
                self._nothing_lost(),
                self._marks_kept(),
                self._no_growth(),
                self._no_trouble(),
                *self._ranking(),
            ]
        finally:
            self._database.close()

    def _no_early_poll(self) -> Promise:
        self._month.polls = sum(len(server.exchanges) for server in self._world.hosts)
        found = self._world.offences()
        said = "; ".join(f"{offence.sin} on {offence.path} {offence.detail}" for offence in found[:3])
        return Promise(
            "no early poll, no other rudeness", not found, said or f"{self._month.polls} requests, no offence"
        )

    def _no_missed_poll(self) -> Promise:
        late = []
        for name in self._world.urls:
            times = [exchange.request.at for exchange in self._world.exchanges(name)]
            if name not in ("gone", "moved"):
                times.append(self._clock.seconds())
            gaps = (after - before for before, after in pairwise(times))
            late += [name for gap in gaps if gap > LONGEST_GAP.total_seconds()]
        kept = not late and not self._month.due_after_round
        rounds = f"{self._month.rounds} rounds, {self._month.due_after_round} left a source due"
        return Promise("no missed poll", kept, f"{rounds}; too long between polls: {late or 'never'}")

    def _nothing_lost(self) -> Promise:
        with self._database.read() as connection:
            stored = [row.title for row in items.best(connection, 100_000)]
        expected = self._world.items_served() | set(self._mails)
        lost, twice = len(expected - set(stored)), len(stored) - len(set(stored))
        sound = self._database.pragma("integrity_check") == "ok"
        said = f"{len(stored)} items, {lost} lost, {twice} twice, {'sound' if sound else 'damaged'}"
        return Promise("nothing lost, nothing twice", not lost and not twice and sound, said)

    def _marks_kept(self) -> Promise:
        with self._database.read() as connection:
            stored = {event.id: (event.item_id, event.verb.value) for event in event_log.events(connection)}
        kept = stored == self._month.marks
        return Promise("every mark kept", kept, f"{len(stored)} stored of {len(self._month.marks)} made")

    def _no_growth(self) -> Promise:
        first, *_, last = self._month.sizes
        per_item = [size["bytes"] / size["item"] for size in (first, last)]
        bound = {
            "event": len(self._month.marks),
            "effect": len(self._month.marks),
            "model_version": len(self._month.marks) + self._month.days,
            "job": 4,
            "host": len(self._world.hosts),
            "contact": 31 * len(self._world.hosts),
            "digest": self._month.days + 8 * 24,
            "full_text": 0,
            "open files": first["open files"] + 2,
            "threads": first["threads"] + 2,
        }
        over = {name: last[name] for name, most in bound.items() if last[name] > most}
        kept = not over and per_item[1] <= BIG * per_item[0]
        said = f"{per_item[0]:.0f} bytes an item after a quarter, {per_item[1]:.0f} at the end"
        return Promise("no growth beyond the data", kept, f"{said}; too many: {over or 'nothing'}")

    def _no_trouble(self) -> Promise:
        found = self._month.troubles
        return Promise("no trouble of the daemon's own", not found, "; ".join(found[:2]) or "no error logged")

    def _ranking(self) -> list[Promise]:
        first, last = (mean(self._month.quarter(n), "precision") for n in (0, 3))
        newest = mean(self._month.quarter(3), "newest_precision")
        share, newest_share = (mean(self._month.quarter(3), name) for name in ("share", "newest_share"))
        return [
            Promise(
                "better in the last week than in the first", last > first,
                f"average precision {first:.2f}, then {last:.2f}",
            ),
            Promise(
                "better than newest first", last > newest and share > newest_share,
                f"average precision {last:.2f} to {newest:.2f}, wanted among the first {FIRST}"
                f" {share:.0%} to {newest_share:.0%}",
            ),
        ]  # fmt: skip


def mean(mornings: Sequence[Morning], name: str) -> float:
    """The mean of a measure over the mornings that have it; 0 if none has."""
    values = [value for morning in mornings if (value := getattr(morning, name)) is not None]
    return statistics.fmean(values) if values else 0.0


def _share(wanted: Sequence[bool]) -> float:
    return sum(wanted) / len(wanted) if wanted else 0.0


def average_precision(wanted: Sequence[bool]) -> float | None:
    """Of an order, best first: the mean of the precisions at each wanted item; None if there is none."""
    places = [n for n, each in enumerate(wanted, 1) if each]
    return statistics.fmean(k / place for k, place in enumerate(places, 1)) if places else None
