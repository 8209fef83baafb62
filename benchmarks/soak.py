"""A month of items through the program, with a stub for the encoder: does anything grow that should not?

    python benchmarks/soak.py [--items 1000000] [--days 30] [--sources 200]

Each simulated day brings its share of the items, in portions as a poll brings them; then a digest is built,
ten items are marked, and the day's jobs run (retention, statistics). Vectors are drawn by hash instead of
being encoded, which the first line of the output says. Prints per day what is stored, the memory of this
process and its processor seconds, and at the end the growth of memory after the first week.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import resource
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import encoder_in_process

from ingestors.base import Entry, FetchResult
from triage.config import Config, RetentionConfig
from triage.core.feedback import Verb
from triage.paths import Paths
from triage.services import feedback, maintenance, sources, writing
from triage.services.worker import Worker
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
PORTION = 50
WARM_UP_DAYS = 7


class Babble:
    """Texts of invented words, all different."""

    def __init__(self) -> None:
        self._choose = random.Random("soak")  # noqa: S311
        letters = "aeioubdglmnprst"
        self._words = ["".join(self._choose.choices(letters, k=6)) for _ in range(5_000)]

    def entry(self, key: str) -> Entry:
        """One document of about 60 words."""
        said = self._choose.choices(self._words, k=60)
        return Entry(key=key, title=" ".join(said[:6]), text=" ".join(said), url=f"https://e.example/{key}")


def resident_mb() -> float:
    """Memory that this process has now, in MiB; the most it ever had where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Runs the month and prints it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sources", type=int, default=200)
    asked = parser.parse_args()
    encoder_in_process.install()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIAGE_HOME"] = folder
        _live(asked.items // asked.days, asked.days, asked.sources)


def _live(per_day: int, days: int, source_count: int) -> None:
    paths = Paths.of()
    paths.create()
    now = START
    database = Database(paths.database, checkpoints=True)
    ensure_schema(database, paths.backups, now)
    ids = [
        sources.add(database, lambda: START, f"https://e{n}.example/", allow_local=False).id
        for n in range(source_count)
    ]
    worker = Worker(paths, Config(), demo=False, replies=io.BytesIO())
    babble, memory, stored = Babble(), [], 0
    _say("vectors are stubs: sums of random directions, one for each word")
    _say(f"{'day':>4} {'items':>9} {'database MB':>12} {'memory MB':>10} {'CPU s':>8}")
    for day in range(days):
        started = process_time()
        for portion in range(0, per_day, PORTION):
            entries = tuple(
                babble.entry(f"{day}-{portion}-{n}") for n in range(min(PORTION, per_day - portion))
            )
            source = ids[(day + portion // PORTION) % len(ids)]
            writing.keep(database, lambda: now, source, FetchResult(entries=entries))  # noqa: B023  used at once
            stored += len(entries)
        reply = worker.answer({"op": "build", "now": now.isoformat()})
        worker.finish()
        for n, item in enumerate(reply["digest"]["items"][:10]):
            feedback.mark(database, lambda: now, item["id"], Verb.LIKE if n % 2 else Verb.DISLIKE)  # noqa: B023
        maintenance.tidy(database, RetentionConfig(), now)
        memory.append(resident_mb())
        megabytes = paths.database.stat().st_size / 2**20
        spent = process_time() - started
        _say(f"{day + 1:>4} {stored:>9} {megabytes:>12.0f} {memory[-1]:>10.0f} {spent:>8.1f}")
        now += timedelta(days=1)
    if days > WARM_UP_DAYS:
        growth = max(memory[WARM_UP_DAYS:]) / max(memory[:WARM_UP_DAYS]) - 1
        _say(f"growth of memory after day {WARM_UP_DAYS}: {growth:+.1%}")
    worker.close()
    database.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
