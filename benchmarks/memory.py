"""What the daemon takes of the machine: memory, idle and while it encodes; time until it is ready; processor.

    python benchmarks/memory.py [--items 100000] [--encoded 300] [--idle 60]

Runs the real daemon on homes with invented items whose sources are not due, so that nobody is asked:

ready     a home with `--items` items, whose daemon was killed with SIGKILL: from the start of the process to
          READY=1, which it sends to the service manager when it holds its lock, has opened the database and
          looks at what is due; and the processor time until then, which a busy machine does not lengthen
encoding  `--encoded` items of 200 words read by the encoder that comes along: the most that all processes
          had at one moment, of which encoder, worker and daemon
idle      the daemon alone after that, and `--idle` seconds of its processor time
dying     the same seconds with a new item and a model worker that is killed as soon as it is there, which is
          what a machine without memory does to it

Memory is the proportional set size of `/proc/PID/smaps_rollup`: what processes share is counted once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingestors.base import Entry, FetchResult
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import sources, writing
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

PORTION = 1_000
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.05
WORDS_ONLY = '[model]\nencoder = "/nonexistent"\n'
PARTS = {"encoder": "model.encode_child", "worker": "triage.services.ranker.worker", "daemon": "daemon run"}


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


@contextmanager
def home(settings: str) -> Iterator[Paths]:
    """An empty home."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIAGE_HOME"] = folder
        paths = Paths.of()
        paths.create()
        paths.config_file.write_text(f"{settings}\n[full_text]\nfetch = false\n", encoding="utf-8")
        yield paths


def fill(paths: Paths, count: int, words: int, source: str) -> None:
    """Stores items of invented words, as a poll of just now."""
    choose = random.Random(source)  # noqa: S311
    known = ["".join(choose.choices("aeioubdglmnprst", k=6)) for _ in range(5_000)]
    database = Database(paths.database, checkpoints=True)
    ensure_schema(database, paths.backups, now())
    number = sources.add(database, now, f"https://{source}.example/", allow_local=False).id
    for first in range(0, count, PORTION):
        entries = tuple(
            Entry(
                key=f"{source} {n}",
                title=" ".join(choose.choices(known, k=6)),
                text=" ".join(choose.choices(known, k=words)),
            )
            for n in range(first, min(first + PORTION, count))
        )
        writing.keep(database, now, number, FetchResult(entries=entries))
    database.close()


@dataclass(frozen=True)
class Used:
    """What processes have at one moment."""

    mb: dict[str, float]
    """Part of the program -> MiB."""
    cpu_s: float
    """Of those that live, and of their children that have ended."""

    @property
    def all_mb(self) -> float:
        """MiB of all of them."""
        return sum(self.mb.values())


def used(leader: int) -> Used:
    """What a process and all that descend from it have."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                told = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(told[1])
                ticks[int(folder.name)] = sum(map(int, told[11:15]))
    found = {leader}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    mb: dict[str, float] = {}
    for pid in found:
        with suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            part = next((part for part, said in PARTS.items() if said in line), "others")
            kilobytes = next(int(row.split()[1]) for row in rollup if row.startswith("Pss:"))
            mb[part] = mb.get(part, 0.0) + kilobytes / 1024
    return Used(mb, sum(ticks.get(pid, 0) for pid in found) / TICKS)


@contextmanager
def daemon(paths: Paths) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The real one, and how many seconds it took to be ready."""
    address = str(paths.state / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "triage", "daemon", "run"],
            env=os.environ | {"NOTIFY_SOCKET": address},
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while b"READY=1" not in channel.recv(4_096):
                continue
            yield process, time.monotonic() - started
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            Path(address).unlink()


def ready(items: int) -> None:
    """Kills it in the middle of what it does, and starts it again."""
    with home(WORDS_ONLY) as paths:
        fill(paths, items, 40, "many")
        with daemon(paths):
            time.sleep(1)
        with daemon(paths) as (process, seconds):
            spent = used(process.pid).cpu_s
    say(f"ready after SIGKILL, {items:,} items: {seconds:.2f} s, {spent:.2f} s of processor time")


def encoding(encoded: int, idle_s: float) -> None:
    """The most that it takes, and the least."""
    with home("") as paths:
        fill(paths, encoded, 200, "read")
        with daemon(paths) as (process, _):
            most = used(process.pid)
            while digest_file.read(paths.digest) is None:
                time.sleep(SAMPLE_S)
                most = max(most, used(process.pid), key=lambda each: each.all_mb)
            parts = ", ".join(f"{part} {mb:.0f}" for part, mb in sorted(most.mb.items()))
            say(f"encoding {encoded} items, the most at one moment: {most.all_mb:.0f} MiB ({parts})")
            before = used(process.pid).cpu_s
            while (settled := used(process.pid).cpu_s) > before or "encoder" in used(process.pid).mb:
                before = settled
                time.sleep(5)
            time.sleep(idle_s)
            after = used(process.pid)
            share = (after.cpu_s - settled) / idle_s
            say(f"idle for {idle_s:.0f} s: {after.mb['daemon']:.0f} MiB, {share:.2%} of a processor")
            fill(paths, 1, 200, "another")
            before, end = used(process.pid).cpu_s, time.monotonic() + idle_s
            killed = 0
            while time.monotonic() < end:
                killed += _kill_worker(process.pid)
                time.sleep(SAMPLE_S)
            share = (used(process.pid).cpu_s - before) / idle_s
            say(f"a worker that dies at once, {killed} times in {idle_s:.0f} s: {share:.2%} of a processor")


def _kill_worker(leader: int) -> bool:
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == leader and PARTS["worker"].encode() in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
                return True
    return False


def say(line: str) -> None:
    """Prints it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each state."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--encoded", type=int, default=300)
    parser.add_argument("--idle", type=float, default=60)
    asked = parser.parse_args()
    ready(asked.items)
    encoding(asked.encoded, asked.idle)


if __name__ == "__main__":
    main()
