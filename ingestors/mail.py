"""Local mail: mbox files and Maildir folders, read and never changed.

Owns finding, splitting and remembering mails; what is inside one is read in a parser child
(`ingestors.parsers.mail`). One fetch takes a bounded number of mails; where more are left, its
`more` is set and the next fetch goes on from there.

Cursor of an mbox: `size`, `mtime_ns`, and `offset` of its last mail with fingerprints of the bytes
before it. The last mail is read again when the file changes, because it may have been half written.
Cursor of a Maildir: `seen`, short hashes of the file names without their flags.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingestors.base import (
    Claim,
    Entry,
    FetchError,
    FetchRequest,
    FetchResult,
    JsonValue,
    Kind,
    Refusal,
)
from ingestors.files import NotRegularError, open_regular
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import EntryDict, to_entry, unique_entries

if TYPE_CHECKING:
    from ingestors.base import Tools

_Reader = Callable[[Path, Mapping[str, JsonValue]], "_Mails"]

PARSER = "ingestors.parsers.mail:parse_mails"

MAX_MAIL = 2 * 2**20
"""Bytes of one mail that are read. Text comes before attachments, so what is cut off is attachments."""
MAX_MAILS = 5_000
MAX_BYTES = 64 * 2**20
"""What one fetch takes in at most."""

_BATCH_MAILS = 50
_BATCH_BYTES = 2**20

# The line between two mails, `From sender date`, stands after a blank line. The date tells it from a
# sentence that begins with "From".
_FROM_LINE = re.compile(rb"From [^\n]*\d{1,2}:\d{2}(?::\d{2})?\b[^\n]*\d{4}")
_FROM_LINE_BYTES = 512
"""The part of a line that the pattern is tried on: 64 KB of times of day would cost it half a minute."""
_HEAD_END = re.compile(rb"\n\r?\n")
_QUOTED_FROM = re.compile(rb">+From ")
_SUBJECT = re.compile(rb"(?im)^subject:[ \t]*([^\r\n]{1,200})")
_SENDER = re.compile(rb"(?im)^from:[ \t]*([^\r\n]{1,200})")


@dataclass(slots=True)
class _Mails:
    """Raw mails as found on disk, and where to go on."""

    raw: list[bytes] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    cursor: dict[str, JsonValue] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    unchanged: bool = False
    more: bool = False
    size: int = 0

    def add(self, raw: bytes, where: str) -> None:
        self.raw.append(raw)
        self.where.append(where)
        self.size += len(raw)

    @property
    def full(self) -> bool:
        return len(self.raw) >= MAX_MAILS or self.size >= MAX_BYTES


class MboxIngestor:
    """Reads one mbox file per source."""

    name = "mbox"
    kind: Kind = "mail"

    def claim(self, target: str) -> Claim | None:
        """`mbox:PATH`, or the path of a file that begins like an mbox."""
        named = target.startswith("mbox:")
        path = _path(target.removeprefix("mbox:"))
        if path is None:
            return None
        try:
            if not named:
                with open_regular(path) as file:
                    if not _begins_like_mbox(file):
                        return None
        except OSError:
            return None
        return Claim(self.name, self.kind, str(path), path.stem)

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads the mails that were appended; all of them if the file was rewritten."""
        return await _fetch(_read_mbox, request, tools.parsers)


