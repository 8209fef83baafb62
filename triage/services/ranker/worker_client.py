"""The other end of the model worker: starts it when it is needed, asks, and says clearly when it died.

Owns the life of the child process. Imports neither numpy nor a database, because the terminal interface
and the daemon's parent hold one of these.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from model.frames import BrokenFrame, read_frame, write_frame
from triage.core.errors import TriageError, UsageError, WorkerError
from triage.core.items import Digest, Item, Reason
from triage.core.learning import Outcome
from triage.core.readings import Explained, MarkShare
from triage.paths import Paths

if TYPE_CHECKING:
    from triage.core.hindsight import Hindsight
    from triage.core.insight import Learned

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how much is done, how much there is)."""


CLOSE_S = 10
"""How long a worker may take to store what it has left."""
IDLE_S = 300.0
OLDEST_S = 6 * 3_600.0
"""Of a worker that is never idle: what it has gathered goes back (`benchmarks/soak.py`)."""


ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}
"""Linear algebra of the ranker runs on one thread, unless the environment says otherwise. Its vectors are
short, and threads that wait for one another spin: on two busy cores a mark at 10,000 documents costs .02 CPU
s with one and .1 to .5 with two. The encoding child does without the limit."""


class ModelWorker:
    """A model worker, started at the first request. Requests from several threads take turns."""

    # -P: the folder we happen to stand in may hold another `model` or `triage`.
    COMMAND: ClassVar[Sequence[str]] = (sys.executable, "-P", "-m", "triage.services.ranker.worker")

    def __init__(self, paths: Paths, *, demo: bool, nice: int = 0) -> None:
        self._paths = paths
        self._demo = demo
        self._nice = nice
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = self._started_at = 0.0

    def build(
        self,
        now: datetime,
        on_progress: Progress | None = None,
        *,
        minutes: float | None = None,
        hurry: bool = False,
    ) -> Digest:
        """Indexes what is new, ranks, and stores a new digest, of the configured minutes by default.

        In a hurry items are known by their beginning only, until `read_on` has read the rest.
        """
        request = {"op": "build", "now": now.isoformat(), "minutes": minutes, "hurry": hurry}
        return Digest.from_json(self._ask(request, on_progress)["digest"])

    def read_on(self, now: datetime) -> int:
        """Reads a portion of what was known by its beginning only; how many items are left.

        After the last one the current digest is ranked and stored anew. A portion takes a second or two,
        so that other requests need not wait for long.
        """
        return int(self._ask({"op": "read_on", "now": now.isoformat()}, None)["waiting"])

    def read_rest(self, now: datetime, on_progress: Progress) -> bool:
        """Reads all of it; says whether more than one portion was left."""
        total = waiting = self.read_on(now)
        while waiting:
            on_progress("reading the rest", total - waiting, total)
            waiting = self.read_on(now)
        return total > 0

    def rerank(self, now: datetime, on_progress: Progress | None = None) -> tuple[Digest, int]:
        """Ranks the current digest again after a mark; the digest, and how many of its items moved."""
        reply = self._ask({"op": "rerank", "now": now.isoformat()}, on_progress)
        return Digest.from_json(reply["digest"]), int(reply["moved"])

    def reread(self, now: datetime, on_progress: Progress | None = None) -> Digest:
        """Indexes texts that were exchanged for others, and ranks the current digest again with them."""
        reply = self._ask({"op": "reread", "now": now.isoformat()}, on_progress)
        return Digest.from_json(reply["digest"])

    def nearest(
        self, query: str, limit: int, now: datetime, on_progress: Progress | None = None
    ) -> tuple[list[tuple[int, float]], str | None]:
        """Items nearest in meaning to a search, with their cosines; and why there are none.

        Raises:
            UsageError: There is no such search; see `triage.core.query.parse`.
        """
        request = {"op": "nearest", "query": query, "limit": limit, "now": now.isoformat()}
        reply = self._ask(request, on_progress)
        return [(int(item_id), float(cosine)) for item_id, cosine in reply["nearest"]], reply["problem"]

    def explain(self, item_id: int, now: datetime, *, marks: bool = False) -> Explained:
        """Why an item stands where it stands; with `marks`, also which marks move it, at a fit a mark."""
        request = {"op": "explain", "item": item_id, "now": now.isoformat(), "marks": marks}
        found = self._ask(request, None)["explained"]
        return Explained(
            item=Item.from_json(found["item"]),
            score=found["score"],
            reasons=tuple(Reason(**reason) for reason in found["reasons"]),
            calibration=found["calibration"],
            warnings=tuple(found["warnings"]),
            marks=tuple(MarkShare(**mark) for mark in found["marks"]),
        )

    def learned(self, now: datetime, since: datetime, on_progress: Progress | None = None) -> Learned:
        """What has moved by all that was said since a moment."""
        from triage.core.insight import Learned

        request = {"op": "learned", "now": now.isoformat(), "since": since.isoformat()}
        return Learned.from_json(self._ask(request, on_progress)["learned"])

    def question(self, now: datetime, passed: Sequence[int]) -> tuple[Item | None, str, tuple[Item, ...]]:
        """The item whose mark would teach most, how it begins, and the best of all items.

        The item is None when there is nothing left to ask.

        Args:
            now: The present.
            passed: Ids of items that are not to be asked about again.
        """
        reply = self._ask({"op": "question", "now": now.isoformat(), "passed": list(passed)}, None)
        item = Item.from_json(reply["item"]) if reply["item"] else None
        return item, reply["said"], tuple(map(Item.from_json, reply["top"]))

    def nearness(
        self, now: datetime, texts: Sequence[str], phrases: Sequence[str]
    ) -> list[list[float]] | None:
        """Cosines of the meanings of texts and phrases, a row a text; None without an encoder."""
        request = {"op": "nearness", "now": now.isoformat(), "texts": list(texts), "phrases": list(phrases)}
        cosines: list[list[float]] | None = self._ask(request, None)["cosines"]
        return cosines

    def learn(self, now: datetime, on_progress: Progress | None = None, *, dry_run: bool = False) -> Outcome:
        """Tries other settings on what the reader has said, and promotes better ones unless `dry_run`.

        After a promotion the current digest is ranked and stored anew.
        """
        request = {"op": "learn", "now": now.isoformat(), "dry_run": dry_run}
        return msgspec.convert(self._ask(request, on_progress)["outcome"], Outcome)

    def hindsight(
        self, now: datetime, on_progress: Progress | None = None, *, minutes: float | None = None
    ) -> Hindsight:
        """What other orders would have done on the days that have been, with so many minutes a day."""
        from triage.core.hindsight import Hindsight

        request = {"op": "hindsight", "now": now.isoformat(), "minutes": minutes}
        return msgspec.convert(self._ask(request, on_progress)["hindsight"], Hindsight)

    def shown(self, now: datetime, items: Sequence[int]) -> list[int]:
        """Those of the items that a rule has shown in any case."""
        request = {"op": "shown", "items": list(items), "now": now.isoformat()}
        return list(map(int, self._ask(request, None)["shown"]))

    def roll_back(self, now: datetime, on_progress: Progress | None = None) -> str:
        """Goes back to the parent of the current model; what happened, in words.

        The current digest is ranked and stored anew.
        """
        return str(self._ask({"op": "roll_back", "now": now.isoformat()}, on_progress)["message"])

    def flush(self, now: datetime) -> None:
        """Returns when the scores of earlier requests are stored too."""
        self._ask({"op": "flush", "now": now.isoformat()}, None)

    def warm_up(self) -> None:
        """Starts the process, so that the first request need not wait for its imports."""
        with self._turn:
            self._started()

    def close(self) -> None:
        """Ends the process. What the last request led to is still stored; one under way fails."""
        child = self._child
        if child is None:
            return
        if not self._turn.acquire(blocking=False):
            child.kill()
            self._turn.acquire()
        try:
            if child.stdin is not None and child.poll() is None:
                child.stdin.close()
                child.wait(timeout=CLOSE_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            pass  # it is ended like one that waited for us
        finally:
            self._reap()
            self._turn.release()

    def rest(self) -> None:
        """Ends the process where it has had nothing to do for a while or is old: its memory goes back.

        The next request starts another, which loads what it needs: a second for 20,000 items.
        """
        if self._child is None or not self._turn.acquire(blocking=False):
            return
        now = time.monotonic()
        tired = now - self._asked > IDLE_S or now - self._started_at > OLDEST_S
        self._turn.release()
        if tired:
            self.close()

    def _ask(self, request: dict[str, Any], on_progress: Progress | None) -> dict[str, Any]:
        with self._turn:
            child = self._started()
            self._asked = time.monotonic()
            try:
                self._send(child, request)
                while "progress" in (reply := self._receive(child)):
                    if on_progress is not None:
                        on_progress(*reply["progress"])
            except BaseException:
                # Ctrl-C, or nobody reads our progress any more: the answer that is still to come must not
                # be taken for the one to the next request.
                self._reap()
                raise
        if "error" in reply:
            kind = UsageError if reply["usage"] else WorkerError if reply["died"] else TriageError
            raise kind(reply["error"], fix=reply["fix"])
        return reply

    def _send(self, child: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
        assert child.stdin is not None
        try:
            write_frame(child.stdin, request)
        except BrokenPipeError as error:
            raise self._died(child) from error

    def _receive(self, child: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert child.stdout is not None
        try:
            frame = read_frame(child.stdout)
        except BrokenFrame as error:
            raise self._died(child) from error
        if frame is None:
            raise self._died(child)
        return frame[0]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._reap()
        # Its own session: Ctrl-C in the terminal is for us to handle, and a worker must finish its
        # transaction.
        errors = os.open(self._paths.state / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._child = subprocess.Popen(
            self.COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=ONE_THREAD | os.environ,
            start_new_session=True,
        )
        os.close(errors)
        self._started_at = time.monotonic()
        if self._nice:
            os.setpriority(os.PRIO_PROCESS, self._child.pid, self._nice)
        assert self._child.stdin is not None
        folders = {name: str(getattr(self._paths, name)) for name in ("config", "data", "cache", "state")}
        with contextlib.suppress(BrokenPipeError):  # it died already: the first request says so
            write_frame(self._child.stdin, {"paths": folders, "demo": self._demo})
        return self._child

    def _died(self, child: subprocess.Popen[bytes]) -> WorkerError:
        status = child.wait()
        cause = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return WorkerError(
            f"the model worker {cause}; what you marked is stored, only the order is not up to date",
            fix=f"try again; its messages are in {self._paths.state / 'worker.log'}",
        )

    def _reap(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what was buffered for a process that is gone
                    continue
