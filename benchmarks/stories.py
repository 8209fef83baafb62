"""How well stories are told apart: precision and recall on the labelled set beside this file, and speed.

    python benchmarks/stories.py                            # all parts of benchmarks/stories
    python benchmarks/stories.py --time items.jsonl.gz      # seconds of CPU to group these, after encoding
    python benchmarks/stories.py --time items.jsonl.gz --batch 100      # the same, as they come in

A pair of items in one group is right if the labels say so; precision is the share of such pairs that are
right, recall the share of the pairs that tell the same that are in one group. A pair counts for a half if one
of its items is in it. The set is also grouped without dates, and by titles and texts alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import Any

from model.cache import CachedEncoder
from model.encoder import find_weights
from model.evaluate import read_items
from model.grouping import group, read_reports
from model.particulars import particulars
from model.stories import Stories
from triage.core.text import sanitize_text
from triage.paths import Paths

SET = Path(__file__).with_suffix("")
LEFT_OUT: dict[str, tuple[str, ...]] = {
    "all that is known": (),
    "without dates": ("published",),
    "title and text only": ("published", "source", "kind", "people", "identifiers"),
}


def main() -> None:
    """Prints a Markdown table, or the time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--time", type=Path, metavar="ITEMS")
    parser.add_argument("--batch", type=int, default=1 << 30, metavar="N", help="with --time: N a call")
    parser.add_argument("--errors", action="store_true", help="name the wrong pairs of the half `dev`")
    options = parser.parse_args()
    with CachedEncoder(Paths.of().cache / "evaluate", find_weights(None)) as encode:
        if options.time is not None:
            print(f"{_measured(encode, options.time, options.batch):.1f} s of CPU")  # noqa: T201
            return
        items = _rows(SET / "items.jsonl")
        labels = {row["id"]: row for row in _rows(SET / "labels.jsonl")}
        print("| | half | precision | recall | F1 |\n|---|---|---|---|---|")  # noqa: T201
        for name, fields in LEFT_OUT.items():
            known = [{k: v for k, v in item.items() if k not in fields} for item in items]
            stories = _grouped(known, encode)
            for half in ("dev", "test", "fresh"):
                right, wrong, missed = _pairs(stories, labels, half)
                precision = len(right) / max(1, len(right) + len(wrong))
                recall = len(right) / max(1, len(right) + len(missed))
                f1 = 2 * precision * recall / max(1e-9, precision + recall)
                print(f"| {name} | {half} | {precision:.3f} | {recall:.3f} | {f1:.3f} |")  # noqa: T201
                if options.errors and half == "dev":
                    titles = {item["id"]: item["title"] for item in items}
                    for what, found in (("wrong", wrong), ("missed", missed)):
                        for a, b in found:
                            print(f"  {what}: {titles[a]} | {titles[b]}", file=sys.stderr)  # noqa: T201


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _grouped(items: list[dict[str, Any]], encode: CachedEncoder) -> dict[str, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(item) + "\n" for item in items)
        file.flush()
        rows = group([Path(file.name)], sanitize_text, encode, encode.weights.reads)
        return {row["id"]: row["story"] for row in rows}


Pairs = list[tuple[str, str]]


def _pairs(
    stories: dict[str, str], labels: dict[str, dict[str, Any]], half: str
) -> tuple[Pairs, Pairs, Pairs]:
    """Pairs that are rightly together, wrongly together, and wrongly apart."""
    right: Pairs = []
    wrong: Pairs = []
    missed: Pairs = []
    for a, b in combinations(stories, 2):
        if half not in (labels[a]["half"], labels[b]["half"]):
            continue
        same = labels[a]["story"] == labels[b]["story"]
        if stories[a] == stories[b]:
            (right if same else wrong).append((a, b))
        elif same:
            missed.append((a, b))
    return right, wrong, missed


def _measured(encode: CachedEncoder, path: Path, batch: int) -> float:
    """CPU seconds from encoded documents to groups."""
    documents = read_items([path], sanitize_text)
    reports = read_reports([path], sanitize_text, encode, encode.weights.reads)
    started = time.process_time()
    for document in documents.values():
        particulars(document.title, document.text)
    stories, rows = Stories(), list(reports.values())
    for start in range(0, len(rows), batch):
        stories.add(rows[start : start + batch])
    return time.process_time() - started


if __name__ == "__main__":
    main()
