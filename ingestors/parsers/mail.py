"""Raw mails to entries. Several in one call, because starting a call costs more than reading a mail."""

from __future__ import annotations

import base64
import email
import email.message
import email.utils
import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from email.errors import MessageError
from typing import Any

import mailparser
from mailparser.exceptions import MailParserError

from ingestors.parsers.anchors import links_of
from ingestors.parsers.html import html_to_text, tidy
from ingestors.parsers.links import direct_url
from ingestors.parsers.mail_headers import (
    MAX_HEADERS,
    Headers,
    decoded,
    head,
    identifiers,
    is_answer,
    is_own,
    is_personal,
    structure_only,
    traits,
)
from ingestors.parsers.newsletter import MAX_STORIES, find_stories
from ingestors.parsers.reply import own_words_first
from ingestors.parsers.story import Story
from ingestors.wire import MAX_LINKS, MAX_TITLE, EntryDict, content_key, entry_dict

TRIVIAL_TEXT = 500
"""Characters: a plain part shorter than this may be a stub that says to look at the HTML part."""

_HTML = re.compile(r"\s*<(?:!doctype html|html|head|body|p|div|table)\b", re.IGNORECASE)
_RAW_BYTE = re.compile(r"\\udc([89a-f][0-9a-f])")
"""How mail-parser writes a byte of a name that is no UTF-8, which was mostly meant as Latin-1."""
_ADDRESS = re.compile(r"^(.*?)<([^<>]*)>\s*$", re.DOTALL)

# What mail-parser and the email package let escape.
_BROKEN = (
    *(MailParserError, MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, AssertionError),
)

# Real mail stays far below these. Above them the email package needs seconds, or more stack than
# there is: 3,000 parentheses in From, 2,000 nested parts, 5,000 continued parameters.
_LIMITS = (
    (re.compile(rb"\("), 1_000, "comments in its headers", True),
    (re.compile(rb"@"), 2_000, "addresses in its headers", True),
    (re.compile(rb"\*\d+\*?="), 500, "continued header parameters", False),
    (re.compile(rb"(?i)content-type:\s*multipart/"), 100, "nested parts", False),
    (re.compile(rb"\n--"), 5_000, "parts", False),
)


def parse_mails(
    body: bytes, *, sizes: list[int], addresses: list[str], headers_only: bool = False
) -> dict[str, Any]:
    """Reads mails that follow one another in `body`.

    Args:
        body: Raw mails without separators.
        sizes: Bytes of each.
        addresses: The reader's own, in lower case.
        headers_only: Leave the bodies alone, for mails whose bodies have ended a process.

    Returns:
        `mails`: for each one `entry`; `problem`, which says in words why the body was not read; `stories`,
        entries for the parts of a newsletter, whose keys are unique within the mail; `own`, whether the
        reader wrote it.
    """
    mails = []
    at = 0
    for size in sizes:
        mails.append(_mail(body[at : at + size], frozenset(addresses), headers_only))
        at += size
    return {"mails": mails}


def _mail(raw: bytes, addresses: frozenset[str], headers_only: bool) -> dict[str, Any]:
    headers = Headers(raw)
    problem = None if headers_only else _excess(raw)
    stories: list[Story] = []
    entry = None
    if not headers_only and problem is None:
        try:
            entry, stories = _whole(raw, headers, addresses)
        except _BROKEN:
            # Mostly one broken header, which must not cost the text.
            try:
                text = _text(mailparser.parse_from_bytes(structure_only(raw)))
                entry = _from_headers(raw, headers, addresses, text)
            except (MailParserError, RecursionError):
                problem = "it is nested too deeply"
            except _BROKEN as error:
                problem = f"its structure is broken ({type(error).__name__})"
    return {
        "entry": entry or _from_headers(raw, headers, addresses),
        "problem": problem,
        "stories": _story_entries(stories, entry) if entry else [],
        "own": is_own(headers, addresses),
    }


def _excess(raw: bytes) -> str | None:
    top = head(raw)
    for pattern, limit, what, in_head in _LIMITS:
        if sum(1 for _ in pattern.finditer(top if in_head else raw)) > limit:
            return f"it has more than {limit} {what}"
    if len(top) > MAX_HEADERS:
        return f"its headers are larger than {MAX_HEADERS // 1024} KB"
    return None


def _whole(raw: bytes, headers: Headers, addresses: frozenset[str]) -> tuple[EntryDict, list[Story]]:
    mail = mailparser.parse_from_bytes(raw)
    people = [_person(name, address) for name, address in mail.from_ or mail.sender or []]
    moment = mail.date
    published = None
    if isinstance(moment, datetime):
        published = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    text = _text(mail)
    flags = traits(headers, addresses)
    markup = list(mail.text_html) or [part for part in mail.text_plain if _HTML.match(part)]
    stories = _enclosed(raw) if headers.word("content-type").startswith("multipart/digest") else []
    stories = stories or find_stories(
        markup, text, sent_to_many="newsletter" in flags, conversation="list" in flags or is_answer(headers)
    )
    title = _first(mail.subject)
    entry = _entry(raw, headers, addresses, title, people, published, text, split=bool(stories))
    links = dict.fromkeys(link for part in markup for link in links_of(part, direct=direct_url))
    entry["links"] = [list(link) for link in links][:MAX_LINKS]
    return entry, stories


