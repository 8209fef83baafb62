"""How fast feeds come in: ours beside newsboat and the `reader` library, in turns, on the same feeds.

    python benchmarks/ingest.py [--rounds 3] [--feeds 200] [--entries 50] [--reader-python PATH]

Measures whole processes by what the system says of them when they have ended: wall seconds, processor
seconds with all children, memory of the largest process. Rounds are interleaved, because what else a machine
does changes from minute to minute; each figure is the median, with the least and the most behind it, and the
ratios are those of medians. newsboat is measured where it is installed, `reader` where `--reader-python` (or
this Python) can import it. Everybody fetches 16 feeds at once.

first     nothing is known yet: every entry is fetched, parsed, stored, and searchable (ours)
again     nothing has changed: one conditional request a feed; `bare` is a loop of our HTTP library alone
items     100,000 items stored and searchable by our services, without network (--items 0 leaves it out,
          --rounds 0 the others)
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

HERE = Path(__file__).parent
AT_ONCE = 16

ADD = """
import sys
from triage.runtime import Runtime
from triage.services import sources
with Runtime.open() as runtime:
    for url in sys.argv[1:]:
        sources.add(runtime.database, runtime.clock, url, allow_local=True)
"""
OURS = """
import asyncio
from triage.runtime import Runtime
from triage.services import ingest
with Runtime.open() as runtime, runtime.ingesting("benchmark") as database:
    reports = asyncio.run(ingest.sync(database, runtime.config, runtime.clock, ask_now=True))
    assert reports and not any(report.error for report in reports), reports[:1]
"""
BARE = """
import asyncio, sys
import httpx2
async def main():
    async with httpx2.AsyncClient(trust_env=False) as client:
        gate = asyncio.Semaphore(16)
        async def ask(url):
            async with gate:
                answer = await client.get(url, headers={"If-Modified-Since": "Sun, 01 Nov 2026 00:00:00 GMT"})
            assert answer.status_code == 304
        await asyncio.gather(*(ask(url) for url in sys.argv[1:]))
asyncio.run(main())
"""
READER = """
import sys
import reader
library = reader.make_reader(sys.argv[1])
for url in sys.argv[2:]:
    library.add_feed(url, exist_ok=True)
