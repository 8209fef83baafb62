"""How long a label takes to become a new order, and what the vectors of so many documents take up.

    python benchmarks/rerank.py [--documents 10000] [--labels 200] [--rounds 9] [--passages 4] [--json]

Documents, vectors and words are drawn from a fixed seed: passages with vectors of 384 numbers, about 100
different words each, of a vocabulary in which the frequent ones are frequent. Each round adds one label and
fits anew, as a mark does, with linear algebra on one thread, as in the model worker. Wall time is what a
reader waits.

Beside it, in turns, what others do after a mark where it is installed: scikit-learn's LinearSVC over the same
tf-idf rows of all documents, those that nobody liked as the other class, and a score for each.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# Before numpy and scipy are loaded, each with a library of threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from timing import CPU, OURS, WALL, Figures, say

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


def svm_over_all(corpus: Corpus) -> Callable[[Sequence[Label]], object] | None:
    """Another way to a new order; None where scikit-learn is not installed."""
    try:
        from sklearn.svm import LinearSVC
    except ImportError:
        return None

    def order(labels: Sequence[Label]) -> object:
        liked = np.zeros(len(corpus), dtype=bool)
        liked[[corpus.row[label.document] for label in labels if label.value > 0]] = True
        rows = corpus.tf_idf.matrix
        return np.argsort(-LinearSVC(class_weight="balanced").fit(rows, liked).decision_function(rows))

    return order


def measure(corpus: Corpus, labels: int, rounds: int) -> dict[str, Figures]:
    """Program -> medians of processor and wall seconds, and the wall seconds that 95 of 100 marks keep."""
    ranker, svm = Ranker(corpus), svm_over_all(corpus)
    ways: dict[str, Callable[[Sequence[Label]], object]] = {
        OURS: lambda said: np.argsort(-ranker.fit(Profile(labels=tuple(said))).logits)
    }
    if svm is not None:
        ways["LinearSVC over all"] = svm
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        said = [Label(str(n), float(n % 2)) for n in range(labels + number)]
        for name, order in ways.items():
            if name != OURS and number > 2:
                continue  # it takes seconds at a hundred thousand documents
            before = time.process_time(), time.perf_counter()
            order(said)
            taken[name].append((time.process_time() - before[0], time.perf_counter() - before[1]))
    found = {}
    for name, each in taken.items():
        cpu, wall = zip(*each[1:], strict=True)  # the first one fills caches
        found[name] = {CPU: np.median(cpu), WALL: np.median(wall), "95 % wall s": np.quantile(wall, 0.95)}
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a few lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--passages", type=int, default=4, help="a document, its title among them")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON document")
    options = parser.parse_args(arguments)
    started = time.process_time()
    corpus, vectors = corpus_of(options.documents, options.passages)
    made = time.process_time() - started
    found = measure(corpus, options.labels, options.rounds)
    if options.json:
        say(json.dumps(found))
        return
    say(f"{options.documents} documents made ready in {made:.1f} CPU s")
    for name, figures in found.items():
        shown = ", ".join(
            f"{figure.removesuffix(' s')} {1000 * value:.0f} ms" for figure, value in figures.items()
        )
        say(f"{options.labels} labels to an order, {name}: {shown}")
    with tempfile.TemporaryDirectory() as folder, VectorFile(Path(folder) / "v", DIM, "drawn") as file:
        file.append(vectors)
        say(f"vectors on disk: {file.path.stat().st_size / 1e6:.0f} MB")
    say(f"largest size of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
