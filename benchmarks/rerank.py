"""How long a label takes to become a new order, and what the vectors of so many documents take up.

    python benchmarks/rerank.py [--documents 10000] [--labels 200] [--rounds 9] [--passages 4]

Documents, vectors and words are drawn from a fixed seed: passages with vectors of 384 numbers, about 100
different words each, of a vocabulary in which the frequent ones are frequent. Each round adds one label and
fits anew, as a mark does. CPU seconds count all threads; wall time is what a reader waits.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.corpus import Corpus
from model.lexical import BUCKETS, Terms
from model.ranker import Ranker
from model.types import Document, Label, Passage, Profile
from model.vectors import VectorFile

SEED = 20
DIM = 384
WORDS = 100
CHARS = 400
"""Of a passage."""
VOCABULARY = 200_000


def corpus_of(count: int, passages: int) -> tuple[Corpus, np.ndarray]:
    """Documents of a title and so many passages less one, and their vectors."""
    choose = np.random.default_rng(SEED)
    text = "x" * (CHARS * (passages - 1))
    documents = [Document(id=str(n), title="title of it", text=text) for n in range(count)]
    parts = [Passage("title", 0, 11)]
    parts += [Passage("text", n * CHARS, (n + 1) * CHARS) for n in range(passages - 1)]
    vectors = choose.standard_normal((count * passages, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) * passages
    buckets = choose.choice(BUCKETS, VOCABULARY, replace=False).astype(np.uint32)
    places = (VOCABULARY * choose.random((count, WORDS)) ** 4).astype(np.intp)
    terms = []
    for row in places:
        found, counts = np.unique(buckets[row], return_counts=True)
        terms.append(Terms(found, counts.astype(np.uint16), np.zeros(len(found), dtype=np.uint8)))
    return Corpus(documents, [parts] * count, vectors, terms), vectors


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a few lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--passages", type=int, default=4, help="a document, its title among them")
    options = parser.parse_args(arguments)
    started = time.process_time()
    corpus, vectors = corpus_of(options.documents, options.passages)
    say(f"{options.documents} documents made ready in {time.process_time() - started:.1f} CPU s")
    ranker = Ranker(corpus)
    cpu, wall = [], []
    for number in range(options.rounds + 1):
        labels = tuple(Label(str(n), float(n % 2)) for n in range(options.labels + number))
        before = time.process_time(), time.perf_counter()
        np.argsort(-ranker.fit(Profile(labels=labels)).logits)
        cpu.append(time.process_time() - before[0])
        wall.append(time.perf_counter() - before[1])
    for name, times in (("CPU", sorted(cpu[1:])), ("wall", sorted(wall[1:]))):
        middle, worst = np.quantile(times, (0.5, 0.95)) * 1000
        say(f"{options.labels} labels to an order, {name} ms: median {middle:.0f}, 95 % {worst:.0f}")
    with tempfile.TemporaryDirectory() as folder, VectorFile(Path(folder) / "v", DIM, "drawn") as file:
        file.append(vectors)
        say(f"vectors on disk: {file.path.stat().st_size / 1e6:.0f} MB")
    say(f"largest size of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


def say(line: str) -> None:
    """Prints it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
