"""How the cost of what is done every day grows with what is stored, what was said, and what is followed.

    python benchmarks/growth.py [--only items labels sources] [--largest 100000] [--dry-run]

Homes are invented (`benchmarks/library.py`; vectors are drawn, no encoder runs): 1,000 to `--largest` items
without a mark, 20,000 items with 10 to 10,000 marks, 10,000 items of 10 to 1,000 sources. A million items
take a quarter of an hour. In each home a process of its own does what a command or the daemon does, and
another one what the model worker does. Figures are processor seconds of the task alone, imports left out, and
the most memory of either process. The last column is the exponent between the last two sizes: 1 for what
grows as fast as its size, 1.1 for n log n. Prints tables and plots, and writes docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import page
from timing import Figures, ask, python, run, say, table

from triage.services.ranker.worker_client import ONE_THREAD

SIZES: dict[str, tuple[int, ...]] = {
    "items": (1_000, 10_000, 100_000, 1_000_000),
    "labels": (10, 100, 1_000, 10_000),
    "sources": (10, 100, 1_000),
}
BESIDE = {"items": {}, "labels": {"items": 20_000}, "sources": {"items": 10_000}}
"""What else a home of each kind holds."""
DAY = 200
"""Items that are new."""
N_LOG_N = 1.15
"""The exponent from which on something grows too fast; n log n has 1.1 at ten thousand."""
NOTABLE_S = 0.05
"""What takes less does not matter, however it grows."""
AGAIN = 5
LETTERS = "abcdefghijkl"


@contextmanager
def task(figures: dict[str, float], name: str, times: int = 1) -> Iterator[None]:
    """Takes the time of a block; for a block that does something several times, of one time."""
    started = time.process_time()
    yield
    figures[name] = (time.process_time() - started) / times


def median(figures: dict[str, float], name: str, do: Callable[[], object]) -> None:
    """Takes the time of something that is done again and again; the first time, which fills caches, apart."""
    do()
    found: list[float] = []
    for _ in range(AGAIN):
        started = time.process_time()
        do()
        found.append(time.process_time() - started)
    figures[name] = statistics.median(found)


def peak_mb() -> float:
    """The most memory that this process ever had."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 1024)


