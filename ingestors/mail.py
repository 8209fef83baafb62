"""Local mail: mbox files and Maildir folders, read and never changed.

Owns finding, splitting and remembering mails; what is inside one is the matter of `ingestors.mime`.
One fetch takes a bounded number of mails; where more are left, its `more` is set and the next fetch
goes on from there.

Cursor of an mbox: `size`, `mtime_ns`, and `offset` of its last mail with fingerprints of the bytes
before it. The last mail is read again when the file changes, because it may have been half written.
Cursor of a Maildir: `seen`, short hashes of the file names without their flags. Both: `own`, marks of the
Message-IDs of mails that the reader wrote.

Options: `addresses`, the reader's own; for a Maildir also `folders`, see `MaildirIngestor`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, JsonValue, Kind, Refusal
from ingestors.files import NotRegularError, open_regular
from ingestors.mime import MAX_MAIL, MAX_OWN, Marks, own_addresses, parse_mails
from ingestors.sandbox import ParserPool

if TYPE_CHECKING:
    from ingestors.base import Tools

_Reader = Callable[[Path, FetchRequest], "_Mails"]

MAX_MAILS = 5_000
MAX_BYTES = 64 * 2**20
"""What one fetch takes in at most."""

# The line between two mails, `From sender date`, stands after a blank line. The date tells it from a
# sentence that begins with "From".
_FROM_LINE = re.compile(rb"From [^\n]*\d{1,2}:\d{2}(?::\d{2})?\b[^\n]*\d{4}")
_FROM_LINE_BYTES = 512
"""The part of a line that the pattern is tried on: 64 KB of times of day would cost it half a minute."""
_HEAD_END = re.compile(rb"\n\r?\n")
_QUOTED_FROM = re.compile(rb">+From ")


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
    """Reads one Maildir folder per source, or those of its subfolders that the option `folders` names.

    The option is a list of names as a mail program shows them (`Lists/python` is the directory
    `.Lists.python`); `INBOX` is the folder itself, and `*` stands for all. A subfolder that is a link is
    not read: it could lead anywhere.
    """

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


async def _fetch(read: _Reader, request: FetchRequest, parsers: ParserPool) -> FetchResult:
    path = Path(request.target)
    try:
        mails = await asyncio.to_thread(read, path, request)
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
        parsed = await parse_mails(mails.raw, mails.where, parsers, own_addresses(request.options))
        own = Marks(request.cursor.get("own"), MAX_OWN)
        return FetchResult(
            entries=parsed.finish(own),
            refusals=(*mails.refusals, *parsed.refusals),
            cursor={**mails.cursor, "own": own.dump()},
            more=mails.more,
        )
    return FetchResult(cursor=request.cursor, error=error)


class NotMailError(Exception):
    """A file that was named as a mailbox is something else."""


# ---------------------------------------------------------------- mbox


def _read_mbox(path: Path, request: FetchRequest) -> _Mails:
    cursor = request.cursor
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


def _read_maildir(path: Path, request: FetchRequest) -> _Mails:
    known = request.cursor.get("seen")
    seen = set(known) if isinstance(known, list) else set()
    mails = _Mails()
    names: dict[str, Path] = {}
    for folder in _folders(path, request.options.get("folders"), mails.refusals):
        for part in ("new", "cur"):
            for item in os.scandir(folder / part):
                if not item.name.startswith("."):
                    names[_name_hash(item.name, folder.name if folder != path else "")] = Path(item.path)
    fresh = [(mark, names[mark]) for mark in names if mark not in seen]
    # File names begin with the second of their delivery.
    fresh.sort(key=lambda pair: pair[1].name, reverse=True)
    mails.unchanged = not fresh and not mails.refusals
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
            mails.refusals.append(Refusal(_printable(file.name), reason))
            taken.add(mark)
            continue
        taken.add(mark)
        if raw.strip():
            mails.add(raw, f"file {_printable(file.name)}")
        else:
            mails.refusals.append(Refusal(_printable(file.name), "it is empty"))
    # What is gone from the folder need not be remembered.
    mails.cursor = {
        **request.cursor,
        "seen": [*sorted(mark for mark in names if mark in seen or mark in taken)],
    }
    return mails


def _folders(path: Path, wanted: JsonValue, refusals: list[Refusal]) -> list[Path]:
    """The folder itself and its subfolders, as far as they are wanted. One that is missing is a refusal."""
    if not isinstance(wanted, list) or not wanted:
        return [path]
    found = {item.name: Path(item.path) for item in os.scandir(path) if _is_subfolder(item)}
    if "*" in wanted:
        return [path, *(found[name] for name in sorted(found))]
    folders: list[Path] = []
    for name in dict.fromkeys(str(name) for name in wanted):
        subfolder = found.get("." + name.replace("/", ".").lstrip("."))
        if name.upper() == "INBOX":
            folders.append(path)
        elif subfolder is not None:
            folders.append(subfolder)
        else:
            refusals.append(Refusal(_printable(name), f"{path} has no such subfolder"))
    return folders


def _is_subfolder(item: os.DirEntry[str]) -> bool:
    folder = Path(item.path)
    return (
        item.name.startswith(".")
        and item.is_dir(follow_symlinks=False)
        and all((folder / part).is_dir() and not (folder / part).is_symlink() for part in ("new", "cur"))
    )


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


def _name_hash(name: str, folder: str) -> str:
    """The unique part of a Maildir name, without its flags, and its subfolder, as a short hash."""
    unique = os.fsencode(name.partition(":")[0]) + (b"\0" + os.fsencode(folder) if folder else b"")
    return hashlib.blake2b(unique, digest_size=8).hexdigest()


def _printable(name: str) -> str:
    return re.sub(r"[^ -~]+", "?", name)[:80]


def _path(text: str) -> Path | None:
    """An absolute path, or None for what no file system would take."""
    text = text.strip()
    if not text or "\0" in text or "://" in text:
        return None
    try:
        return Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100  keeps symbolic links
    except (RuntimeError, OSError, ValueError):
        return None
