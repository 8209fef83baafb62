"""How long a search takes: by words, with filters, and by meaning, as the services answer it.

    python benchmarks/search.py [--items 100000] [--passages 3] [--rounds 20]

Items are invented from a fixed seed, in a new database in a temporary folder; vectors are drawn at random, so
that no encoder is needed: what is measured is finding and fusing, not encoding the query. Each figure is for
a whole answer with the 200 best items, their marks, stories and passages. CPU seconds count all threads; wall
time is what a reader waits, and depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from workload import Writer

from model.vectors import VectorFile
from triage.core.verbs import Verb
from triage.services.ranker.meaning import Meaning
from triage.services.reader import feedback, searching
from triage.store import items, search, sources
from triage.store.bulk import insert_rows
from triage.store.engine import Database
from triage.store.items import NewItem
from triage.store.migrate import ensure_schema
from triage.store.schema import Passage, Vector

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DIM = 384
AT_ONCE = 5_000
ENCODER = "stub"


def clock() -> datetime:
    """Always the same."""
    return NOW


class Stub:
    """Stands for `triage.services.ranker.vectors.Vectors`; a phrase means what it draws."""

    encoder = ENCODER

    def __init__(self, file: VectorFile) -> None:
        self._file = file

    def phrase_vectors(self, phrases: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """A direction for each."""
        drawn = {phrase: np.random.default_rng(len(phrase)).standard_normal(DIM) for phrase in phrases}
        return {phrase: (each / np.linalg.norm(each)).astype(np.float32) for phrase, each in drawn.items()}

    def lengths(self) -> NDArray[np.float32]:
        """As of the file."""
        return self._file.lengths()

    def products(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """As of the file, made larger: directions drawn at random are hardly near to one another."""
        found: NDArray[np.float32] = self._file.products(vector) * 3
        return found


def fill(database: Database, vectors: VectorFile, count: int, passages: int) -> list[int]:
    """Stores items of 20 sources with their passages."""
    writer, choose = Writer("search"), random.Random(0)  # noqa: S311 - no secrets
    texts = [" ".join(writer.sentence() for _ in range(12)) for _ in range(2_000)]
    people = [f"{writer.sentence(1, 1)[:-1]} {writer.sentence(1, 1)[:-1]}" for _ in range(500)]
    ids: list[int] = []
    with database.write() as connection:
        for number in range(20):
            sources.add(
                connection,
                ingestor="feeds",
                kind="feed",
                target=f"https://{number}.example/",
                title=f"Source {number}",
                tags=["news"] if number % 4 == 0 else [],
                allow_local=False,
                now=NOW,
            )
    for start in range(0, count, AT_ONCE):
        new = [
            NewItem(
                key=str(start + n),
                kind=choose.choice(("feed", "feed", "mail", "paper")),
                title=writer.sentence(5),
                text=choose.choice(texts),
                url=None,
                people=[choose.choice(people)],
                tags=[choose.choice(("cs.IR", "bread", "harbour"))],
                identifiers={},
                personal=False,
                published_at=NOW - timedelta(minutes=start + n),
                content_hash="h",
                words=200,
                cjk_characters=0,
            )
            for n in range(min(AT_ONCE, count - start))
        ]
        drawn = np.random.default_rng(start).standard_normal((len(new) * passages, DIM), dtype=np.float32)
        first = vectors.append(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
        source = 1 + start // AT_ONCE % 20
        with database.write() as connection:
            added = items.insert_new(connection, source, new, NOW)
            rows = (
                search.SearchRow(i, each.title, each.text, each.people, f"Source {source - 1}", each.tags)
                for i, each in zip(added, new, strict=True)
            )
            search.index(connection, list(rows))
            numbers = range(first, first + len(drawn))
            insert_rows(
                connection,
                Vector,
                ("id", "encoder", "key", "row"),
                ((row + 1, ENCODER, row.to_bytes(16, "big"), row) for row in numbers),
            )
            insert_rows(
                connection,
                Passage,
                ("item_id", "ordinal", "field", "start", "end", "vector_id"),
                (
                    (item, place, "text", 0, 80, first + n * passages + place + 1)
                    for n, item in enumerate(added)
                    for place in range(passages)
                ),
            )
        ids += added
    return ids


def measure(name: str, ask: Callable[[], object], rounds: int) -> None:
    """Prints the median and the 95th percentile of both clocks, in ms."""
    ask()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        ask()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    shown = " ".join(
        f"{statistics.median(each):8.0f} {statistics.quantiles(each, n=20)[-1]:6.0f}"
        for each in (walls, cpus)
    )
    sys.stdout.write(f"{name:<44}{shown}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line a search."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--passages", type=int, default=3, help="an item")
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = Database(folder / "triage.db", checkpoints=True)
        ensure_schema(database, folder, NOW)
        with VectorFile(folder / "vectors", DIM, ENCODER) as vectors:
            ids = fill(database, vectors, asked.items, asked.passages)
            for item in ids[:: max(len(ids) // 300, 1)]:
                feedback.mark(database, clock, item, Verb.LIKE)
            meaning = Meaning(database, Stub(vectors))  # type: ignore[arg-type]
            sys.stdout.write(
                f"{len(ids)} items, {len(vectors)} passages\n{'ms':<44}{'wall p50':>8} {'p95':>6}"
            )
            sys.stdout.write(f" {'CPU p50':>8} {'p95':>6}\n")
            writer = Writer("queries")
            rare = writer.sentence(40, 40).split()[-1][:-1]
            for query in (
                rare,
                "the",
                "the of and",
                "the hag*",
                "bal",
                '"of the"',
                f"{rare} -the",
                "from:ba* after:7d",
                "tag:cs.IR is:paper the",
                "tag:news -is:new",
                "is:mail before:30d after:60d",
                "is:new",
            ):

                def by_words(text: str = query) -> object:
                    return searching.find(database, clock, text)

                measure(query, by_words, asked.rounds)
            for query in ("the harbour in other words", "harbour tag:news -is:paper"):

                def near(text: str = query) -> list[tuple[int, float]]:
                    return meaning.nearest(text, searching.LIMIT, NOW)

                def both(text: str = query) -> object:
                    return searching.find(database, clock, text, near=near(text))

                measure(f"nearest: {query}", near, asked.rounds)
                measure(f"both: {query}", both, asked.rounds)
        database.close()


if __name__ == "__main__":
    main()
