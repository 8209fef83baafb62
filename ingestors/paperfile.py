"""Answers of paper services that were saved to a file: arXiv, OpenAlex, Crossref, PubMed.

Cursor: `size` and `mtime_ns` of the file as it was read.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, Kind
from ingestors.files import FileState, existing_file, read_changed
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
        path = existing_file(target, _ENDINGS)
        return None if path is None else Claim(self.name, self.kind, str(path), path.name.partition(".")[0])

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads the file if it changed."""
        file = await asyncio.to_thread(read_changed, request, MAX_FILE)
        if not isinstance(file, FileState):
            return file
        try:
            parsed = await tools.parsers.parse(PARSER, file.body)
        except ParseRefused as refused:
            error = FetchError("parse", f"the file was refused: {refused.reason}")
            return FetchResult(cursor=request.cursor, error=error)
        return FetchResult(
            entries=tuple(to_entry(entry) for entry in parsed["entries"]),
            refusals=tuple(to_refusal(refusal) for refusal in parsed["refusals"]),
            cursor=file.stamp,
            title=f"{parsed['title']} ({Path(request.target).name})",
        )
