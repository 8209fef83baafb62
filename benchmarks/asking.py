"""What ten questions teach, by how they are chosen: average precision on documents nobody was asked about.

    python benchmarks/asking.py --items items.jsonl.gz --users users.jsonl.gz [--readers 30] [--phrases]

Users are {user, positives, phrases}; a reader likes their positives and nothing else. Each has `POOL`
documents, at most `WANTED` of them positives, drawn from a fixed seed. Half of them may be asked about; on
the other half, tomorrow's documents, the order is judged. Prints a line a way of asking.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.asking import most_telling
from model.cache import CachedEncoder
from model.corpus import Corpus
from model.encoder import find_weights
from model.evaluate import Prepared, encode_phrases, read_items
from model.jsonl import read_rows
from model.ranker import Ranker, Ranking
from model.types import Interest, Label, Profile
from triage.core.text import sanitize_text
from triage.paths import Paths

POOL, WANTED, LEAST = 400, 40, 12
QUESTIONS = 10
SEED = 7

Ask = Callable[[Ranking, Sequence[int], Sequence[int], np.random.Generator], int]
"""Called with (the ranking, rows that may be asked about, rows that were, chance)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader's documents, and what they want of them."""

    phrases: tuple[str, ...]
    wanted: frozenset[str]
    asked: tuple[str, ...]
    judged: tuple[str, ...]


def actively(ranking: Ranking, rows: Sequence[int], asked: Sequence[int], _: np.random.Generator) -> int:
    """As the guided start asks."""
    chosen = most_telling(ranking, rows, asked)
    assert chosen is not None
    return chosen


WAYS: dict[str, Ask] = {
    "by chance": lambda ranking, rows, asked, chance: int(chance.choice(rows)),
    "from the top": lambda ranking, rows, asked, chance: max(rows, key=lambda row: ranking.logits[row]),
    "actively": actively,
}


def read_readers(path: Path, names: Sequence[str], count: int, *, phrases: bool) -> list[Reader]:
    """Readers with enough positives, and their documents."""
    chance, found = np.random.default_rng(SEED), []
    for row in read_rows(path):
        positives = [name for name in row.texts("positives") if name in set(names)]
        if len(positives) < LEAST:
            continue
        wanted = chance.permutation(positives)[:WANTED].tolist()
        others = sorted(set(names) - set(positives))
        rest = chance.permutation(others)[: POOL - len(wanted)].tolist()
        asked, judged = [*wanted[::2], *rest[::2]], [*wanted[1::2], *rest[1::2]]
        said = tuple(row.texts("phrases")) if phrases else ()
        # Without anything known all are equal, and the first of equals is asked about.
        mixed = chance.permutation(asked).tolist()
        found.append(Reader(said, frozenset(wanted), tuple(mixed), tuple(judged)))
    return [found[place] for place in chance.permutation(len(found))[:count]]


def average_precision(relevant: np.ndarray) -> float:
    """Of a ranked list of 0 and 1, best first."""
    hits = np.cumsum(relevant)
    return float((hits / np.arange(1, len(relevant) + 1))[relevant == 1].mean())


def learn(corpus: Corpus, reader: Reader, meaning: dict[str, np.ndarray], ask: Ask) -> list[float]:
    """Average precision before the first question and after each."""
    ranker, chance = Ranker(corpus), np.random.default_rng(SEED)
    interests = tuple(Interest(phrase) for phrase in reader.phrases)
    judged = [corpus.row[name] for name in reader.judged]
    truth = np.array([name in reader.wanted for name in reader.judged], dtype=int)
    labels: list[Label] = []
    asked: list[int] = []
    values = []
    for _ in range(QUESTIONS + 1):
        ranking = ranker.fit(Profile(interests, tuple(labels)), meaning)
        values.append(average_precision(truth[np.argsort(-ranking.logits[judged], kind="stable")]))
        rows = [row for name in reader.asked if (row := corpus.row[name]) not in asked]
        asked.append(ask(ranking, rows, asked, chance))
        name = corpus.documents[asked[-1]].id
        labels.append(Label(name, float(name in reader.wanted)))
    return values


def main() -> None:
    """Reads, encodes what is new, prints a line a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", required=True, type=Path)
    parser.add_argument("--users", required=True, type=Path)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--phrases", action="store_true", help="readers say their phrases first")
    args = parser.parse_args()
    items = read_items([args.items], sanitize_text)
    readers = read_readers(args.users, list(items), args.readers, phrases=args.phrases)
    with CachedEncoder(Paths.of().cache / "evaluate", find_weights()) as encode:
        used = {name: items[name] for reader in readers for name in (*reader.asked, *reader.judged)}
        prepared = Prepared.of(used, encode, encode.weights.reads)
        meaning = encode_phrases([phrase for reader in readers for phrase in reader.phrases] or ["-"], encode)
    corpora = [prepared.corpus([*reader.asked, *reader.judged]) for reader in readers]
    for name, ask in WAYS.items():
        curves = [learn(*pair, meaning, ask) for pair in zip(corpora, readers, strict=True)]
        before, half, after = np.mean(curves, axis=0)[[0, QUESTIONS // 2, QUESTIONS]]
        sys.stdout.write(f"{name:<14} before {before:.3f}, after 5 {half:.3f}, after 10 {after:.3f}\n")


if __name__ == "__main__":
    main()