class MaildirIngestor:
    """Reads one Maildir folder per source, without its subfolders."""

    name = "maildir"
    kind: Kind = "mail"

    def claim(self, target: str) -> Claim | None:
        """`maildir:PATH`, or the path of a folder with `new` and `cur` in it."""
        named = target.startswith("maildir:")
        path = _path(target.removeprefix("maildir:"))
        if path is None:
            return None
        try:
            if not named and not ((path / "new").is_dir() and (path / "cur").is_dir()):
                return None
        except OSError:
            return None
        return Claim(self.name, self.kind, str(path), path.name.lstrip(".") or str(path))

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads the mails whose files were not there before, the newest first."""
        return await _fetch(_read_maildir, request, tools.parsers)


async def parse_mails(raw: Sequence[bytes], where: Sequence[str], parsers: ParserPool) -> _Parsed:
    """Parses mails in batches; a mail that ends a parser process costs nobody else anything.

    Args:
        raw: The mails.
        where: A place to name for each, such as a file name, in case it names itself by nothing.
        parsers: The pool to use.
    """
    batches: list[list[int]] = [[]]
    size = 0
    for index, mail in enumerate(raw):
        if batches[-1] and (len(batches[-1]) >= _BATCH_MAILS or size + len(mail) > _BATCH_BYTES):
            batches.append([])
            size = 0
        batches[-1].append(index)
        size += len(mail)
    parts = await asyncio.gather(*(_parse_batch(batch, raw, where, parsers) for batch in batches if batch))
    entries = unique_entries([e for part in parts for e in part.entries], first_keeps=True)
    return _Parsed(entries, [r for part in parts for r in part.refusals])


@dataclass(slots=True)
class _Parsed:
    entries: list[EntryDict] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


async def _parse_batch(
    batch: list[int], raw: Sequence[bytes], where: Sequence[str], parsers: ParserPool
) -> _Parsed:
    body = b"".join(raw[index] for index in batch)
    sizes: list[JsonValue] = [len(raw[index]) for index in batch]
    try:
        answer = await parsers.parse(PARSER, body, sizes=sizes)
    except ParseRefused as refused:
        if len(batch) == 1:
            return await _parse_headers(batch[0], raw, where, parsers, refused.reason)
        # Halving finds the guilty mail of fifty in six steps; all others are read on the way.
        middle = len(batch) // 2
        first = await _parse_batch(batch[:middle], raw, where, parsers)
        second = await _parse_batch(batch[middle:], raw, where, parsers)
        return _Parsed(first.entries + second.entries, first.refusals + second.refusals)
    parsed = _Parsed()
    for index, mail in zip(batch, answer["mails"], strict=True):
        parsed.entries.append(mail["entry"])
        if mail["problem"]:
            parsed.refusals.append(_body_refusal(raw[index], where[index], mail["problem"]))
    return parsed


async def _parse_headers(
    index: int, raw: Sequence[bytes], where: Sequence[str], parsers: ParserPool, reason: str
) -> _Parsed:
    """A mail whose body ended the parser: its headers alone are mostly harmless."""
    try:
        answer = await parsers.parse(PARSER, raw[index], sizes=[len(raw[index])], headers_only=True)
    except ParseRefused:
        return _Parsed([], [Refusal(mail_name(raw[index], where[index]), reason)])
    refusal = _body_refusal(raw[index], where[index], reason)
    return _Parsed([mail["entry"] for mail in answer["mails"]], [refusal])


def _body_refusal(raw: bytes, where: str, reason: str) -> Refusal:
    return Refusal(mail_name(raw, where), f"only its headers were read: {reason}")


def mail_name(raw: bytes, where: str) -> str:
    """A name for a mail that no parser has touched: ASCII of its subject and sender, and its place."""
    head = raw[:65_536]
    found = [match.group(1) for pattern in (_SUBJECT, _SENDER) if (match := pattern.search(head))]
    words = [re.sub(rb"[^ -~]+", b"?", value).decode("ascii").strip()[:80] for value in found]
    return f"{', '.join(word for word in words if word)} ({where})" if any(words) else where


async def _fetch(read: _Reader, request: FetchRequest, parsers: ParserPool) -> FetchResult:
    path = Path(request.target)
    try:
        mails = await asyncio.to_thread(read, path, request.cursor)
    except FileNotFoundError:
        error = FetchError("not-found", f"there is no {path}")
    except PermissionError:
        error = FetchError("denied", f"{path} may not be read")
    except (NotADirectoryError, IsADirectoryError):
        error = FetchError("usage", f"{path} is not a mail folder of this kind")
    except OSError as problem:
        error = FetchError("denied", f"{path} cannot be read: {problem.strerror}")
    except NotMailError as problem:
        error = FetchError("parse", str(problem))
    else:
        if mails.unchanged:
            return FetchResult(cursor=mails.cursor, not_modified=True)
        parsed = await parse_mails(mails.raw, mails.where, parsers)
        return FetchResult(
            entries=_entries(parsed.entries),
            refusals=(*mails.refusals, *parsed.refusals),
            cursor=mails.cursor,
            more=mails.more,
        )
    return FetchResult(cursor=request.cursor, error=error)


class NotMailError(Exception):
    """A file that was named as a mailbox is something else."""


def _entries(data: list[EntryDict]) -> tuple[Entry, ...]:
    return tuple(to_entry(entry) for entry in data)


# ---------------------------------------------------------------- mbox


def _read_mbox(path: Path, cursor: Mapping[str, JsonValue]) -> _Mails:
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        now: dict[str, JsonValue] = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
        more = bool(cursor.get("more"))
        if not more and all(cursor.get(name) == value for name, value in now.items()):
            return _Mails(cursor=dict(cursor), unchanged=True)
        if status.st_size and not _begins_like_mbox(file):
            raise NotMailError(f"{path} is not an mbox file: it does not begin with a 'From ' line")
        mails = _Mails()
        offset = start = _resume_at(file, cursor)
        for offset, raw in _split_mbox(file, start):
            if mails.full:
                mails.more = True
                break
            mails.add(raw, f"{path.name}, byte {offset}")
        mails.cursor = {**now, "more": mails.more, "offset": offset, **_fingerprints(file, offset)}
        return mails


def _resume_at(file: BinaryIO, cursor: Mapping[str, JsonValue]) -> int:
    """The offset of the cursor if the file still has the same bytes before it, else 0."""
    offset = cursor.get("offset")
    if not isinstance(offset, int) or offset < 0:
        return 0
    found = _fingerprints(file, offset)
    return offset if all(cursor.get(name) == value for name, value in found.items()) else 0


def _fingerprints(file: BinaryIO, offset: int) -> dict[str, JsonValue]:
    """Hashes of the first KB of the file and of the last KB before `offset`."""
    prints: dict[str, JsonValue] = {}
    for name, start in (("head", 0), ("tail", max(offset - 1024, 0))):
        file.seek(start)
        data = file.read(min(1024, offset))
        prints[name] = hashlib.sha256(data).hexdigest()[:16] if len(data) == min(1024, offset) else ""
    return prints


def _split_mbox(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """The mails from `start` on, each with the offset of its `From ` line."""
    file.seek(start)
    at, begun = start, -1
    lines: list[bytes] = []
    size = 0
    after_blank = line_start = True
    while line := file.readline(65_536):
        if line_start and after_blank and _FROM_LINE.match(line, 0, _FROM_LINE_BYTES):
            if begun >= 0:
                yield begun, b"".join(lines)
            begun, lines, size = at, [], 0
        elif size < MAX_MAIL:
            lines.append(line[1:] if line_start and _QUOTED_FROM.match(line) else line)
            size += len(line)
        if line_start:
            after_blank = line in (b"\n", b"\r\n")
        line_start = line.endswith(b"\n")
        at += len(line)
    last = b"".join(lines)
    # Without the end of its head it is being written, and would pass for another mail when it is whole.
    if begun >= 0 and _HEAD_END.search(last):
        yield begun, last


def _begins_like_mbox(file: BinaryIO) -> bool:
    return bool(_FROM_LINE.match(file.read(1024).lstrip(), 0, _FROM_LINE_BYTES))


# ---------------------------------------------------------------- Maildir


def _read_maildir(path: Path, cursor: Mapping[str, JsonValue]) -> _Mails:
    known = cursor.get("seen")
    seen = set(known) if isinstance(known, list) else set()
    names: dict[str, Path] = {}
    for folder in ("new", "cur"):
        for item in os.scandir(path / folder):
            if not item.name.startswith("."):
                names[_name_hash(item.name)] = Path(item.path)
    fresh = [(mark, names[mark]) for mark in names if mark not in seen]
    # File names begin with the second of their delivery.
    fresh.sort(key=lambda pair: pair[1].name, reverse=True)
    mails = _Mails(unchanged=not fresh)
    taken: set[str] = set()
    for mark, file in fresh:
        if mails.full:
            mails.more = True
            break
        try:
            raw = _read_mail_file(file)
        except FileNotFoundError:
            continue  # renamed or removed since the listing; a renamed one is found next time
        except (OSError, NotMailError) as problem:
            reason = "it cannot be read"
            if isinstance(problem, NotMailError):
                reason = str(problem)
            elif isinstance(problem, NotRegularError):
                reason = str(problem.strerror)
            mails.refusals.append(Refusal(re.sub(r"[^ -~]+", "?", file.name)[:80], reason))
            taken.add(mark)
            continue
        taken.add(mark)
        if raw.strip():
            mails.add(raw, f"file {re.sub(r'[^ -~]+', '?', file.name)[:80]}")
        else:
            mails.refusals.append(Refusal(re.sub(r"[^ -~]+", "?", file.name)[:80], "it is empty"))
    # What is gone from the folder need not be remembered.
    mails.cursor = {"seen": [*sorted(mark for mark in names if mark in seen or mark in taken)]}
    return mails


def _read_mail_file(path: Path) -> bytes:
    try:
        with open_regular(path, follow=False) as file:
            return file.read(MAX_MAIL)
    except (FileNotFoundError, NotRegularError):
        raise
    except OSError as problem:
        if path.is_symlink():  # it could lead anywhere
            raise NotMailError("it is a link, which is not followed") from problem
        raise


def _name_hash(name: str) -> str:
    """The unique part of a Maildir name, without its flags, as a short hash."""
    return hashlib.blake2b(os.fsencode(name.partition(":")[0]), digest_size=8).hexdigest()


def _path(text: str) -> Path | None:
    """An absolute path, or None for what no file system would take."""
    text = text.strip()
    if not text or "\0" in text or "://" in text:
        return None
    try:
        return Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100  keeps symbolic links
    except (RuntimeError, OSError, ValueError):
        return None
