"""Points at which the program dies if it is told to, so that tests can show what survives.

`TRIAGE_CRASH_AT=label:n` has a process end by SIGKILL when it passes the point `label` for the n-th time; a
label alone means the first time. Without the variable a point costs one look at a number. Owns the labels.
"""

from __future__ import annotations

import os
import signal
from typing import Final

VARIABLE = "TRIAGE_CRASH_AT"

LABELS: Final = {
    "ingest:fetched": "a source has answered, nothing is written",
    "ingest:written": "its items are in the transaction, which is not committed",
    "ingest:committed": "they are stored",
    "vectors:appended": "vectors are in their file, the database knows nothing of them",
    "index:written": "passages and vectors are in the transaction",
    "index:committed": "a batch is indexed",
    "stories:written": "the stories of a batch are in the transaction",
    "digest:written": "the digest is in the transaction, its file is the old one",
    "digest:filed": "its file is the new one, the transaction is not committed",
    "event:queued": "a key was pressed, its mark is not stored and not shown as such",
    "event:written": "what the reader said is in the transaction",
    "event:committed": "it is stored, the screen does not say so yet",
    "learn:begun": "the screen says so, nothing is learned from it",
    "learn:promoted": "a model is written, the old one still ranks",
    "backup:copied": "a copy is complete under its temporary name",
    "restore:aside": "the old database is put aside",
    "migrate:step": "a step of an upgrade is done, not committed",
    "retention:written": "a portion of texts is dropped in the transaction",
}
"""Label -> where a process is then, in the order in which an item passes."""

_label, _, _times = os.environ.get(VARIABLE, "").rpartition(":")
if not _times.isdigit():
    _label, _times = os.environ.get(VARIABLE, ""), "1"
_left = int(_times)


def crash_point(label: str) -> None:
    """Ends the process here, as a loss of power would, if that was asked for."""
    global _left
    if label != _label:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
