"""The real daemon and a reader beside it, with all their children, of which one after another is killed.

The daemon's clock goes an hour a second, so that sources are always due and its jobs, a copy of the database
among them, come every few seconds. Sources are scripted, but what they bring passes through a parser child.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from killing import Home, Numbered, entry

from ingestors.base import FetchError, FetchRequest, FetchResult, Tools
from ingestors.sandbox import ParseRefused
from triage import config
from triage.core.errors import TriageError
from triage.core.verbs import MARKS
from triage.daemon import app
from triage.paths import Paths
from triage.reader_backend import ReaderBackend
from triage.runtime import Runtime
from triage.services.fetching import ingest
from triage.services.ranker.worker_client import ModelWorker

KINDS = {
    "parser": "ingestors.parse_child",
    "encoder": "model.encode_child",
    "worker": "triage.services.ranker.worker",
    "daemon": "family.py daemon",
    "reader": "family.py reader",
}
"""What is killed, and what its command line holds."""


LEARNS = 0.05
"""The share of marks after which the reader waits for the new order."""


class Parsed(Numbered):
    """As `Numbered`, but a child has to read a document first."""

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Nothing but an error if the child was killed."""
        about = entry(request.target, int(str(request.cursor.get("polls", 0))))
        body = f"<rss><channel><title>T</title><item><title>{about.title}</title></item></channel></rss>"
        try:
            await tools.parsers.parse(
                "ingestors.parsers.feeds:parse_feed", body.encode(), url="https://e.example/", content_type=""
            )
        except ParseRefused as refused:
            return FetchResult(cursor=request.cursor, error=FetchError("network", refused.reason))
        return await super().fetch(request, tools)


def daemon(home: Home) -> None:
    """The daemon, without patience."""
    ingest.registry.get = {"numbered": Parsed()}.get  # type: ignore[assignment]
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # its rounds take longer than that
    app.POLL_S, app.LONGEST_PAUSE_S = 0.05, 0.2  # type: ignore[misc]
    with home.opened() as database:
        settings = config.load(home.paths.config_file)
        worker = ModelWorker(home.paths, demo=False)
        asyncio.run(app.Daemon(home.paths, settings, home.clock, database, worker).run())


def reader(home: Home) -> None:
    """Marks by chance what there is, as the interface does, and has the order follow; for ever.

    A mark that is stored is acknowledged by a line.
    """
    rng = random.Random(os.getpid())
    with Runtime(home.paths, clock=home.clock) as runtime:
        backend = ReaderBackend(runtime)
        while True:
            item, verb = rng.randrange(1, 40), rng.choice(MARKS)
            with contextlib.suppress(TriageError):  # the item is not there yet, or the worker was killed
                recorded = backend.mark(item, verb)
                os.write(1, f"{recorded.event_id} {item} {verb}\n".encode())
                if rng.random() < LEARNS:
                    backend.learn()
            time.sleep(0.01)


def members(leaders: list[int]) -> dict[int, str]:
    """Process -> command line, of these processes and all that descend from them."""
    parents: dict[int, int] = {}
    said: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                pid = int(folder.name)
                parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                said[pid] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    found = set(leaders)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: said[pid] for pid in found if said.get(pid)}


class Family:
    """Both of them, alive until they are killed."""

    def __init__(self, home: Home, rng: random.Random) -> None:
        self._home = home
        self._rng = rng
        self._said = home.paths.state / "acknowledged"
        self._leaders = {role: self._start(role) for role in ("daemon", "reader")}

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        folders = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
        with self._said.open("ab") as acknowledged:
            return subprocess.Popen(
                [sys.executable, __file__, role, repr(self._home.started)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
                stdout=acknowledged,
                start_new_session=True,
            )

    def kill(self, kind: str, patience_s: float = 20) -> bool:
        """Kills one of a kind, or `all` at once, as soon as there is one. Who led the others is replaced."""
        end = time.monotonic() + patience_s
        while not (wanted := self._alive(kind)):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        for pid in wanted if kind == "all" else [self._rng.choice(wanted)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if kind in ("all", *self._leaders):
            for role in self._leaders if kind == "all" else [kind]:
                leader = self._leaders[role]
                assert leader.wait(60) == -signal.SIGKILL
                self._leaders[role] = self._start(role)
        return True

    def _alive(self, kind: str) -> list[int]:
        found = members([leader.pid for leader in self._leaders.values()])
        return [pid for pid, said in found.items() if kind == "all" or KINDS[kind] in said]

    def acknowledged(self) -> dict[int, tuple[int, str]]:
        """Event -> (item, mark), of all that was said to be stored."""
        whole = self._said.read_text().rpartition("\n")[0].splitlines()
        return {int(event): (int(item), verb) for event, item, verb in map(str.split, whole)}

    def close(self) -> None:
        """Kills all, and waits until the last has gone."""
        left = members([leader.pid for leader in self._leaders.values()])
        for leader in self._leaders.values():
            leader.kill()
            assert leader.wait(60) in (-signal.SIGKILL, 0)
        end = time.monotonic() + 60
        while any(said == members([pid]).get(pid) for pid, said in left.items()):
            assert time.monotonic() < end, f"they outlive their parents: {left}"
            time.sleep(0.1)


if __name__ == "__main__":
    {"daemon": daemon, "reader": reader}[sys.argv[1]](Home(Paths.of(), float(sys.argv[2])))
