"""The model worker: the one long-lived process that holds the ranker, and the messages it understands.

Started by `triage.services.ranker.worker_client` as `python -m triage.services.ranker.worker`; ends when its
standard input does. Numpy is imported here and in what it calls, so that neither the terminal interface nor
the daemon's parent process ever pays for it.

Requests and replies are frames of `model.frames`; a request has `op` and `now`:

    build      (+ "minutes", "hurry") index new items (in a hurry, by their leads), rank as of now,
               store a new digest                                  -> {"digest": ...}
    read_on    read a portion of what only the lead is known of, and rank again after the last one
                                                                   -> {"waiting": items left}
    rerank     rank as of the current digest, after new marks      -> {"digest": ..., "moved": n}
    reread     index texts that were exchanged, then the same         -> {"digest": ..., "moved": n}
    nearest    + "query", "limit": the items nearest in meaning to a search, and why there are none
                                                -> {"nearest": [[id, cosine], ...], "problem": ...}
    explain    + "item"                                            -> {"explained": ...}
    learned    + "since": what has moved by all that was said since   -> {"learned": ...}
    question   + "passed": the item whose mark would teach most, and the best of all
                                                          -> {"item": ... or null, "said": ..., "top": [...]}
    nearness   + "phrases", "texts": cosines, a row a text         -> {"cosines": ... or null}
    learn      + "dry_run": try other settings, promote better ones   -> {"outcome": ...}
    hindsight  + "minutes": other orders on the days that have been   -> {"hindsight": ...}
    shown      + "items": those that a rule has shown in any case      -> {"shown": ids}
    roll_back  go back to the model before the current one         -> {"message": ...}
    flush      everything that earlier requests led to is stored   -> {}

While a request is worked on, any number of {"progress": [what, done, total]} frames may come first; a
failure that the reader can mend comes as {"error": message, "fix": ...}.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from model.encoder import EncoderFailed
from model.frames import BrokenFrame, read_frame, write_frame
from model.types import ModelError
from triage import config, logs
from triage.core import feedback, schedule, words
from triage.core.errors import TriageError, UsageError, refused_by_system
from triage.core.hindsight import Hindsight
from triage.core.items import Digest
from triage.core.journal import Effect
from triage.core.learning import Outcome
from triage.core.readings import Explained
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.ranker import digests, hindsight, learn, questions
from triage.services.ranker.indexing import Backlog, index_items
from triage.services.ranker.meaning import Meaning
from triage.services.ranker.models import Models
from triage.services.ranker.ranking import RANKER, RankingService
from triage.services.ranker.stories import Grouping
from triage.services.ranker.vectors import Vectors
from triage.services.reader import folding, past, rule_book
from triage.services.reader.past import Past
from triage.store import effects, items, scores
from triage.store.engine import Database
from triage.store.scores import DigestRow

log = logging.getLogger(__name__)


class Worker:
    """The state of the process: one database, one corpus."""

    def __init__(self, paths: Paths, settings: config.Config, *, demo: bool, replies: BinaryIO) -> None:
        self._paths = paths
        self._settings = settings
        self._demo = demo
        self._replies = replies
        self._database = Database(paths.database)
        self._vectors = Vectors(self._database, paths, settings, self._progress)
        window = timedelta(days=settings.digest.window_days)
        self._models = Models(paths.models, RANKER)
        self._ranking = RankingService(self._database, self._vectors, self._models, window)
        self._grouping = Grouping(self._database, self._vectors)
        self._backlog = Backlog(self._database, self._vectors)
        self._meaning = Meaning(self._database, self._vectors)
        self._searching = False
        self._afterwards: Callable[[], None] | None = None
        self._last_event = 0
        self._look: tuple[datetime, datetime] | None = None
        self._encoder_stays = False
        """A reader who says what they care about says more in a moment, and then has items to be read."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Does what one request asks; raises TriageError or ModelError for what a reader can mend."""
        self._encoder_stays = request["op"] == "nearness"
        now = datetime.fromisoformat(request["now"])
        time.tzset()  # the reader may have travelled since the last request
        match request["op"]:
            case "build":
                flood = 0 if request.get("hurry") else None
                index_items(self._database, self._vectors, self._progress, flood=flood)
                self._grouping.group_new(now)
                minutes = request.get("minutes") or self._settings.digest.minutes
                return {"digest": self._build(now, minutes).to_json()}
            case "read_on":
                return {"waiting": self._read_on(now)}
            case "rerank":
                return self._rerank(now)
            case "reread":
                index_items(self._database, self._vectors, self._progress)
                return self._rerank(now)
            case "nearest":
                return self._nearest(request["query"], int(request["limit"]), now)
            case "explain":
                current = self._current()
                as_of = current.built_at if current else now
                explained = digests.explained(
                    self._ranking.rank(as_of), self._past(as_of), int(request["item"])
                )
                told = _explained_json(dataclasses.replace(explained, warnings=self._warnings()))
                if request.get("marks"):
                    marks = self._ranking.marks(as_of, int(request["item"]))
                    told["marks"] = [dataclasses.asdict(mark) for mark in marks]
                return {"explained": told}
            case "learned":
                current = self._current()
                as_of, since = current.built_at if current else now, datetime.fromisoformat(request["since"])
                return {"learned": self._ranking.learned(as_of, since).to_json()}
            case "question":
                return self._question(now, frozenset(map(int, request["passed"])))
            case "nearness":
                return {"cosines": self._vectors.nearness(request["texts"], request["phrases"])}
            case "learn":
                return {"outcome": msgspec.to_builtins(self._learn(now, dry_run=request["dry_run"]))}
            case "hindsight":
                return {"hindsight": msgspec.to_builtins(self._look_back(now, request["minutes"]))}
            case "shown":
                return {"shown": rule_book.shown(self._database, request["items"], now)}
            case "roll_back":
                message = self._models.roll_back(self._vectors.name)
                self._rerank_current(now)
                return {"message": message}
            case "flush":
                return {}
            case other:
                raise ValueError(f"unknown request {other!r}")

    def close(self) -> None:
        """Ends the encoder and closes the files."""
        self._vectors.close()
        self._database.close()

    def _nearest(self, query: str, limit: int, now: datetime) -> dict[str, Any]:
        self._searching = True
        found = self._meaning.nearest(query, limit, now)
        return {"nearest": found, "problem": self._vectors.problem}

    def _current(self) -> DigestRow | None:
        with self._database.read() as connection:
            return scores.latest_digest(connection)

    def _read_on(self, now: datetime) -> int:
        waiting = self._backlog.read_on()
        current = self._current()
        # What the digest warns of is no longer true. It may be another process that has read the last one.
        if not waiting and current and tuple(current.document["warnings"]) != self._warnings():
            self._rerank(now)
        return waiting

    def _build(self, now: datetime, minutes: float) -> Digest:
        while (digest := self._store(now, minutes, now, after=self._current())) is None:
            continue
        return digest

    def _rerank(self, now: datetime) -> dict[str, Any]:
        current, digest = self._current(), None
        while current is not None:
            minutes = current.document["budget_minutes"]
            digest = self._store(current.built_at, minutes, now, after=current, rewrite=True)
            if digest is not None:
                break
            current = self._current()
        if current is None or digest is None:
            return {"digest": self._build(now, self._settings.digest.minutes).to_json(), "moved": 0}
        before = [item["id"] for item in current.document["items"]]
        after = [item.id for item in digest.items]
        moved = sum(n >= len(before) or before[n] != item_id for n, item_id in enumerate(after))
        self._remember_effect(current.built_at, Effect(moved, len(after)))
        return {"digest": digest.to_json(), "moved": moved}

    def _remember_effect(self, since: datetime, effect: Effect) -> None:
        """For the journal: puts an effect down to the events, since a moment, that no order knew before."""
        with self._database.write() as connection:
            new = effects.waiting(connection, since, self._last_event)
            shared = dataclasses.replace(effect, together=len(new))
            effects.add(connection, dict.fromkeys(new, shared))

    def _question(self, now: datetime, passed: frozenset[int]) -> dict[str, Any]:
        current = self._current()
        as_of = current.built_at if current else now
        ranked = self._ranking.rank(as_of)
        with self._database.read() as connection:
            handed_in = feedback.handed_in(self._ranking.events(connection))
        item_id = questions.most_telling(ranked, passed | handed_in)
        top = [item.to_json() for item in questions.top(ranked, handed_in)]
        if item_id is None:
            return {"item": None, "said": "", "top": top}
        item = digests.explained(ranked, self._past(as_of), item_id).item
        return {"item": item.to_json(), "said": questions.beginning(ranked, item), "top": top}

    def _look_back(self, now: datetime, minutes: float | None) -> Hindsight:
        index_items(self._database, self._vectors, self._progress)
        window = timedelta(days=self._settings.digest.window_days)
        with self._database.read() as connection:
            events = self._ranking.events(connection)
        # Also what was there to choose from on the first day: the digest's window reaches back from now only.
        reach = window + (now - min((event.at for event in events), default=now))
        material = RankingService(self._database, self._vectors, self._models, reach).past(now)
        encoder = self._vectors.name
        models = dict(filter(None, [self._models.before(encoder)]))
        models["the order of now"] = self._models.in_use(encoder).settings
        return hindsight.compare(
            dataclasses.replace(material, window=window),
            minutes or self._settings.digest.minutes,
            models,
            self._progress,
        )

    def _learn(self, now: datetime, *, dry_run: bool) -> Outcome:
        index_items(self._database, self._vectors, self._progress)
        encoder = self._vectors.name
        outcome = learn.learn(
            self._ranking.past(now), self._models, encoder, now, self._progress, dry_run=dry_run
        )
        if outcome.version is not None:
            self._rerank_current(now)
        return outcome

    def _rerank_current(self, now: datetime) -> None:
        if self._current() is not None:
            self._rerank(now)

    def _store(
        self,
        as_of: datetime,
        minutes: float,
        now: datetime,
        *,
        after: DigestRow | None,
        rewrite: bool = False,
    ) -> Digest | None:
        """Ranks as of a moment and stores the digest; None if the world has moved on meanwhile."""
        encoder = self._vectors.name
        ranked = self._ranking.rank(as_of)
        day = self._day(as_of)
        of_day = after is not None and day <= after.built_at <= as_of
        earlier = Digest.from_json(after.document) if after is not None and of_day else None
        digest = digests.compose(
            ranked,
            self._past(as_of),
            built_at=as_of,
            day=day,
            minutes=minutes,
            before=self._marked_before(day),
            earlier=earlier,
            again=rewrite,
            demo=self._demo,
            warnings=self._warnings(),
            unread=self._waiting(),
        )
        stored = digests.store(
            self._database,
            self._paths.digest,
            ranked,
            digest,
            models=self._models,
            encoder=encoder,
            after=None if after is None else after.id,
            rewrite=rewrite,
            now=now,
        )
        if not stored:
            return None
        self._last_event = ranked.last_event
        # The order on the screen need not wait for the scores of items that nobody looks at.
        self._afterwards = partial(digests.store_scores, self._database, ranked, encoder=encoder, now=now)
        return digest

    def finish(self) -> None:
        """What a request left to be done after its reply."""
        afterwards, self._afterwards = self._afterwards, None
        if afterwards is not None:
            afterwards()
            self._backlog.reorder()
        # Who searches once searches again, and should not wait for the encoder to start each time.
        searching, self._searching = self._searching, False
        if not self._encoder_stays and not searching and not self._waiting():
            self._vectors.release()

    def _day(self, moment: datetime) -> datetime:
        """When the day of a digest of that moment began."""
        return schedule.day_of(moment, self._settings.digest.hour)

    def _past(self, as_of: datetime) -> Past:
        """What the reader has done with earlier digests; stores their last look first."""
        look = digest_file.last_look(self._paths.seen)
        if look is not None and look != self._look:
            with self._database.write() as connection:
                scores.set_seen(connection, *look)
            self._look = look
        with self._database.read() as connection:
            return past.of_day(connection, self._ranking.events(connection), self._day(as_of), as_of)

    def _marked_before(self, moment: datetime) -> list[int]:
        with self._database.read() as connection:
            events = self._ranking.events(connection)
            settled = folding.settled_by_marks(connection, events, moment)
        earlier = [event for event in feedback.effective(events) if event.at < moment]
        return [*feedback.labels(earlier), *feedback.handed_in(events), *settled]

    def _warnings(self) -> tuple[str, ...]:
        found = []
        if self._vectors.problem is not None:
            found.append(f"Ranked by words only. {self._vectors.problem}")
        elif waiting := self._waiting():
            items_waiting = words.plural(waiting, "item")
            found.append(f"A first order: only the beginning was read of {items_waiting}; the rest follows.")
        if problem := self._models.in_use(self._vectors.name).problem:
            found.append(problem)
        return tuple(found)

    def _waiting(self) -> int:
        """How many items the encoder knows by their lead only."""
        with self._database.read() as connection:
            return items.count_leads(connection, self._vectors.name)

    def _progress(self, what: str, done: int, total: int) -> None:
        write_frame(self._replies, {"progress": [what, done, total]})


