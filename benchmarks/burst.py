"""What becomes of a burst of marks: when they are stored, when the order knows them, how often it was made.

    python benchmarks/burst.py [--items 10000] [--marks 50] [--every 0] [--rounds 3]

Runs the real program in a pseudo-terminal on invented feeds, ranked by words only. It marks one item and
waits for the order, so that everything is loaded; then it presses `d` so many times, in the next round `l`,
and watches from outside:

stored    seconds until every mark is in the database
ranked    seconds until the digest on disk knows every mark
orders    how many digests were stored until then
CPU       seconds that the model worker computed
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import workload
from ingest import ADD, server
from keys import Terminal, say

ENTRIES = 50
"""A feed."""
NOW = "2026-11-02T08:00:00Z"
GIVE_UP_S = 120.0
STATES = {"d": "dislike", "l": "like"}


@dataclass
class Burst:
    """What came of one."""

    stored: float = 0.0
    ranked: float = 0.0
    orders: int = 0
    cpu: float = 0.0


def prepare(home: Path, items: int, environ: dict[str, str]) -> None:
    """Feeds, fetched, and a digest that is long enough."""
    feeds = home.parent / "feeds"
    workload.write(feeds, items // ENTRIES, ENTRIES, seed=1)
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('[model]\nencoder = "/nonexistent"\n', encoding="utf-8")
    with server(feeds) as port:
        urls = [f"http://127.0.0.1:{port}/{path.name}" for path in sorted(feeds.iterdir())]
        for command in (
            [sys.executable, "-c", ADD, *urls],
            [sys.executable, "-m", "triage", "sync", "--now"],
            [sys.executable, "-m", "triage", "digest", "--minutes", "120", "--json"],
        ):
            subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def burst(home: Path, environ: dict[str, str], key: str, marks: int, every: float) -> Burst:
    """Presses the keys and watches."""
    terminal, found, state = Terminal(environ, 120, 36), Burst(), STATES[key]
    while not terminal.selected:
        terminal.rest(0.2)
    database = sqlite3.connect(f"file:{home / 'data' / 'triage.db'}?mode=ro", uri=True, isolation_level=None)
    digest = home / "data" / "digest.json"
    file = digest.stat().st_ino
    terminal.press("s")
    while digest.stat().st_ino == file:
        terminal.rest(0.2)
    terminal.rest(2.0)
    terminal.press("g")
    before, file = _marked(database), digest.stat().st_ino
    worker = _worker(terminal.process.pid)
    computed = _computed(worker)
    began, pressed = time.monotonic(), 0
    while not found.ranked:
        now = time.monotonic() - began
        if now > GIVE_UP_S:
            raise SystemExit(f"{len(_marked(database))} are stored:\n" + "\n".join(terminal.screen.display))
        if pressed < marks and now >= pressed * every:
            terminal.type(key if every else key * marks)
            pressed += 1 if every else marks
        terminal.read(0.002)
        if not found.stored and len(_marked(database)) == len(before) + marks:
            found.stored = time.monotonic() - began
        if digest.stat().st_ino != file:
            file, found.orders = digest.stat().st_ino, found.orders + 1
            states = {item["id"]: item["state"] for item in json.loads(digest.read_bytes())["items"]}
            new = _marked(database)[len(before) :]
            if found.stored and all(states.get(each, state) == state for each in new):
                found.ranked = time.monotonic() - began
    terminal.rest(1.0)
    found.cpu = _computed(worker) - computed
    terminal.close()
    database.close()
    return found


def _marked(database: sqlite3.Connection) -> list[int]:
    """Ids of the items that were marked."""
    return [item for (item,) in database.execute("SELECT item_id FROM event ORDER BY id")]


def _worker(program: int) -> int:
    """The process that ranks for a program."""
    children = Path(f"/proc/{program}/task").glob("*/children")
    return int(next(filter(None, (path.read_text(encoding="ascii").split() for path in children)))[0])


def _computed(process: int) -> float:
    """Seconds of processor time that it has taken."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Prints a row a round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--marks", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.0, help="seconds from key to key")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        environ = {**os.environ, "TRIAGE_HOME": str(home), "TRIAGE_NOW": NOW, "TERM": "xterm-256color"}
        prepare(home, asked.items, environ)
        say("stored s  ranked s  orders  CPU s of the ranker")
        for number in range(asked.rounds):
            found = burst(home, environ, "dl"[number % 2], asked.marks, asked.every)
            say(f"{found.stored:8.2f}  {found.ranked:8.2f}  {found.orders:6}  {found.cpu:19.2f}")


if __name__ == "__main__":
    main()
