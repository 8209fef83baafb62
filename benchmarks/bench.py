"""`make bench`: every budget beside what is installed, in turns; writes docs/performance.md.

    python benchmarks/bench.py [--rounds 3] [--only JOB ...] [--quick] [--dry-run] [--reader-python PATH]

Jobs take turns within a round and programs within a job; a figure is the median of the rounds with the least
and the most in brackets, a ratio is taken round by round. `--only` leaves the other figures of the page, and
its table of budgets, as they are. `--quick` makes everything small and one round, to see that it runs; its
figures mean nothing and are not written. Wall time is believed if other processes took less than a twentieth
of the machine meanwhile (Linux says how much), and left out of the page if they took more.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic

import ingest
import page
import paint
from timing import (
    CPU,
    MEMORY,
    OURS,
    WALL,
    Failed,
    Figures,
    Measured,
    add,
    ask,
    compared,
    python,
    ratios,
    run,
    say,
    spread,
    table,
    values,
)

ROOT = Path(__file__).parents[1]
NOW = "2026-11-01T00:00:00Z"
OTHERS = 0.05
"""Share of the machine that other processes may take before wall time means nothing."""
RATE, COSINE, LEAST_COSINE = "tokens a CPU s", "cosine", "least cosine"
PLAIN = "SentenceTransformer fp32"
MARKS = "95 % wall s"

Round = Mapping[str, Mapping[str, Figures]]
Measure = Callable[[int], Round]
Job = Callable[[Path, argparse.Namespace], AbstractContextManager[Measure]]


@dataclass(frozen=True, slots=True)
class Budget:
    """What is aimed at."""

    table: str
    job: str
    """In words."""
    figure: str
    bound: float
    peer: str | None = None
    """The figure is taken in parts of that program's."""
    at_least: bool = False
    """Whether more is better."""

    def row(self, measured: Measured, *, wall: bool) -> list[str]:
        """Its line in the table of budgets: job, budget, what was measured, whether it is kept."""
        against = f" times {self.peer}'s" if self.peer else ""
        aim = f"{self.figure} {'≥' if self.at_least else '≤'} {self.bound:g}{against}"
        programs = measured.get(self.table, {})
        ours = programs.get(OURS, [])
        if self.peer and self.peer not in programs:
            return [
                self.job,
                aim,
                "",
                f"not measured: {self.peer} is not here" if programs else "not measured",
            ]
        if "wall" in self.figure and not wall:
            return [self.job, aim, "", "needs a quiet machine"]
        found = ratios(ours, programs[self.peer], self.figure) if self.peer else values(ours, self.figure)
        if not found:
            return [self.job, aim, "", "not measured"]
        middle = statistics.median(found)
        kept = middle >= self.bound if self.at_least else middle <= self.bound
        return [self.job, aim, spread(found), "yes" if kept else "**no**"]


BUDGETS = (
    Budget("first", "first load, 200 feeds of 50 entries", WALL, 0.6, "newsboat"),
    Budget("first", "the same", CPU, 1.0, "newsboat"),
    Budget("again", "nothing has changed", CPU, 2.0, ingest.BARE_LOOP),
    Budget("paint", "first rows of the digest, 50,000 items", WALL, 1.2, paint.PEER),
    Budget("paint", "the same", CPU, 1.2, paint.PEER),
    Budget("paint", "the same", MEMORY, 60),
    Budget("digest", "`triage digest` of a built digest", CPU, 0.2),
    Budget("encode-sentences", "encoding sentences", RATE, 3.0, PLAIN, at_least=True),
    Budget("encode-sentences", "the same, beside its vectors", COSINE, 0.999, at_least=True),
    Budget("encode-sentences", "the same, the least of them", LEAST_COSINE, 0.995, at_least=True),
    Budget("encode-abstracts", "encoding abstracts", RATE, 3.0, PLAIN, at_least=True),
    Budget("label-10k", "a mark to a new order, 10,000 documents", MARKS, 0.05),
    Budget("label-100k", "the same, 100,000 documents", MARKS, 0.15),
    Budget("store", "100,000 items stored and searchable", CPU, 10),
    Budget("list", "a list of 100,000 rows, in parts of 1,000", "times", 1.2),
    Budget("setup", "set-up with a warm package cache", WALL, 240),
    Budget("setup-again", "set-up again", WALL, 15),
)

TABLES = {
    "first": "ingest.py --items 0",
    "again": "ingest.py --items 0",
    "paint": "paint.py HOME",
    "digest": "bench.py --only digest",
    "encode-sentences": "encode.py --kinds sentences",
    "encode-abstracts": "encode.py --kinds abstracts",
    "label-10k": "rerank.py --documents 10000",
    "label-100k": "rerank.py --documents 100000",
    "store": "ingest.py --rounds 0",
    "list": "lists.py",
    "setup": "bench.py --only setup",
    "setup-again": "bench.py --only setup",
}
"""Table -> what measures it alone."""
SET_UP = {"setup", "setup-again"}
"""Tables that are measured only if asked for."""


@contextmanager
def feeds(folder: Path, asked: argparse.Namespace) -> Iterator[Measure]:
    """Feeds that are new, and feeds that have not changed."""
    count, entries = (20, 5) if asked.quick else (200, 50)
    with ingest.feeds(folder, count, entries, asked.reader_python) as measure:
        yield measure


@contextmanager
def opening(folder: Path, asked: argparse.Namespace) -> Iterator[Measure]:
    """The interface and the printed digest, on many items."""
    home = folder / "home"
    run(python("library.py", str(home), "--items", "1000" if asked.quick else "50000", "--digest"))
    paint.measure(home)

    def measure(_: int) -> Round:
        shown = run([sys.executable, "-m", "triage", "digest"], TRIAGE_HOME=str(home), TRIAGE_NOW=NOW)
        return {"paint": paint.measure(home), "digest": {OURS: shown}}

    yield measure


