"""How fast feeds come in: ours beside newsboat and the `reader` library, in turns, on the same feeds.

    python benchmarks/ingest.py [--rounds 3] [--feeds 200] [--entries 50] [--reader-python PATH]

Measures whole processes by what the system says of them when they have ended: wall seconds, processor
seconds with all children, memory of the largest process. Rounds are interleaved, because what else a machine
does changes from minute to minute; each figure is the median, with the least and the most behind it, and so
are the ratios, which are taken round by round. newsboat is measured where it is installed, `reader` where
`--reader-python` (or this Python) can import it. Everybody fetches 16 feeds at once.

first     nothing is known yet: every entry is fetched, parsed, stored, and searchable (ours)
again     nothing has changed: one conditional request a feed; the bare loop is our HTTP library alone
store     100,000 items stored and searchable by our services, without network (--items 0 leaves it out,
          --rounds 0 the others)
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from timing import HERE, OURS, Figures, Measured, add, ask, compared, python, run, say

AT_ONCE = 16
BARE_LOOP = "a bare loop of httpx2"

Pair = tuple[Figures, Figures]
"""A first load, and again when nothing has changed."""
Program = Callable[[Path, list[str]], Pair]
Round = dict[str, dict[str, Figures]]
"""Table -> program -> figures."""

ADD = """
import sys
from triage.runtime import Runtime
from triage.services.fetching import sources
with Runtime.open() as runtime:
    for url in sys.argv[1:]:
        sources.add(runtime.database, runtime.clock, url, allow_local=True)
"""
SYNC = """
import asyncio
from triage.runtime import Runtime
from triage.services.fetching import ingest
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
from triage.services.fetching import sources, writing
from triage.services.reader import searching
from ingestors.parsers.html import html_to_text
with Runtime.open() as runtime, runtime.ingesting("a benchmark"):
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
    import json, resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
    print(json.dumps({"triage": {"CPU s": spent, "peak MB": peak}}))
"""


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


def ours(home: Path, urls: list[str]) -> Pair:
    """First load, and a reload a day later."""
    run([sys.executable, "-c", ADD, *urls], TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-02T08:00:00Z")
    return (
        run([sys.executable, "-c", SYNC], TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-02T08:00:00Z"),
        run([sys.executable, "-c", SYNC], TRIAGE_HOME=str(home), TRIAGE_NOW="2026-11-04T08:00:00Z"),
    )


def newsboat(home: Path, urls: list[str]) -> Pair:
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


def reader(interpreter: str) -> Program:
    """Likewise, by the Python that has it."""

    def measure(home: Path, urls: list[str]) -> Pair:
        argv = [interpreter, "-c", READER, str(home / "reader.db"), *urls]
        return run(argv), run(argv)

    return measure


def bare(_: Path, urls: list[str]) -> Pair:
    """A loop of requests with our HTTP library, which does nothing with the answers."""
    cost = run([sys.executable, "-c", BARE, *urls])
    return cost, cost


def programs(reader_python: str) -> tuple[dict[str, Program], dict[str, str]]:
    """The programs that are installed, and of the others why they are not measured."""
    found: dict[str, Program] = {OURS: ours, BARE_LOOP: bare}
    missing = {}
    if shutil.which("newsboat"):
        found["newsboat"] = newsboat
    else:
        missing["newsboat"] = "it is not installed"
    asked = subprocess.run([reader_python, "-c", "import reader"], capture_output=True, check=False)
    if asked.returncode == 0:
        found["reader"] = reader(reader_python)
    else:
        missing["reader"] = "name a Python that has it: READER_PYTHON=/path/to/python"
    return found, missing


def versions(reader_python: str) -> list[str]:
    """Names and versions of the peers that are installed."""
    found = []
    asked = {
        "newsboat": ["newsboat", "--version"],
        "reader": [reader_python, "-c", "import reader; print('reader', reader.__version__)"],
    }
    for name in programs(reader_python)[0].keys() & asked.keys():
        said = subprocess.run(asked[name], capture_output=True, text=True, check=True).stdout
        found.append(" ".join(said.split()[:2]))
    return sorted(found)


@contextmanager
def feeds(folder: Path, count: int, entries: int, reader_python: str) -> Iterator[Callable[[int], Round]]:
    """Serves invented feeds; what is yielded measures a round, of which it is told the number."""
    made = folder / "feeds"
    run(python("workload.py", str(made), f"--feeds={count}", f"--entries={entries}"))
    installed, _ = programs(reader_python)
    with server(made) as port:
        urls = [f"http://127.0.0.1:{port}/{number:04d}.xml" for number in range(count)]

        def measure(number: int) -> Round:
            found: Round = {"first": {}, "again": {}}
            for name, program in installed.items():
                home = folder / f"{name}-{number}"
                home.mkdir()
                first, again = program(home, urls)
                if name != BARE_LOOP:
                    found["first"][name] = first
                found["again"][name] = again
                shutil.rmtree(home)
            return found

        yield measure


def store(folder: Path, items: int) -> Round:
    """So many items, once."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        return {"store": ask([sys.executable, "-c", ITEMS, str(HERE), str(items)], TRIAGE_HOME=home)}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--reader-python", default=sys.executable)
    asked = parser.parse_args()
    measured: Measured = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with feeds(folder, asked.feeds, asked.entries, asked.reader_python) as measure:
            for number in range(asked.rounds):
                add(measured, measure(number))
        if asked.items:
            add(measured, store(folder, asked.items))
    for title, found in measured.items():
        say(f"\n{title}\n{compared(found)}")


if __name__ == "__main__":
    main()
