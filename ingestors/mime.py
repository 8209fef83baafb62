"""Raw mails to entries: batches for the parser children, stories of newsletters, replies to the reader.

Owns what every mail ingestor does after it has a mail's bytes and before it answers; where they lie
(a file, a server) is not known here, and what is inside is read by `ingestors.parsers.mail` in a child.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestors.base import Entry, JsonValue, Refusal
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import EntryDict, content_key, to_entry, unique_entries

PARSER = "ingestors.parsers.mail:parse_mails"

MAX_MAIL = 2 * 2**20
"""Bytes of one mail that are read. Text comes before attachments, so what is cut off is attachments."""
MAX_OWN = 10_000
"""Mails of the reader's own that are remembered, to know an answer to one."""

_BATCH_MAILS = 50
_BATCH_BYTES = 2**20

_SUBJECT = re.compile(rb"(?im)^subject:[ \t]*([^\r\n]{1,200})")
_SENDER = re.compile(rb"(?im)^from:[ \t]*([^\r\n]{1,200})")

_MARK_BYTES = 6
_MARK = 8
"""Characters of a mark: base64 of its bytes."""


class Marks:
    """An ordered set of short hashes that fits into a cursor; where it is full, the oldest leave.

    48 bits: among 50,000 of them a stranger is taken for known once in 5e9 times.

    Args:
        stored: What `dump` gave, or anything else for an empty set.
        most: How many are kept.
    """

    def __init__(self, stored: JsonValue, most: int) -> None:
        text = stored if isinstance(stored, str) else ""
        self._marks = dict.fromkeys(text[at : at + _MARK] for at in range(0, len(text), _MARK))
        self._most = most

    def __contains__(self, value: bytes) -> bool:
        """Whether it was added."""
        return _mark(value) in self._marks

    def add(self, value: bytes) -> None:
        """Remembers a value as the newest."""
        self._marks[_mark(value)] = None

    def dump(self) -> str:
        """The newest of them as one string."""
        return "".join(list(self._marks)[-self._most :])


def _mark(value: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.blake2b(value, digest_size=_MARK_BYTES).digest()).decode()


@dataclass(slots=True)
class ParsedMails:
    """What mails came to. `own` are Message-IDs of mails that the reader wrote."""

    entries: list[EntryDict] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    def finish(self, own: Marks) -> tuple[Entry, ...]:
        """The entries, with those marked that answer a mail of the reader.

        Which mails those are is known by their ids, from the ones that were read and from the folder of
        sent mail. What a mail quotes is no evidence: anybody can write "you wrote".

        Args:
            own: Message-IDs of the reader's mails so far; learns the new ones.
        """
        for message_id in self.own:
            own.add(message_id.encode())
        for entry in self.entries:
            names = entry["identifiers"]
            message_id = names.get("message-id", "")
            answered = {names.get("in-reply-to"), names.get("thread"), *names.get("references", "").split()}
            answered -= {None, message_id}
            if message_id.encode() not in own and any(str(name).encode() in own for name in answered):
                entry["flags"] = sorted({*entry["flags"], "reply-to-me"})
        return tuple(to_entry(entry) for entry in self.entries)


async def parse_mails(
    raw: Sequence[bytes], where: Sequence[str], parsers: ParserPool, addresses: Sequence[str] = ()
) -> ParsedMails:
    """Parses mails in batches; a mail that ends a parser process costs nobody else anything.

    Args:
        raw: The mails.
        where: A place to name for each, such as a file name, in case it names itself by nothing.
        parsers: The pool to use.
        addresses: The reader's own, in lower case.

    Returns:
        Each mail once, followed by the stories in it if it is a newsletter.
    """
    batches: list[list[int]] = [[]]
    size = 0
    for index, mail in enumerate(raw):
        if batches[-1] and (len(batches[-1]) >= _BATCH_MAILS or size + len(mail) > _BATCH_BYTES):
            batches.append([])
            size = 0
        batches[-1].append(index)
        size += len(mail)
    task = _Task(raw, where, parsers, list(addresses))
    parts = await asyncio.gather(*(task.batch(batch) for batch in batches if batch))
    mails = [mail for part in parts for mail in part.mails]
    # Keys first: two mails that share a Message-ID get keys of their own, which their stories take up.
    stories = {id(mail["entry"]): mail["stories"] for mail in mails}
    entries: list[EntryDict] = []
    for entry in unique_entries([mail["entry"] for mail in mails], first_keeps=True):
        entries.append(entry)
        for story in stories[id(entry)]:
            story["parent"] = entry["key"]
            story["key"] = content_key(entry["key"], story["key"])
            entries.append(story)
    own = [mail["entry"]["identifiers"].get("message-id", "") for mail in mails if mail["own"]]
    return ParsedMails(entries, [r for part in parts for r in part.refusals], [name for name in own if name])


@dataclass(slots=True)
class _Part:
    mails: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Task:
    raw: Sequence[bytes]
    where: Sequence[str]
    parsers: ParserPool
    addresses: list[JsonValue]

    async def batch(self, batch: list[int]) -> _Part:
        body = b"".join(self.raw[index] for index in batch)
        sizes: list[JsonValue] = [len(self.raw[index]) for index in batch]
        try:
            answer = await self.parsers.parse(PARSER, body, sizes=sizes, addresses=self.addresses)
        except ParseRefused as refused:
            if len(batch) == 1:
                return await self.headers(batch[0], refused.reason)
            # Halving finds the guilty mail of fifty in six steps; all others are read on the way.
            middle = len(batch) // 2
            first = await self.batch(batch[:middle])
            second = await self.batch(batch[middle:])
            return _Part(first.mails + second.mails, first.refusals + second.refusals)
        part = _Part(answer["mails"])
        for index, mail in zip(batch, part.mails, strict=True):
            if mail["problem"]:
                part.refusals.append(self.body_refusal(index, mail["problem"]))
        return part

    async def headers(self, index: int, reason: str) -> _Part:
        """A mail whose body ended the parser: its headers alone are mostly harmless."""
        raw = self.raw[index]
        try:
            answer = await self.parsers.parse(
                PARSER, raw, sizes=[len(raw)], addresses=self.addresses, headers_only=True
            )
        except ParseRefused:
            return _Part([], [Refusal(mail_name(raw, self.where[index]), reason)])
        return _Part(answer["mails"], [self.body_refusal(index, reason)])

    def body_refusal(self, index: int, reason: str) -> Refusal:
        name = mail_name(self.raw[index], self.where[index])
        return Refusal(name, f"only its headers were read: {reason}")


def mail_name(raw: bytes, where: str) -> str:
    """A name for a mail that no parser has touched: ASCII of its subject and sender, and its place."""
    head = raw[:65_536]
    found = [match.group(1) for pattern in (_SUBJECT, _SENDER) if (match := pattern.search(head))]
    words = [re.sub(rb"[^ -~]+", b"?", value).decode("ascii").strip()[:80] for value in found]
    return f"{', '.join(word for word in words if word)} ({where})" if any(words) else where


def own_addresses(options: Mapping[str, JsonValue], login: str = "") -> list[str]:
    """The reader's addresses, in lower case: the option `addresses`, and the name of a login if it is one."""
    found = options.get("addresses")
    named: Iterable[JsonValue] = found if isinstance(found, list) else ()
    texts = [name.strip().lower() for name in (*named, login) if isinstance(name, str)]
    return list(dict.fromkeys(text for text in texts if "@" in text))
