"""How long a search takes: by words, with filters, and by meaning, as the services answer it.

    python benchmarks/search.py [--items 100000] [--passages 3] [--rounds 20]

Items are those of `benchmarks/library.py`, in a new database in a temporary folder; vectors are drawn at
random, so that no encoder is needed: what is measured is finding and fusing, not encoding the query. Each
figure is for a whole answer with the 200 best items, their marks, stories and passages. CPU seconds count all
threads; wall time is what a reader waits, and depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from library import NOW, Shelf
from numpy.typing import NDArray
from workload import Writer

from model.vectors import VectorFile
from triage.core.verbs import Verb
from triage.services.ranker.meaning import Meaning
from triage.services.reader import feedback, searching
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

DIM = 384
ENCODER = "stub"
SOURCES = 20


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
            shelf = Shelf(database, vectors, ENCODER, asked.passages)
            shelf.add_sources(SOURCES)
            ids = shelf.add_items(asked.items, SOURCES)
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
                "is:mail before:5d after:10d",
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
