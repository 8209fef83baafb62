"""BibTeX and RIS files: as a source that is read again when it changed, and at once for other uses.

Cursor: `size` and `mtime_ns` of the file as it was read; while there is more, `read`, the number of entries
read so far.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ingestors.base import Claim, Entry, FetchError, FetchRequest, FetchResult, Kind, Refusal
from ingestors.files import FileState, existing_file, read_changed
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.bibliography:parse_bibliography"
MAX_FILE = 16 * 2**20

_ENDINGS = (".bib", ".bibtex", ".ris")


class BibliographyIngestor:
    """Reads one file per source, in portions."""

    name = "bibliography"
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """Paths of existing .bib and .ris files."""
        path = existing_file(target, _ENDINGS)
        return None if path is None else Claim(self.name, self.kind, str(path), path.name)

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads the next portion of the file, if it changed."""
        read = request.cursor.get("read")
        file = await asyncio.to_thread(read_changed, request, MAX_FILE, anyway=read is not None)
        if not isinstance(file, FileState):
            return file
        same = all(request.cursor.get(name) == value for name, value in file.stamp.items())
        start = read if isinstance(read, int) and same else 0
        try:
            parsed = await tools.parsers.parse(PARSER, file.body, start=start)
        except ParseRefused as refused:
            error = FetchError("parse", f"the file was refused: {refused.reason}")
            return FetchResult(cursor=request.cursor, error=error)
        end = start + parsed["count"]
        more = end < parsed["total"]
        return FetchResult(
            entries=tuple(to_entry(entry) for entry in parsed["entries"]),
            refusals=tuple(to_refusal(refusal) for refusal in parsed["refusals"]),
            cursor={**file.stamp, "read": end} if more else file.stamp,
            more=more,
        )


async def read_bibliography(body: bytes, parsers: ParserPool) -> tuple[list[Entry], list[Refusal]]:
    """Everything in a BibTeX or RIS file.

    Raises:
        ParseRefused: It is neither, or cannot be parsed.
    """
    entries: list[Entry] = []
    refusals: list[Refusal] = []
    start, total = 0, 1
    while start < total:
        parsed: dict[str, Any] = await parsers.parse(PARSER, body, start=start)
        entries += map(to_entry, parsed["entries"])
        refusals += map(to_refusal, parsed["refusals"])
        start, total = start + max(parsed["count"], 1), parsed["total"]
    return entries, refusals