def store(home: Path) -> Figures:
    """What commands and the daemon do."""
    import library
    from workload import Writer

    from ingestors.base import Entry, FetchResult
    from triage.paths import Paths
    from triage.services.fetching import writing
    from triage.services.reader import reading, searching
    from triage.services.upkeep import backups, status
    from triage.store.engine import Database
    from triage.store.migrate import ensure_schema

    paths, now, figures = Paths.of({"TRIAGE_HOME": str(home)}), library.NOW, dict[str, float]()
    writer = Writer("tomorrow")
    with task(figures, "opening the store"):
        database = Database(paths.database, checkpoints=True)
        ensure_schema(database, paths.backups, now)
    days = [
        tuple(
            Entry(
                key=f"new {source} {n}",
                title=writer.sentence(5),
                text=" ".join(writer.sentence() for _ in range(12)),
                url=f"https://new.example/{source}/{n}",
            )
            for n in range(DAY // 4)
        )
        for source in range(4)
    ]
    with task(figures, f"storing {DAY} new items"):
        for source, entries in enumerate(days):
            writing.keep(database, lambda: now, source + 1, FetchResult(entries=entries))
    rare = writer.sentence(40, 40).split()[-1][:-1]
    median(figures, "searching a rare word", lambda: searching.find(database, lambda: now, rare))
    median(figures, "searching `the`", lambda: searching.find(database, lambda: now, "the"))
    median(figures, "`triage list`", lambda: reading.best(database, 50))
    median(figures, "`triage status`", lambda: status.status(database, None, now))
    with task(figures, "a copy of the database"):
        backups.make(paths, now)
    database.close()
    return {**figures, "memory of a command, MB": peak_mb()}


def work(home: Path) -> Figures:
    """What the model worker does: reads, groups and ranks the new items, then learns from a few marks."""
    import library

    from triage.core.verbs import Verb
    from triage.paths import Paths
    from triage.services.reader import feedback
    from triage.store.engine import Database

    figures, worker = dict[str, float](), library.worker_of(home)
    database = Database(Paths.of({"TRIAGE_HOME": str(home)}).database)
    now = library.NOW + timedelta(hours=1)
    with task(figures, "building a digest"):
        shown = worker.answer({"op": "build", "now": now.isoformat()})["digest"]["items"]
    worker.finish()
    items = iter([item["id"] for item in shown] * AGAIN)
    verbs = iter([Verb.LIKE, Verb.DISLIKE] * AGAIN)

    def mark() -> None:
        feedback.mark(database, lambda: now, next(items), next(verbs))
        worker.answer({"op": "rerank", "now": now.isoformat()})

    median(figures, "a mark to a new order", mark)
    with task(figures, "keeping the scores, after it"):
        worker.finish()
    worker.close()
    database.close()
    return {**figures, "memory of the worker, MB": peak_mb()}


PARTS: dict[str, Callable[[Path], Figures]] = {"store": store, "work": work}
"""What is measured in a process of its own."""


def measured(dimension: str, size: int, folder: Path) -> Figures:
    """All figures of a home of one size."""
    home = folder / f"{dimension}-{size}"
    holds = {**BESIDE[dimension], dimension: size}
    run(
        python("library.py", str(home), *(f"--{name}={value}" for name, value in holds.items())), **ONE_THREAD
    )
    found: dict[str, float] = {}
    for part in PARTS:
        found |= ask(python("growth.py", "--measure", part, str(home)), **ONE_THREAD)[part]
    shutil.rmtree(home)
    return found


def exponent(figures: Sequence[Figures], sizes: Sequence[int], name: str) -> float:
    """How fast a figure grows between the last two sizes, as a power of the size."""
    few, many = (max(each[name], 1e-6) for each in figures[-2:])
    return math.log(many / few) / math.log(sizes[-1] / sizes[-2])


def rows(figures: Sequence[Figures], sizes: Sequence[int]) -> list[list[str]]:
    """The table of one dimension, its head included; too fast a growth is set in bold."""
    found = [["CPU s", *(f"{size:,}" for size in sizes), "exponent"]]
    for name in figures[0]:
        grows = exponent(figures, sizes, name)
        much = grows > N_LOG_N and figures[-1][name] > NOTABLE_S and "MB" not in name
        shown = [f"{each[name]:.0f}" if "MB" in name else f"{each[name]:.3f}" for each in figures]
        found.append([name, *shown, f"**{grows:.1f}**" if much else f"{grows:.1f}"])
    return found


def plot(figures: Sequence[Figures], sizes: Sequence[int], height: int = 14, width: int = 64) -> str:
    """CPU seconds over sizes, both on logarithmic scales; a letter a task."""
    names = [name for name in figures[0] if "MB" not in name]
    places = [round(n * (width - 1) / (len(sizes) - 1)) for n in range(len(sizes))]
    logs = [[math.log10(max(each[name], 1e-4)) for each in figures] for name in names]
    low, high = min(map(min, logs)), max(map(max, logs))
    grid = [[" "] * width for _ in range(height)]
    for letter, line in zip(LETTERS, logs, strict=False):
        for column in range(width):
            value = float(np.interp(column, places, line))
            row = height - 1 - round((value - low) / max(high - low, 1e-9) * (height - 1))
            at_size = column in places
            if at_size or grid[row][column] == " ":
                grid[row][column] = letter if at_size else "·"
    lines = [
        f"{10 ** (high - n * (high - low) / (height - 1)):>9.3f} s |{''.join(row)}"
        for n, row in enumerate(grid)
    ]
    axis = "".join(f"{size:<{width // max(len(sizes) - 1, 1)}}" for size in sizes)
    legend = "\n".join(f"  {letter} {name}" for letter, name in zip(LETTERS, names, strict=False))
    return "\n".join([*lines, f"{'':>11} +{'-' * width}", f"{'':>13}{axis}", legend])


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--dry-run", action="store_true", help="prints, and leaves the page as it is")
    parser.add_argument("--measure", nargs=2, metavar=("PART", "HOME"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        part, home = asked.measure
        say(json.dumps({part: PARTS[part](Path(home))}))
        return
    found = {}
    for dimension in asked.only:
        sizes = [size for size in SIZES[dimension] if size <= asked.largest]
        with tempfile.TemporaryDirectory() as folder:
            figures = [measured(dimension, size, Path(folder)) for size in sizes]
        text = table(rows(figures, sizes))
        say(f"\n{dimension}\n{text}\n{plot(figures, sizes)}")
        found[f"growth-{dimension}"] = f"`python benchmarks/growth.py --only {dimension}`\n\n{text}"
    if not asked.dry_run:
        page.write(found)


if __name__ == "__main__":
    main()
