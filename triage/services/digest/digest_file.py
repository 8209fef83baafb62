"""The current digest as one JSON file: the terminal's first frame, and all that `triage digest` needs.

Beside it lies which digest the reader looked at last, for the same reason apart from the database: imports
neither a database nor numbers, because that is what makes it fast.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from triage.core.items import Digest


def write(path: Path, digest: Digest) -> None:
    """Replaces the file atomically: a reader sees the old digest or the new one, never a part.

    The caller holds the database's write lock, so nobody else writes.
    """
    partial = path.with_name(f"{path.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(digest.to_json()))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def looked(path: Path, digest: Digest, now: datetime) -> None:
    """Notes that the reader has a digest in front of them; `path` is `Paths.seen`."""
    path.write_text(f"{digest.built_at.isoformat()} {now.isoformat()}\n", encoding="ascii")


def last_look(path: Path) -> tuple[datetime, datetime] | None:
    """When the digest was built that the reader looked at last, and when they did; None if not known."""
    try:
        built_at, at = map(datetime.fromisoformat, path.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return (built_at, at) if built_at.tzinfo is not None and at.tzinfo is not None else None


class _Head(msgspec.Struct):
    schema_version: Literal[1]


def read(path: Path) -> Digest | None:
    """The digest as last written; None if there is none, or only one of another version of the program.

    The file is a copy of what the database has, so one that cannot be read is simply built anew.
    """
    try:
        document = path.read_bytes()
        msgspec.json.decode(document, type=_Head)
        digest = msgspec.json.decode(document, type=Digest)
    except (OSError, ValueError, RecursionError):
        return None
    return digest if digest.built_at.tzinfo is not None else None