def _enclosed(raw: bytes) -> list[Story]:
    """The mails in a MIME digest (RFC 2046, 5.1.5) of a list."""
    stories: list[Story] = []
    for part in email.message_from_bytes(raw).walk():  # the old policy: it does not raise
        if part.get_content_type() != "message/rfc822" or not part.is_multipart():
            continue
        mail = part.get_payload(0)
        if not isinstance(mail, email.message.Message) or len(stories) >= MAX_STORIES:
            break
        headers = Headers(mail.as_bytes())
        text = _text(mailparser.parse_from_bytes(mail.as_bytes()))
        stories.append(Story(headers.text("subject") or "(no subject)", text, None, headers.text("from")))
    return stories


def _from_headers(raw: bytes, headers: Headers, addresses: frozenset[str], text: str = "") -> EntryDict:
    """An entry made by means that no header can make expensive, or make fail."""
    sender = headers.text("from")[:1_000]
    parts = _ADDRESS.match(sender)
    people = [_person(parts.group(1).strip(' "'), parts.group(2).strip()) if parts else sender]
    published = _date(headers.text("date"))
    return _entry(raw, headers, addresses, headers.text("subject"), people, published, text, split=False)


def _entry(
    raw: bytes,
    headers: Headers,
    addresses: frozenset[str],
    subject: str,
    people: list[str],
    published: int | None,
    text: str,
    *,
    split: bool,
) -> EntryDict:
    names = identifiers(headers)
    flags = traits(headers, addresses)
    if split and "list" not in flags:
        flags.add("newsletter")
    return entry_dict(
        key=names["message-id"] or "sha256:" + hashlib.sha256(raw).hexdigest()[:32],
        title=" ".join(subject[: 4 * MAX_TITLE].split()) or "(no subject)",
        text=own_words_first(text),
        people=people,
        published=published,
        identifiers=names,
        personal=is_personal(headers) and not split,
        flags=flags,
    )


def _story_entries(stories: list[Story], mail: EntryDict) -> list[EntryDict]:
    """The stories as entries: sender and date are the mail's, and so is the word on how to leave the list."""
    linked = Counter(story.url for story in stories)
    names = {k: v for k, v in mail["identifiers"].items() if k in ("list-id", "unsubscribe")}
    return [
        entry_dict(
            key=story.url
            if story.url and linked[story.url] == 1
            else content_key(story.url or "", story.title, story.text),
            title=story.title,
            text=story.text,
            url=story.url,
            people=[story.author] if story.author else mail["people"],
            published=mail["published"],
            identifiers=names,
            parent=mail["key"],
            flags={"newsletter"},
        )
        for story in stories
    ]


def _text(mail: mailparser.MailParser) -> str:
    """The plain part, unless the HTML part says much more."""
    plain, markup = list(mail.text_plain), list(mail.text_html)
    if not plain and not markup:
        plain = list(mail.text_not_managed) or _named_texts(mail)
    text = "\n\n".join(html_to_text(part) if _HTML.match(part) else tidy(_iso2022(part)) for part in plain)
    text = text.strip()
    if not markup or len(text) >= TRIVIAL_TEXT:
        return text
    rendered = "\n\n".join(html_to_text(part) for part in markup).strip()
    return rendered if len(rendered) > 2 * len(text) else text


def _named_texts(mail: mailparser.MailParser) -> list[str]:
    """Text parts that carry a file name but are not meant as attachments."""
    return [
        base64.b64decode(part["payload"]).decode("utf-8", "replace")
        for part in mail.attachments
        if part["mail_content_type"] == "text/plain"
        and part["binary"]
        and not str(part["content-disposition"] or "").startswith("attachment")
    ]


def _iso2022(text: str) -> str:
    """Japanese in seven bits, which mail-parser passes on undecoded."""
    if "\x1b$" not in text:
        return text
    try:
        return text.encode("ascii").decode("iso2022_jp_ext")
    except UnicodeError:
        return text


def _person(name: str, address: str) -> str:
    name = _RAW_BYTE.sub(lambda found: bytes.fromhex(found[1]).decode("latin-1"), decoded(str(name)))
    name = " ".join(name.split())
    if not name or name == address:
        return address
    return f"{name} <{address}>" if address else name


def _first(value: object) -> str:
    """A header that occurs more than once comes as a list."""
    if isinstance(value, list):
        return str(value[0]) if value else ""
    return str(value or "")


def _date(text: str) -> int | None:
    try:
        moment = email.utils.parsedate_to_datetime(text[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
