"""A home with so many invented items, as if fetched and read: to measure in, not to read.

    python benchmarks/library.py HOME --items 50000 [--sources 20] [--labels 0] [--digest]

Rows are written by the statements that the services use, without their work: texts are combined from a few
thousand, so each is cut and counted once, and vectors are drawn at random. With `--digest` the model worker
then builds one.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from workload import Writer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import encoder_in_process

from model.lexical import count_terms
from model.particulars import particulars
from model.passages import split
from model.vectors import VectorFile
from triage.config import Config
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.ranker.ranking import RANKER
from triage.services.ranker.worker import Worker
from triage.store import feedback, identities, items, scores, search, sources, stories
from triage.store.bulk import insert_rows
from triage.store.engine import Database
from triage.store.items import NewItem
from triage.store.migrate import ensure_schema
from triage.store.schema import ItemTerms, Passage, Vector

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SPAN = timedelta(days=25)
"""Over which the items came in: all of them are in the digest's window."""
AT_ONCE = 5_000
TEXTS = 2_000
KINDS = ("feed", "feed", "mail", "paper")


class Shelf:
    """Fills a database and a file of vectors.

    Args:
        database: Empty, with its schema.
        vectors: Likewise; its `encoder` is who has read the items.
        passages: Of each item with a vector of its own; 0 for as many as its text has.
    """

    def __init__(self, database: Database, vectors: VectorFile, encoder: str, passages: int = 0) -> None:
        self._database, self._vectors, self._encoder = database, vectors, encoder
        self._writer, self._choose = Writer("search"), random.Random(0)  # noqa: S311 - no secrets
        self._people = [f"{self._name()} {self._name()}" for _ in range(500)]
        self._texts = [self._read(passages) for _ in range(TEXTS)]

    def _name(self) -> str:
        return self._writer.sentence(1, 1)[:-1]

    def _read(self, passages: int) -> tuple[str, str, list[tuple[str, int, int]], bytes, bytes]:
        """A title and a text; their passages, terms and particulars."""
        title = self._writer.sentence(5)
        text = " ".join(self._writer.sentence() for _ in range(12))
        parts = [(part.field, part.start, part.end) for part in split(title, text)]
        if passages:
            parts = [("text", 80 * n, 80 * n + 80) for n in range(passages)]
        terms = count_terms(title, text, split(title, text)).to_bytes()
        return title, text, parts, terms, particulars(title, text).to_bytes()

    def add_sources(self, count: int) -> None:
        """Feeds, one in four of them with the tag `news`."""
        with self._database.write() as connection:
            for number in range(count):
                sources.add(
                    connection,
                    ingestor="feeds",
                    kind="feed",
                    target=f"https://{number}.example/",
                    title=f"Source {number}",
                    tags=["news"] if number % 4 == 0 else [],
                    allow_local=False,
                    now=NOW - SPAN,
                )

    def add_items(self, count: int, source_count: int) -> list[int]:
        """Their ids, oldest first."""
        ids: list[int] = []
        for start in range(0, count, AT_ONCE):
            ids += self._portion(start, min(AT_ONCE, count - start), count, source_count)
        return ids

    def _portion(self, start: int, count: int, of: int, source_count: int) -> list[int]:
        chosen = self._choose.choices(self._texts, k=count)
        seen = NOW - SPAN * (1 - (start + count) / of)
        new = [self._item(start + n, *texts[:2], seen) for n, texts in enumerate(chosen)]
        widths = [len(texts[2]) for texts in chosen]
        drawn = np.random.default_rng(start).standard_normal((sum(widths), self._vectors.dim))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True) * np.repeat(widths, widths)[:, None]
        first = self._vectors.append(drawn.astype(np.float32))
        source = 1 + start // AT_ONCE % source_count
        with self._database.write() as connection:
            ids: list[int] = []
            share = -(-count // source_count)
            for n, begin in enumerate(range(0, count, share)):
                portion = new[begin : begin + share]
                ids += items.insert_new(connection, 1 + (source - 1 + n) % source_count, portion, seen)
            rows = zip(ids, new, strict=True)
            search.index(
                connection,
                [
                    search.SearchRow(i, each.title, each.text, each.people, "Source", each.tags)
                    for i, each in rows
                ],
            )
            self._store_reading(connection, ids, chosen, first)
            items.mark_indexed(connection, dict.fromkeys(ids, 0), self._encoder)
        return ids

    def _item(self, number: int, title: str, text: str, seen: datetime) -> NewItem:
        return NewItem(
            key=str(number),
            kind=self._choose.choice(KINDS),
            title=title,
            text=text,
            url=None,
            people=[self._choose.choice(self._people)],
            tags=[self._choose.choice(("cs.IR", "bread", "harbour"))],
            identifiers={},
            personal=False,
            published_at=seen - timedelta(minutes=number % 600),
            content_hash="h",
            words=200,
            cjk_characters=0,
        )

    def _store_reading(self, connection: Any, ids: list[int], chosen: list[Any], first: int) -> None:  # noqa: ANN401
        names = {self._choose.randbytes(16): item for item in ids for _ in range(2)}
        identities.add(connection, identities.SHARED, names)
        parts = [
            (item, n, part)
            for item, texts in zip(ids, chosen, strict=True)
            for n, part in enumerate(texts[2])
        ]
        rows = range(first, first + len(parts))
        insert_rows(
            connection,
            Vector,
            ("id", "encoder", "key", "row"),
            ((row + 1, self._encoder, row.to_bytes(16, "big"), row) for row in rows),
        )
        insert_rows(
            connection,
            Passage,
            ("item_id", "ordinal", "field", "start", "end", "vector_id"),
            ((item, n, *part, first + place + 1) for place, (item, n, part) in enumerate(parts)),
        )
        terms = ((item, texts[3]) for item, texts in zip(ids, chosen, strict=True))
        insert_rows(connection, ItemTerms, ("item_id", "terms"), terms)
        stories.put(connection, ((item, item, texts[4]) for item, texts in zip(ids, chosen, strict=True)))

    def say(self, ids: Sequence[int], titles: Sequence[str]) -> None:
        """What a reader said of items over the days, each with where it stood.

        They like titles that begin like one half of the alphabet, and change their mind one time in five.
        """
        kind = scores.kind(RANKER, self._encoder)
        with self._database.write() as connection:
            for n, (item, title) in enumerate(zip(ids, titles, strict=True)):
                liked = (title < "M") != (self._choose.random() < 0.2)
                feedback.append(
                    connection,
                    verb=Verb.LIKE if liked else Verb.DISLIKE,
                    at=NOW - SPAN * (1 - n / (len(ids) + 1)),
                    item_id=item,
                    standing=self._choose.gauss(0, 1),
                    model=kind,
                )


def make_home(home: Path, count: int, source_count: int = 20, labels: int = 0) -> None:
    """Writes a home of its own into a folder, read by the stub of an encoder that the tests use."""
    paths = Paths.of({"TRIAGE_HOME": str(home)})
    paths.create()
    database = Database(paths.database, checkpoints=True)
    ensure_schema(database, paths.backups, NOW)
    weights = encoder_in_process.WEIGHTS
    paths.vectors.mkdir(mode=0o700, exist_ok=True)
    with VectorFile(paths.vectors / f"{weights.id}.vectors", weights.dim, weights.id) as vectors:
        shelf = Shelf(database, vectors, weights.id)
        shelf.add_sources(source_count)
        ids = shelf.add_items(count, source_count)
        if labels:
            said = ids[:: len(ids) // labels][:labels]
            with database.read() as connection:
                found = items.by_ids(connection, said)
            shelf.say(said, [found[item].title for item in said])
    database.close()


def worker_of(home: Path) -> Worker:
    """The model worker of such a home, in this process."""
    encoder_in_process.install()
    return Worker(Paths.of({"TRIAGE_HOME": str(home)}), Config(), demo=False, replies=io.BytesIO())


def main() -> None:
    """Makes one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--labels", type=int, default=0)
    parser.add_argument("--digest", action="store_true")
    asked = parser.parse_args()
    os.environ["TRIAGE_HOME"] = str(asked.home)
    make_home(asked.home, asked.items, asked.sources, asked.labels)
    if asked.digest:
        worker = worker_of(asked.home)
        worker.answer({"op": "build", "now": NOW.isoformat()})
        worker.finish()
        worker.close()


if __name__ == "__main__":
    main()