library.update_feeds(workers=16)
"""
ITEMS = """
import sys
from pathlib import Path
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[1])
from workload import Writer
from ingestors.base import Entry, FetchResult
from triage.runtime import Runtime
from triage.services import searching, sources, writing
from ingestors.parsers.html import html_to_text
with Runtime.open() as runtime:
    ids = [
        sources.add(runtime.database, runtime.clock, f"https://e{n}.example/", allow_local=False).id
        for n in range(int(sys.argv[2]) // 500)
    ]
    writer = Writer("items")
    texts = [html_to_text(writer.body()) for _ in range(2_000)]
    from time import process_time
    spent = 0.0
    for source in ids:
        entries = tuple(
            Entry(key=str(n), title=writer.sentence(5), text=writer.sentence() + writer.choose.choice(texts))
            for n in range(500)
        )
        started = process_time()
        writing.keep(runtime.database, runtime.clock, source, FetchResult(entries=entries))
        spent += process_time() - started
    found = searching.find(runtime.database, runtime.clock, texts[0].split()[0])
    assert found
    print(f"{spent:.2f}")
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(argv: list[str], **environment: str) -> Cost:
    """Runs a program to its end; raises if it fails."""
    started = monotonic()
    process = subprocess.Popen(argv, env=os.environ | environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{argv[0]} ended with {process.returncode}")
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Cost(monotonic() - started, used.ru_utime + used.ru_stime, kilobytes / 1024)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """The feeds of a folder on a port of the loopback interface."""
    argv = [sys.executable, str(HERE / "workload.py"), "--serve", str(folder)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate()


def ours(home: Path, urls: list[str]) -> tuple[Cost, Cost]:
    """First load, and a reload a day later."""
    run([sys.executable, "-c", ADD, *urls], TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-02T08:00:00Z")
    return (
        run([sys.executable, "-c", OURS], TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-02T08:00:00Z"),
        run([sys.executable, "-c", OURS], TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-04T08:00:00Z"),
    )


def newsboat(home: Path, urls: list[str]) -> tuple[Cost, Cost]:
    """Likewise; as it ships."""
    (home / "urls").write_text("\n".join(urls))
    (home / "config").write_text(f"reload-threads {AT_ONCE}\nauto-reload no\n")
    argv = [
        "newsboat",
        "-u",
        f"{home}/urls",
        "-C",
        f"{home}/config",
        "-c",
        f"{home}/cache.db",
        "-x",
        "reload",
    ]
    return run(argv), run(argv)


def reader(python: str) -> Callable[[Path, list[str]], tuple[Cost, Cost]]:
    """Likewise, by the Python that has it."""

    def measure(home: Path, urls: list[str]) -> tuple[Cost, Cost]:
        argv = [python, "-c", READER, str(home / "reader.db"), *urls]
        return run(argv), run(argv)

    return measure


def bare(_: Path, urls: list[str]) -> tuple[Cost, Cost]:
    """A loop of requests with our HTTP library, which does nothing with the answers."""
    cost = run([sys.executable, "-c", BARE, *urls])
    return cost, cost


def table(title: str, costs: dict[str, list[Cost]]) -> None:
    """Prints medians, their spread and their ratio to ours."""
    say(f"\n{title:<10} {'wall s':>18} {'CPU s':>18} {'peak MB':>8} {'our wall / CPU to it':>22}")
    mine = costs["ours"]
    wall, cpu = (statistics.median(getattr(cost, name) for cost in mine) for name in ("wall_s", "cpu_s"))
    for name, measured in costs.items():
        walls, cpus = sorted(cost.wall_s for cost in measured), sorted(cost.cpu_s for cost in measured)
        one, other = statistics.median(walls), statistics.median(cpus)
        say(
            f"{name:<10} {f'{one:.2f} ({walls[0]:.2f}-{walls[-1]:.2f})':>18}"
            f" {f'{other:.2f} ({cpus[0]:.2f}-{cpus[-1]:.2f})':>18}"
            f" {max(cost.peak_mb for cost in measured):>8.0f} {f'{wall / one:.2f} / {cpu / other:.2f}':>22}"
        )


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--reader-python", default=sys.executable)
    asked = parser.parse_args()
    programs: dict[str, Callable[[Path, list[str]], tuple[Cost, Cost]]] = {"ours": ours, "bare": bare}
    if shutil.which("newsboat"):
        programs["newsboat"] = newsboat
    if (
        subprocess.run(
            [asked.reader_python, "-c", "import reader"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        programs["reader"] = reader(asked.reader_python)
    costs: dict[str, list[tuple[Cost, Cost]]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        feeds = Path(folder) / "feeds"
        run(
            [
                sys.executable,
                str(HERE / "workload.py"),
                str(feeds),
                f"--feeds={asked.feeds}",
                f"--entries={asked.entries}",
            ]
        )
        with server(feeds) as port:
            urls = [f"http://127.0.0.1:{port}/{number:04d}.xml" for number in range(asked.feeds)]
            for number in range(asked.rounds):
                for name, program in programs.items():
                    home = Path(folder) / f"{name}-{number}"
                    home.mkdir()
                    costs[name].append(program(home, urls))
                    shutil.rmtree(home)
        if asked.rounds:
            say(f"{asked.feeds} feeds x {asked.entries} entries, {AT_ONCE} at once, {asked.rounds} rounds")
            firsts = {name: [first for first, _ in each] for name, each in costs.items() if name != "bare"}
            table("first", firsts)
            table("again", {name: [again for _, again in each] for name, each in costs.items()})
        if asked.items:
            argv = [sys.executable, "-c", ITEMS, str(HERE), str(asked.items)]
            home = {"TRIAGE_HOME": str(Path(folder) / "items")}
            done = subprocess.run(argv, env=os.environ | home, capture_output=True, text=True, check=True)
            say(f"\n{asked.items} items stored and searchable: {done.stdout.strip()} CPU s")


if __name__ == "__main__":
    main()
