"""What each part of the ranker is worth: mean average precision with the part, and without it.

    python benchmarks/ablation.py --items DIR/items.jsonl.gz --users DIR/users.jsonl.gz --tasks tasks.jsonl

Tasks are those of `triage evaluate rank`, with the fields `corpus`, `user` and `k` besides; users are
{user, positives}. Prints a Markdown table: a row a variant, a column a corpus and number of labels, the
product's mean average precision over readers in the first row and differences from it below.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.blend import Settings
from model.cache import CachedEncoder
from model.encoder import find_weights
from model.evaluate import Prepared, Task, encode_phrases, read_items, read_tasks
from model.jsonl import read_rows
from model.ranker import Ranker
from model.types import Interest, Profile
from triage.core.text import sanitize_text
from triage.paths import Paths

VARIANTS: dict[str, Settings] = {
    "the product": Settings(),
    "no meaning (words only)": Settings(meaning=0, meaning_early=0, phrase_meaning=0),
    "no words (meaning only)": Settings(words=0, phrase_words=0),
    "meaning as strong early as late": Settings(meaning_early=0),
    "no second look at what the best documents share": Settings(echo=0),
    "strengths fixed, not those that proved right": Settings(prior_labels=1e9),
    "no dislikes in the direction": Settings(dislike_share=0),
    "long documents: passages count alike": Settings(sharpness_apart=0, phrase_sharpness_apart=0),
    "short documents: attention as sharp as in long ones": Settings(sharpness=12),
    "phrases: passages count alike": Settings(phrase_sharpness=0),
}

Cell = tuple[str, int]


def average_precision(relevant: np.ndarray) -> float:
    """Of a ranked list of 0 and 1, best first."""
    hits = np.cumsum(relevant)
    return float((hits / np.arange(1, len(relevant) + 1))[relevant == 1].mean())


def measure(
    tasks: Sequence[Task],
    prepared: Prepared,
    meaning: dict[str, np.ndarray],
    about: dict[str, tuple[str, str, int]],
    wanted: dict[str, set[str]],
) -> dict[str, dict[Cell, float]]:
    """Variant -> cell -> mean over readers of the mean over their tasks."""
    found: dict[str, dict[Cell, dict[str, list[float]]]] = {
        name: defaultdict(lambda: defaultdict(list)) for name in VARIANTS
    }
    for number, task in enumerate(tasks, start=1):
        sys.stderr.write(f"\rtask {number} of {len(tasks)}")
        corpus = prepared.corpus(task.documents)
        interests = tuple(Interest(phrase) for phrase in dict.fromkeys(task.phrases))
        rows = [corpus.row[name] for name in task.candidates]
        name, user, k = about[task.name]
        truth = np.array([candidate in wanted[user] for candidate in task.candidates], dtype=int)
        for variant, settings in VARIANTS.items():
            logits = Ranker(corpus, settings).fit(Profile(interests, task.labels), meaning).logits[rows]
            ranked = truth[np.argsort(-logits, kind="stable")]
            found[variant][name, k][user].append(average_precision(ranked))
    sys.stderr.write("\n")
    return {
        variant: {cell: float(np.mean([np.mean(v) for v in of.values()])) for cell, of in cells.items()}
        for variant, cells in found.items()
    }


def main() -> None:
    """Reads the files, encodes what is new, prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", action="append", required=True, type=Path)
    parser.add_argument("--users", action="append", required=True, type=Path)
    parser.add_argument("--tasks", required=True, type=Path)
    args = parser.parse_args()
    items = read_items(args.items, sanitize_text)
    tasks = read_tasks(args.tasks, items, sanitize_text)
    rows = read_rows(args.tasks)
    about = {r.text("task"): (r.text("corpus"), r.text("user"), int(r.fields["k"])) for r in rows}
    wanted = {r.text("user"): set(r.texts("positives")) for path in args.users for r in read_rows(path)}
    with CachedEncoder(Paths.of().cache / "evaluate", find_weights()) as encode:
        used = {name: items[name] for task in tasks for name in task.documents}
        prepared = Prepared.of(used, encode, encode.weights.reads)
        meaning = encode_phrases([phrase for task in tasks for phrase in task.phrases], encode)
    table = measure(tasks, prepared, meaning, about, wanted)
    cells = sorted(table["the product"])
    print("|  |", " | ".join(f"{corpus} k = {k}" for corpus, k in cells), "| mean |")  # noqa: T201
    print("|---|" + "---|" * (len(cells) + 1))  # noqa: T201
    for variant, found in table.items():
        values = [found[cell] for cell in cells]
        values.append(float(np.mean(values)))
        if variant != "the product":
            base = [table["the product"][cell] for cell in cells]
            values = [v - b for v, b in zip(values, [*base, float(np.mean(base))], strict=True)]
        shown = [f"{v:.3f}" if variant == "the product" else f"{v:+.3f}" for v in values]
        print(f"| {variant} |", " | ".join(shown), "|")  # noqa: T201


if __name__ == "__main__":
    main()