@contextmanager
def encode(_: Path, asked: argparse.Namespace) -> Iterator[Measure]:
    """The encoder, whose own rounds take turns in one process: it takes seconds to start."""
    kinds, tokens = ("sentences", "abstracts"), "1000" if asked.quick else "10000"
    argv = python("encode.py", "--json", "--rounds", str(asked.rounds), "--tokens", tokens, "--kinds", *kinds)

    def measure(number: int) -> Round:
        if number == 0:
            found.update(ask(argv))
        return {f"encode-{kind}": found[kind][number] for kind in kinds}

    found: dict[str, list[dict[str, Figures]]] = {}
    yield measure


@contextmanager
def label(_: Path, asked: argparse.Namespace) -> Iterator[Measure]:
    """Marks; the hundred thousand documents once, because they take longest to make."""

    def measure(number: int) -> Round:
        sizes = {"label-10k": 1_000 if asked.quick else 10_000}
        if number == 0 and not asked.quick:
            sizes["label-100k"] = 100_000
        return {name: ask(python("rerank.py", "--json", "--documents", str(n))) for name, n in sizes.items()}

    yield measure


@contextmanager
def store(folder: Path, asked: argparse.Namespace) -> Iterator[Measure]:
    """Items stored and searchable, once."""
    count = 1_000 if asked.quick else 100_000
    yield lambda number: ingest.store(folder, count) if number == 0 else {}


@contextmanager
def long_list(_: Path, asked: argparse.Namespace) -> Iterator[Measure]:
    """Long lists."""
    argv = python("lists.py", "--rows", "2000" if asked.quick else "100000")
    yield lambda _: {"list": ask(argv)}


@contextmanager
def setup(folder: Path, _: argparse.Namespace) -> Iterator[Measure]:
    """`make setup` in a place of its own, and again; only if asked for: it takes minutes, and the network."""

    def measure(number: int) -> Round:
        argv = ["make", "-C", str(ROOT), "setup", f"VENV={folder / 'venv'}"]
        return {name: {OURS: run(argv)} for name in ("setup", "setup-again")} if number == 0 else {}

    yield measure


JOBS: dict[str, Job] = {
    "feeds": feeds,
    "opening": opening,
    "encode": encode,
    "label": label,
    "store": store,
    "list": long_list,
    "setup": setup,
}


def machine(reader_python: str) -> str:
    """What it was measured on."""
    known = [f"Python {platform.python_version()}", *ingest.versions(reader_python)]
    for name in ("textual", "torch", "sentence-transformers", "scikit-learn"):
        with contextlib.suppress(PackageNotFoundError):
            known.append(f"{name} {version(name)}")
    return f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {', '.join(known)}."


def busy_s() -> float:
    """Seconds that the processors of this machine have worked for anybody, 0 where it does not say."""
    file = Path("/proc/stat")
    if not file.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, stolen = map(int, file.read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    """Seconds of them that were ours: of this process and all that it has waited for."""
    return sum(os.times()[:4])


def blocks(measured: Measured, about: str, *, wall: bool) -> dict[str, str]:
    """What goes into the page."""
    said = about if wall else f"{about} Other work was going on, so wall time is left out."
    found = {}
    if {budget.table for budget in BUDGETS} - measured.keys() <= SET_UP:
        rows = [budget.row(measured, wall=wall) for budget in BUDGETS if budget.table in measured]
        found["budgets"] = (
            f"By `make bench`. {said}\n\n{table([['job', 'budget', 'measured', 'kept'], *rows])}"
        )
    for name, programs in measured.items():
        found[name] = f"`python benchmarks/{TABLES[name]}`\n\n{compared(programs, wall=wall)}"
    return found


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=JOBS, default=[job for job in JOBS if job != "setup"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="prints, and leaves the page as it is")
    parser.add_argument("--reader-python", default=sys.executable)
    asked = parser.parse_args()
    asked.rounds = 1 if asked.quick else asked.rounds
    measured: Measured = {}
    # As installed, also where PYTHONDONTWRITEBYTECODE leaves what was edited to be compiled at every start.
    for package in ("triage", "ingestors", "model"):
        compileall.compile_dir(ROOT / package, quiet=1)
    started, busy, own = monotonic(), busy_s(), own_s()
    for program, why in ingest.programs(asked.reader_python)[1].items():
        say(f"{program} is left out: {why}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        jobs: dict[str, Measure] = {}
        for job in asked.only:
            try:
                folder = Path(name) / job
                folder.mkdir()
                jobs[job] = stack.enter_context(JOBS[job](folder, asked))
            except Failed as error:
                say(f"{job} is left out: {error}")
        for number in range(asked.rounds):
            for job, measure in list(jobs.items()):
                say(f"round {number + 1} of {asked.rounds}, {monotonic() - started:.0f} s: {job}")
                try:
                    add(measured, measure(number))
                except Failed as error:
                    say(f"{job} is left out from here on: {error}")
                    del jobs[job]
    lasted = monotonic() - started
    share = ((busy_s() - busy) - (own_s() - own)) / (lasted * (os.cpu_count() or 1))
    say(f"\n{lasted:.0f} s; other processes took {max(share, 0):.0%} of the machine\n")
    about = f"{machine(asked.reader_python)} {asked.rounds} rounds, medians with the least and the most."
    found = blocks(measured, about, wall=share < OTHERS)
    for title, text in found.items():
        say(f"{title}\n{text}")
    if not (asked.quick or asked.dry_run):
        page.write(found)
        say(f"written to {page.PAGE}")


if __name__ == "__main__":
    main()
