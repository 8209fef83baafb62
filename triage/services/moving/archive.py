"""The lines of an export: what each kind of them holds, how they are written, and how they are checked.

Owns the form that docs/export.md describes, and the limits of what comes in. Knows no database: what a line
means for this one is decided in `triage.services.moving.merging`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ingestors.files import open_regular
from triage.core.errors import UsageError
from triage.core.rules import Hard
from triage.core.verbs import Verb
from triage.services.fetching.translate import MAX_LINKS, MAX_PEOPLE, MAX_TAGS, MAX_TEXT, MAX_TITLE, MAX_URL

VERSION = 1
HEAD = b'{"kind":"triage-export"'
"""How every export begins; nothing else that can be imported does."""
HEAD_BYTES = 64
"""Enough of a file to tell."""
MAX_FILE = 512 * 2**20
MAX_LINE = 8 * 2**20
MAX_LINES = 500_000

Moment = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
"""See `triage.core.portable`."""
Short = Annotated[str, Meta(max_length=512)]
Long = Annotated[str, Meta(max_length=MAX_URL)]
Body = Annotated[str, Meta(max_length=MAX_TEXT)]
Number = Annotated[float, Meta(ge=-1000, le=1000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Kind = Literal["feed", "mail", "paper"]
Payload = Annotated[bytes, Meta(max_length=MAX_LINE)]
Lines = Annotated[list[Short], Meta(max_length=max(MAX_PEOPLE, MAX_TAGS))]


class _Line(msgspec.Struct, tag_field="kind", forbid_unknown_fields=True, omit_defaults=True):
    """An unknown field is an error: what is in a file is taken in, or somebody is told."""


class Header(_Line, tag="triage-export", kw_only=True):
    """The first line."""

    version: int
    written: Moment
    holds: str


class SourceLine(_Line, tag="source", kw_only=True):
    """A source; `subscribed` is False for one that only has items here."""

    ingestor: Annotated[str, Meta(min_length=1, max_length=64)]
    type: Kind
    target: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    title: Short
    tags: Lines = []
    settings: dict[Short, Any] = {}
    paused: Short | None = None
    subscribed: bool = True


class FullTextLine(_Line, tag="full-text", kw_only=True):
    """Of an item whose text was found behind its link: what the source served, and where it was found."""

    served: Body
    url: Long | None = None


class ItemLine(_Line, tag="item", kw_only=True):
    """A document with its text; `ingestor` and `target` are those of a source line before it."""

    name: Name
    ingestor: Short
    target: Long
    key: Annotated[str, Meta(max_length=MAX_TEXT)]
    type: Kind
    title: Annotated[str, Meta(max_length=MAX_TITLE)]
    text: Body = ""
    url: Long | None = None
    people: Lines = []
    tags: Lines = []
    identifiers: dict[Short, Long] = {}
    links: Annotated[list[tuple[Long, Long]], Meta(max_length=MAX_LINKS)] = []
    personal: bool = False
    flags: Lines = []
    parent: Name | None = None
    published: Moment | None = None
    first_seen: Moment
    full_text: FullTextLine | None = None


class ShownLine(_Line, tag="shown", kw_only=True):
    """What was on the screen when an item was marked."""

    rank: Count | None = None
    score: float | None = None
    p: Annotated[float, Meta(ge=0, le=1)] | None = None
    lane: Short | None = None
    propensity: Annotated[float, Meta(ge=0, le=1)] | None = None


class EffectLine(_Line, tag="effect", kw_only=True):
    """See `triage.core.journal.Effect`."""

    moved: Count
    size: Count
    together: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class EventLine(_Line, tag="event", kw_only=True):
    """One line of the log; `item` and `undoes` name lines before it."""

    name: Name
    stamp: Moment
    at: Moment
    verb: Verb
    item: Name | None = None
    undoes: Name | None = None
    phrase: Annotated[str, Meta(max_length=10_000)] | None = None
    weight: Number | None = None
    standing: Number | None = None
    model: Annotated[str, Meta(max_length=256)] | None = None
    until: Moment | None = None
    scope: Short | None = None
    step: Name | None = None
    shown: ShownLine | None = None
    effect: EffectLine | None = None


class InterestLine(_Line, tag="interest", kw_only=True):
    """An interest as it holds."""

    phrase: Annotated[str, Meta(min_length=1, max_length=200)]
    weight: Annotated[float, Meta(ge=-10, le=10)]
    profile: Short | None = None
    until: Moment | None = None


class RuleLine(_Line, tag="rule", kw_only=True):
    """A rule as it holds."""

    condition: Annotated[str, Meta(min_length=1, max_length=2000)]
    effect: Number | Hard
    until: Moment | None = None


class AliasLine(_Line, tag="alias", kw_only=True):
    """Two forms of one name, as `triage.core.rules.write_alias` writes them."""

    phrase: Annotated[str, Meta(min_length=1, max_length=500)]


class ModelLine(_Line, tag="model", kw_only=True):
    """A version that `triage learn` has found: its two files, each in base64."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    current: bool
    document: Payload
    tensors: Payload


Line = Header | SourceLine | ItemLine | EventLine | InterestLine | RuleLine | AliasLine | ModelLine

_DECODER = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """One line with its end."""
    return msgspec.json.encode(line) + b"\n"


def begins(head: bytes) -> bool:
    """Whether a file that begins like this is an export, or was meant as one."""
    return head.removeprefix(b"\xef\xbb\xbf").replace(b" ", b"").startswith(HEAD)


def is_export(path: Path) -> bool:
    """Whether a file begins like an export; False for what cannot be read."""
    try:
        with open_regular(path) as file:
            return begins(file.read(HEAD_BYTES))
    except OSError:
        return False


def read_file(path: Path) -> bytes:
    """An export from disk.

    Raises:
        UsageError: It cannot be read, or is larger than exports are.
    """
    try:
        with open_regular(path) as file:
            return file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def decode(body: bytes, name: str) -> Iterator[tuple[int, Line]]:
    """The lines after the header, each with its number; empty lines are skipped.

    Args:
        body: The file.
        name: Of the file, for errors.

    Raises:
        UsageError: A line is none of those that there are; the message says which line and what is wrong.
    """
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(lines) > MAX_LINES:
        raise UsageError(f"{name} has {len(lines)} lines; {MAX_LINES} at most are read")
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if len(text) > MAX_LINE:
            raise wrong(name, number, f"longer than {MAX_LINE // 2**20} MiB")
        try:
            line = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise wrong(name, number, str(error)) from error
        if (number == 1) is not isinstance(line, Header):
            raise wrong(name, number, "the header stands in the first line, and nowhere else")
        if isinstance(line, Header):
            if line.version != VERSION:
                fix = "upgrade triage" if line.version > VERSION else "export it anew"
                raise UsageError(
                    f"{name} is of version {line.version}, this program reads {VERSION}", fix=fix
                )
        else:
            yield number, line


def wrong(name: str, number: int, why: str) -> UsageError:
    """What to raise about a line: nothing of the file was taken."""
    return UsageError(
        f"{name}, line {number}: {why}; nothing was imported", fix="docs/export.md has the form"
    )


def portable_settings(
    options: Mapping[str, Any], portable: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """The settings of a source that may leave this machine, and the names of those that may not."""
    kept = {name: value for name, value in options.items() if name in portable and value is not None}
    return kept, sorted(name for name in options if name not in portable)
