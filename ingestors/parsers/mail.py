"""Raw mails to entries. Several in one call, because starting a call costs more than reading a mail."""

from __future__ import annotations

import base64
import email.errors
import email.header
import email.parser
import email.utils
import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import mailparser
from mailparser.exceptions import MailParserError

from ingestors.parsers.html import html_to_text, tidy
from ingestors.wire import MAX_KEY, MAX_TITLE, EntryDict, entry_dict

MAX_HEADERS = 256 * 1024
TRIVIAL_TEXT = 500
"""Characters: a plain part shorter than this may be a stub that says to look at the HTML part."""

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_HTML = re.compile(r"\s*<(?:!doctype html|html|head|body|p|div|table)\b", re.IGNORECASE)
_ID = re.compile(r"<([^<>\s]{1,400})>")
_ADDRESS = re.compile(r"^(.*?)<([^<>]*)>\s*$", re.DOTALL)

# Real mail stays far below these. Above them the email package needs seconds, or more stack than
# there is: 3,000 parentheses in From, 2,000 nested parts, 5,000 continued parameters.
_LIMITS = (
    (re.compile(rb"\("), 1_000, "comments in its headers", True),
    (re.compile(rb"@"), 2_000, "addresses in its headers", True),
    (re.compile(rb"\*\d+\*?="), 500, "continued header parameters", False),
    (re.compile(rb"(?i)content-type:\s*multipart/"), 100, "nested parts", False),
    (re.compile(rb"\n--"), 5_000, "parts", False),
)


def parse_mails(body: bytes, *, sizes: list[int], headers_only: bool = False) -> dict[str, Any]:
    """Reads mails that follow one another in `body`.

    Args:
        body: Raw mails without separators.
        sizes: Bytes of each.
        headers_only: Leave the bodies alone, for mails whose bodies have ended a process.

    Returns:
        `mails`: for each one `entry` and `problem`; `problem` says why the body was not read, in words.
    """
    mails = []
    at = 0
    for size in sizes:
        mails.append(_mail(body[at : at + size], headers_only))
        at += size
    return {"mails": mails}


def _mail(raw: bytes, headers_only: bool) -> dict[str, Any]:
    problem = None if headers_only else _excess(raw)
    if headers_only or problem:
        return {"entry": _from_headers(raw), "problem": problem}
    try:
        return {"entry": _whole(raw), "problem": None}
    except (MailParserError, RecursionError):
        problem = "it is nested too deeply"
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError) as error:
        problem = f"its structure is broken ({type(error).__name__})"
    return {"entry": _from_headers(raw), "problem": problem}


def _excess(raw: bytes) -> str | None:
    head = _head(raw)
    for pattern, limit, what, in_head in _LIMITS:
        if sum(1 for _ in pattern.finditer(head if in_head else raw)) > limit:
            return f"it has more than {limit} {what}"
    if len(head) > MAX_HEADERS:
        return f"its headers are larger than {MAX_HEADERS // 1024} KB"
    return None


def _whole(raw: bytes) -> EntryDict:
    mail = mailparser.parse_from_bytes(raw)
    people = [_person(name, address) for name, address in mail.from_ or mail.sender or []]
    headers = _Headers(raw)
    moment = mail.date
    published = None
    if isinstance(moment, datetime):
        published = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return _entry(raw, headers, _first(mail.subject), people, published, _text(mail))


def _from_headers(raw: bytes) -> EntryDict:
    """An entry without text, made by means that no header can make expensive."""
    headers = _Headers(raw)
    sender = headers.text("from")[:1_000]
    parts = _ADDRESS.match(sender)
    people = [_person(parts.group(1).strip(' "'), parts.group(2).strip()) if parts else sender]
    return _entry(raw, headers, headers.text("subject"), people, _date(headers.text("date")), "")


def _entry(
    raw: bytes, headers: _Headers, subject: str, people: list[str], published: int | None, text: str
) -> EntryDict:
    message_id = _ID.search(headers.text("message-id"))
    list_id = headers.text("list-id")
    listed = _ID.search(list_id)
    replied = _ID.search(headers.text("in-reply-to"))
    return entry_dict(
        key=message_id.group(1) if message_id else "sha256:" + hashlib.sha256(raw).hexdigest()[:32],
        title=" ".join(subject[: 4 * MAX_TITLE].split()) or "(no subject)",
        text=text,
        people=people,
        published=published,
        identifiers={
            "message-id": message_id.group(1) if message_id else "",
            "list-id": listed.group(1) if listed else " ".join(list_id.split()),
            "in-reply-to": replied.group(1) if replied else "",
            # The end of the list is the nearest ancestor.
            "references": " ".join(_ID.findall(headers.text("references")))[-MAX_KEY:],
        },
        personal=_is_personal(headers),
    )


def _is_personal(headers: _Headers) -> bool:
    if any(headers.text(name) for name in ("list-id", "list-unsubscribe", "list-post")):
        return False
    if headers.text("precedence").strip().lower() in ("bulk", "list", "junk"):
        return False
    return headers.text("auto-submitted").strip().lower() in ("", "no")


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
    name = " ".join(_decoded(str(name)).split())
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


def _decoded(value: Any) -> str:  # noqa: ANN401  str or email.header.Header
    """A header value with its encoded words decoded, also within quotes, where they are not allowed."""
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError, TypeError, email.errors.HeaderParseError):
        return str(value).encode("utf-8", "replace").decode()


def _head(raw: bytes) -> bytes:
    end = _HEADER_END.search(raw)
    return raw[: end.start()] if end else raw


class _Headers:
    """The first occurrence of each header, decoded; reading one never fails."""

    def __init__(self, raw: bytes) -> None:
        parser = email.parser.BytesHeaderParser()  # the old policy: the new one raises on hostile values
        self._message = parser.parsebytes(_head(raw)[:MAX_HEADERS] + b"\n\n")

    def text(self, name: str) -> str:
        value = self._message.get(name, "")
        return _decoded(value)
