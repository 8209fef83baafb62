"""Documents that a reader liked before they came here: from a file to events that teach.

Owns the forms of such files and what becomes of them: items of a source that is never polled, and one event
an item. They teach as likes do, and never appear in a digest.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

from ingestors.base import Entry, FetchResult
from ingestors.bibliography import read_bibliography
from ingestors.files import open_regular
from ingestors.sandbox import ParseRefused, ParserPool
from triage.config import Clock
from triage.core import feedback, words
from triage.core.errors import UsageError
from triage.core.identity import digest, unambiguous
from triage.core.items import Recorded
from triage.core.text import sanitize_line
from triage.core.verbs import Verb
from triage.services.fetching import writing
from triage.services.fetching.translate import names_of, new_item
from triage.services.reader.feedback import MAX_PHRASE
from triage.store import feedback as event_log
from triage.store import identities, sources
from triage.store.engine import Database

SOURCE = "Liked elsewhere"
MAX_FILE = 16 * 2**20
MAX_DOCUMENTS = 1000
"""In one file. A fit takes time with the square of what teaches and more: .5 s with 2,000 labels."""
FORMS = "BibTeX (.bib), RIS (.ris), JSON lines of {title, text} (.jsonl) or plain text, a title a line (.txt)"


def import_liked(database: Database, clock: Clock, path: Path) -> Recorded:
    """Takes the documents of a file for liked; those that are here already are liked where they are.

    Args:
        database: Where they go.
        clock: The present.
        path: Of one of the `FORMS`.

    Raises:
        UsageError: The file cannot be read, or holds no documents, or too many.
    """
    entries, left_out = documents_of(path)
    now = clock()
    with database.write() as connection:
        source_id, _ = sources.add(
            connection,
            ingestor="bibliography",
            kind="paper",
            target=SOURCE,
            title=SOURCE,
            tags=[],
            allow_local=False,
            now=now,
        )
        sources.pause(connection, source_id, "its documents were handed in")
    writing.keep(database, clock, source_id, FetchResult(entries=tuple(entries)))
    documents = [new_item(entry, "paper", now) for entry in entries]
    found = unambiguous([names_of(document) for document in documents])
    name = sanitize_line(path.name, MAX_PHRASE)
    with database.write() as connection:
        sources.remove(connection, source_id, now)  # its items stay; there is nothing to poll or to list
        own = identities.lookup(connection, source_id, [n for each in found for n in each.own])
        shared = identities.lookup(connection, identities.SHARED, [n for each in found for n in each.shared])
        items = [
            next(
                (
                    at[name]
                    for at, names in ((own, each.own), (shared, each.shared))
                    for name in names
                    if name in at
                ),
                None,
            )
            for each in found
        ]
        ids = dict.fromkeys(item.id for item in items if item is not None)
        liked = feedback.labels(event_log.events(connection))
        new = [item_id for item_id in ids if item_id not in liked]
        event_id = event_log.last_id(connection)
        for item_id in new:
            event_id = event_log.append(connection, verb=Verb.KNOWN, at=now, item_id=item_id, phrase=name).id
    said = f"{words.plural(len(new), 'document')} of {name} liked"
    said += f", {len(ids) - len(new)} were marked before" if len(new) < len(ids) else ""
    said += f", {left_out} could not be read" if left_out else ""
    return Recorded(event_id, said)


def documents_of(path: Path) -> tuple[list[Entry], int]:
    """The documents of a file, each once, and how many of it cannot be used; stores nothing.

    Raises:
        UsageError: As for `import_liked`.
    """
    listed, left_out = _read(path)
    entries = list({entry.key: entry for entry in listed}.values())
    if not entries:
        raise UsageError(f"{path} holds no documents", fix=f"give a file of {FORMS}")
    if len(entries) > MAX_DOCUMENTS:
        raise UsageError(
            f"{path} holds {len(entries)} documents; {MAX_DOCUMENTS} at most can teach at once",
            fix="keep those that say best what you care about",
        )
    return entries, left_out


def _read(path: Path) -> tuple[list[Entry], int]:
    """The documents of a file, and how many of it cannot be used."""
    try:
        with open_regular(path) as file:
            body = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(body) > MAX_FILE:
        raise UsageError(f"{path} is larger than {MAX_FILE // 2**20} MiB")
    ending = path.suffix.lower()
    if ending in (".bib", ".bibtex", ".ris"):
        return _of_bibliography(path, body)
    if ending == ".jsonl":
        return _of_lines(path, body)
    if ending in (".txt", ""):
        titles = (line.strip() for line in body.decode("utf-8", "replace").splitlines())
        return [_entry(title, "") for title in dict.fromkeys(titles) if title], 0
    raise UsageError(f"{path.name} is of no form that can be read", fix=f"give a file of {FORMS}")


def _of_bibliography(path: Path, body: bytes) -> tuple[list[Entry], int]:
    async def parse() -> tuple[list[Entry], int]:
        async with aclosing(ParserPool(1)) as parsers:
            entries, refusals = await read_bibliography(body, parsers)
        return [entry for entry in entries if entry.title or entry.text], len(refusals)

    try:
        return asyncio.run(parse())
    except ParseRefused as refused:
        raise UsageError(f"{path} was refused: {refused.reason}") from refused


def _of_lines(path: Path, body: bytes) -> tuple[list[Entry], int]:
    entries, left_out = [], 0
    for line in body.decode("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            title, text = row.get("title") or "", row.get("text") or ""
        except (ValueError, AttributeError, RecursionError):
            title = text = None
        if not (isinstance(title, str) and isinstance(text, str) and (title.strip() or text.strip())):
            left_out += 1
            continue
        entries.append(_entry(title, text))
    if left_out and not entries:
        raise UsageError(f"{path}: no line is a JSON object with a title or a text")
    return entries, left_out


def _entry(title: str, text: str) -> Entry:
    return Entry(key=digest("liked", title, text).hex(), title=title, text=text)