def _explained_json(explained: Explained) -> dict[str, Any]:
    return dataclasses.asdict(explained) | {"item": explained.item.to_json()}


def main() -> None:
    """Serves requests from standard input until it ends."""
    requests = sys.stdin.buffer
    # Whatever a library prints must not end up inside a frame.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    hello = read_frame(requests)
    if hello is None:
        return
    logs.to_stream()
    paths = Paths(**{name: Path(folder) for name, folder in hello[0]["paths"].items()})
    worker: Worker | None = None
    try:
        while (frame := read_frame(requests)) is not None:
            try:
                if worker is None:
                    settings = config.load(paths.config_file)
                    worker = Worker(paths, settings, demo=hello[0]["demo"], replies=replies)
                reply = worker.answer(frame[0])
            except (TriageError, ModelError) as error:
                reply = {
                    "error": str(error),
                    "fix": getattr(error, "fix", None),
                    "usage": isinstance(error, UsageError),
                    "died": isinstance(error, EncoderFailed),
                }
            except OSError as error:
                reply = {"error": str(refused_by_system(error)), "fix": None, "usage": False, "died": False}
            write_frame(replies, reply)
            if worker is not None:
                worker.finish()
    except (BrokenFrame, BrokenPipeError, KeyboardInterrupt):
        log.info("the process that started this worker is gone")
    finally:
        if worker is not None:
            worker.close()


if __name__ == "__main__":
    main()
