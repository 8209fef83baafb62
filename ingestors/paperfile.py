"""Answers of paper services that were saved to a file: arXiv, OpenAlex, Crossref, PubMed.

Cursor: `size` and `mtime_ns` of the file as it was read.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, JsonValue, Kind
from ingestors.files import open_regular
from ingestors.sandbox import ParseRefused
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.papers:parse_papers"
MAX_FILE = 32 * 2**20

_ENDINGS = (".xml", ".json", ".xml.gz", ".json.gz")


class PaperFileIngestor:
    """Reads one saved answer per source."""

    name = "paperfile"
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """Paths of existing XML and JSON files, packed or not."""
        if not target.lower().endswith(_ENDINGS) or "\0" in target or "://" in target:
            return None
        try:
            path = Path(os.path.abspath(Path(target).expanduser()))  # noqa: PTH100  keeps symbolic links
            if not path.is_file():
                return None
        except (OSError, RuntimeError, ValueError):
            return None
        return Claim(self.name, self.kind, str(path), path.name.partition(".")[0])

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads the file if it changed."""
        cursor = request.cursor
        try:
            body, now = await asyncio.to_thread(_read, Path(request.target))
        except FileNotFoundError:
            error = FetchError("not-found", f"there is no {request.target}")
            return FetchResult(cursor=cursor, error=error)
        except OSError as problem:
            error = FetchError("denied", f"{request.target} cannot be read: {problem.strerror}")
            return FetchResult(cursor=cursor, error=error)
        if now == cursor:
            return FetchResult(cursor=cursor, not_modified=True)
        if len(body) > MAX_FILE:
            error = FetchError("too-large", f"{request.target} is larger than {MAX_FILE // 2**20} MB")
            return FetchResult(cursor=cursor, error=error)
        try:
            parsed = await tools.parsers.parse(PARSER, body)
        except ParseRefused as refused:
            error = FetchError("parse", f"the file was refused: {refused.reason}")
            return FetchResult(cursor=cursor, error=error)
        return FetchResult(
            entries=tuple(to_entry(entry) for entry in parsed["entries"]),
            refusals=tuple(to_refusal(refusal) for refusal in parsed["refusals"]),
            cursor=now,
            title=f"{parsed['title']} ({Path(request.target).name})",
        )


def _read(path: Path) -> tuple[bytes, dict[str, JsonValue]]:
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        return file.read(MAX_FILE + 1), {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
