"""What the headers of a mail say of it: its names, its thread, and to whom it speaks.

Owns reading headers by means that no header can make expensive, or make fail. Knows no body.
"""

from __future__ import annotations

import email.errors
import email.header
import email.parser
import re
from collections.abc import Collection, Iterator
from typing import Any

from ingestors.base import Flag
from ingestors.wire import MAX_KEY, web_url

MAX_HEADERS = 256 * 1024
MAX_ADDRESSES = 20_000
"""Characters of To or From in which addresses are looked for."""

_END = re.compile(rb"\r?\n\r?\n")
_STRUCTURE = re.compile(rb"(?i)(?:content-[\w-]+|mime-version):")
_ID = re.compile(r"<([^<>\s]{1,400})>")
_ANGLED = re.compile(r"<([^<>]*)>")
_QUOTED = re.compile(r'"[^"]*"')
_MAILTO = re.compile(r"mailto:[!-;=?-~]+@[!-;=?-~]+", re.IGNORECASE)
_MACHINE = re.compile(
    r"(?:no|do-?not)[-_.]?reply"
    r"|(?:mailer-daemon|postmaster|bounces?|notifications?|newsletters?|news|listserv|majordomo)(?:[-_+.@]|$)",
    re.IGNORECASE,
)
"""How the address of a sender begins that is no person."""

_CHANNEL = re.compile(r"\bnews-?letters?\b", re.IGNORECASE)
"""What no person has in their name."""

_ANSWER = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|fwd?|aw|wg|sv|tr|rv|antw)\s*(?:\[\d+\])?:", re.IGNORECASE
)

_LIST_SOFTWARE = ("x-beenthere", "x-mailman-version", "mailing-list", "x-mailing-list", "x-ml-name")


def head(raw: bytes) -> bytes:
    """The header block of a mail, without the blank line."""
    end = _END.search(raw)
    return raw[: end.start()] if end else raw


def structure_only(raw: bytes) -> bytes:
    """The mail with no headers but those that say how its body is made."""
    top = head(raw)
    fields = re.split(rb"\r?\n(?![ \t])", top)
    kept = [field for field in fields if _STRUCTURE.match(field)]
    return b"\n".join(kept) + raw[len(top) :]


def decoded(value: Any) -> str:  # noqa: ANN401  str or email.header.Header
    """A header value with its encoded words decoded, also within quotes, where they are not allowed."""
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError, TypeError, email.errors.HeaderParseError):
        return str(value).encode("utf-8", "replace").decode()


class Headers:
    """The headers of one mail; reading one never fails."""

    def __init__(self, raw: bytes) -> None:
        parser = email.parser.BytesHeaderParser()  # the old policy: the new one raises on hostile values
        self._message = parser.parsebytes(head(raw)[:MAX_HEADERS] + b"\n\n")

    def text(self, name: str) -> str:
        """The first header of that name, decoded; empty if there is none."""
        return decoded(self._message.get(name, ""))

    def word(self, name: str) -> str:
        """The same as one word to be compared: lower case, without space around it."""
        return self.text(name).strip().lower()

    def addresses(self, name: str) -> Iterator[str]:
        """The addresses in all headers of that name, in lower case.

        From the undecoded text: a name that decodes to an address is still a name.
        """
        for value in self._message.get_all(name, []):
            for part in _QUOTED.sub("", str(value)[:MAX_ADDRESSES]).split(","):
                angled = _ANGLED.search(part)
                yield (angled.group(1) if angled else part).strip().lower()


def identifiers(headers: Headers) -> dict[str, str]:
    """The mail's names as `ingestors.base.Entry.identifiers` has them; what it lacks is empty."""
    own = _ID.search(headers.text("message-id"))
    replied = _ID.search(headers.text("in-reply-to"))
    ancestors = _ID.findall(headers.text("references"))
    message_id = own.group(1) if own else ""
    parent = replied.group(1) if replied else ""
    list_id = headers.text("list-id")
    listed = _ID.search(list_id)
    return {
        "message-id": message_id,
        "in-reply-to": parent,
        # The end of the list is the nearest ancestor, its beginning the first mail of the thread.
        "references": _last_ids(ancestors),
        "thread": ancestors[0] if ancestors else parent or message_id,
        "list-id": listed.group(1) if listed else " ".join(list_id.split()),
        "unsubscribe": unsubscribe_url(headers.text("list-unsubscribe")),
    }


def unsubscribe_url(header: str) -> str:
    """Where List-Unsubscribe (RFC 2369) leads: a web page rather than a mail; empty if to neither."""
    found = [link for link in _ANGLED.findall(header[:MAX_ADDRESSES]) if len(link) <= MAX_KEY]
    links = ["".join(link.split()) for link in found]  # long headers are folded within the URL
    pages = [url for link in links if (url := web_url(link))]
    return next(iter([*pages, *(link for link in links if _MAILTO.fullmatch(link))]), "")


def traits(headers: Headers, addresses: Collection[str]) -> set[Flag]:
    """Flags that headers alone can tell.

    Args:
        headers: Of the mail.
        addresses: The reader's own, in lower case.
    """
    found: set[Flag] = set()
    if any(_is_one_of(address, addresses) for address in headers.addresses("to")):
        found.add("to-me")
    if _is_list(headers):
        found.add("list")
    elif _is_sent_to_many(headers) and headers.word("auto-submitted") in ("", "no"):
        found.add("newsletter")
    return found


def is_answer(headers: Headers) -> bool:
    """Whether it answers or forwards another mail, which it may quote as a whole."""
    replied = headers.text("in-reply-to") or headers.text("references")
    return bool(replied or _ANSWER.match(headers.text("subject")))


def is_own(headers: Headers, addresses: Collection[str]) -> bool:
    """Whether the reader is the sender."""
    return any(address in addresses for address in headers.addresses("from"))


def is_personal(headers: Headers) -> bool:
    """Whether it may be from a person to a person: nothing tells of many receivers, or of a machine."""
    if _is_list(headers) or _is_sent_to_many(headers):
        return False
    if _CHANNEL.search(headers.text("from")) or any(
        _MACHINE.match(address) for address in headers.addresses("from")
    ):
        return False
    return headers.word("auto-submitted") in ("", "no")


def _is_list(headers: Headers) -> bool:
    """Whether it came over a list to which people write, not a channel with one sender."""
    post = headers.word("list-post")
    if post:
        return not post.startswith("no")
    if any(headers.text(name) for name in _LIST_SOFTWARE):
        return True
    named = headers.text("list-id") or headers.word("precedence") == "list"
    return bool(named and headers.text("in-reply-to"))


def _is_sent_to_many(headers: Headers) -> bool:
    named = ("list-id", "list-unsubscribe", "list-post", "feedback-id")
    return any(headers.text(name) for name in named) or headers.word("precedence") in ("bulk", "list", "junk")


def _is_one_of(address: str, addresses: Collection[str]) -> bool:
    """Also `ada+news@example.org`, which reaches `ada@example.org` at most providers."""
    local, _, domain = address.rpartition("@")
    return address in addresses or f"{local.partition('+')[0]}@{domain}" in addresses


def _last_ids(ids: list[str]) -> str:
    """As many of the last ids as fit, whole."""
    kept: list[str] = []
    size = 0
    for name in reversed(ids):
        size += len(name) + 1
        if size > MAX_KEY:
            break
        kept.append(name)
    return " ".join(reversed(kept))
