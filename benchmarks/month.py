"""A month with the program, in minutes: were all promises kept, and did the order get better?

    python benchmarks/month.py [--days 28] [--encoder] [--json]

The daemon's rounds and jobs on a clock of their own, sources that fail in many ways, a mailbox, and a reader
with known interests who comes every morning: see `tests/lived_month.py`. Vectors are those of a stub, which
the report says, or with `--encoder` those of the encoder, in a worker of its own. Prints how good the order
was in each week, then every promise; ends with 1 if one was broken. Takes four seconds of processor a day.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in triage/cli/main.py

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import lived_month
from world import NOW

from triage.paths import Paths
from triage.services.ranker.worker_client import ModelWorker
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

MEASURES = {
    "precision": "average precision of the day's items",
    "newest_precision": "the same, newest first",
    "share": f"wanted among the first {lived_month.FIRST} of the digest",
    "newest_share": "the same, newest first",
}


def lived(days: int, *, encoder: bool) -> lived_month.Month:
    """The month, in a home that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="month-") as folder:
        os.environ["TRIAGE_HOME"] = folder
        paths = Paths.of()
        paths.create()
        database = Database(paths.database, checkpoints=True)
        ensure_schema(database, paths.backups, NOW)
        database.close()
        lived_month.install()
        worker = ModelWorker(paths, demo=False) if encoder else _with_stub(paths)
        return lived_month.live(
            paths,
            lambda: Database(paths.database, checkpoints=True),
            worker,
            days=days,
            encoder="the encoder's" if encoder else "a stub's: sums of random directions, one for each word",
        )


def _with_stub(paths: Paths) -> ModelWorker:
    import encoder_in_process
    from worker_in_process import WorkerInProcess

    encoder_in_process.install()
    return WorkerInProcess(paths)


def weeks(lived: lived_month.Month) -> list[dict[str, float]]:
    """The measures of each quarter."""
    return [{name: round(lived_month.mean(lived.quarter(n), name), 3) for name in MEASURES} for n in range(4)]


def report(lived: lived_month.Month) -> dict[str, Any]:
    """All that was found."""
    return {
        "days": lived.days,
        "vectors": lived.encoder,
        "rounds": lived.rounds,
        "requests": lived.polls,
        "marks": len(lived.marks),
        "weeks": weeks(lived),
        "sizes": lived.sizes,
        "promises": [asdict(promise) for promise in lived.promises],
    }


def said(lived: lived_month.Month) -> str:
    """The report in lines."""
    lines = [
        f"{lived.days} days, {lived.rounds} rounds, {lived.polls} requests, {len(lived.marks)} marks",
        f"vectors are {lived.encoder}",
        "",
        f"{'week':<42}" + "".join(f"{n:>7}" for n in range(1, 5)),
    ]
    found = weeks(lived)
    lines += [
        f"{says:<42}" + "".join(f"{week[name]:>7.2f}" for week in found) for name, says in MEASURES.items()
    ]
    lines.append("")
    lines += [f"{'kept' if each.kept else 'BROKEN':<7} {each.name}: {each.found}" for each in lived.promises]
    return "\n".join(lines)


def main() -> int:
    """Lives, reports, judges."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--days", type=int, default=28, help="at least 28: digests nobody saw stay for a week"
    )
    parser.add_argument("--encoder", action="store_true", help="the real one")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.days < 28:
        parser.error("sizes are compared from the end of the first quarter on: take 28 days or more")
    found = lived(asked.days, encoder=asked.encoder)
    sys.stdout.write((json.dumps(report(found), indent=1) if asked.json else said(found)) + "\n")
    return int(not all(promise.kept for promise in found.promises))


if __name__ == "__main__":
    sys.exit(main())
