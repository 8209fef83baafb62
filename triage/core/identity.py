"""What makes two documents the same, and what a claimed date is worth.

Owns the names under which a document is known (`names`), and when two records of one work disagree
(`conflict`). Pure; which stored item bears a name is for the store to say, and what follows from it for
`triage.services.fetching.matching`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

OLDEST = timedelta(days=365 * 60)
"""A date longer ago than this is a mistake, not a date."""
TELLING_TEXT = 100
"""Characters of a text from which on nobody writes the same one twice: `See the notes.` is no identity."""
TELLING_TITLE = 4
"""Words of a title from which on it names a work, together with its first author: `Editorial` does not."""

WORK_IDS = ("doi", "arxiv", "pmid", "pmcid", "openalex", "s2")
"""Identifiers of `ingestors.base.Entry` that name a paper wherever it is found."""

# A preprint and the article that came of it have a DOI each, and are one work to a reader.
_PREPRINT_DOIS = tuple(
    f"10.{registrant}/" for registrant in (1101, 2139, 20944, 21203, 26434, 31219, 31234, 36227, 48550, 64898)
)
_NO_WORD = re.compile(r"[\W_]+")
_SPACES = re.compile(rb"  +")
_ASCII_WORDS = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() and code < 128 else 32 for code in range(256)
)
_PLAIN_PAGE = re.compile(r"https?://([a-z0-9.-]+)(/[!\"$->@-~]*)?")
"""An address without user, port, query and fragment, as most are."""
_TRACKING = re.compile(
    r"utm_\w+|mc_[ce]id|fbclid|gclid|dclid|msclkid|yclid|igshid|_hs\w+|mkt_tok|vero_\w+|oly_\w+|"
    r"at_(?:medium|campaign|custom\d|link_\w+)|ns_\w+|ito|cmpid|ref_?src|ref_?url|sr_share|xtor",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Names:
    """Under what a document is known, the surest name first."""

    own: tuple[bytes, ...]
    """Within its source: its key; its link with its title; its content."""
    shared: tuple[bytes, ...] = ()
    """In all sources: the identifiers of a paper, its title with its first author, the id of a mail."""


def content_hash(title: str, text: str) -> str:
    """Equal for documents with the same words in the same order, whatever their case and punctuation."""
    return hashlib.sha256(_words(f"{title}\n{text}").encode()).hexdigest()[:32]


def digest(kind: str, *parts: str) -> bytes:
    """A name of one kind as it is stored, 16 bytes."""
    return hashlib.sha256("\0".join((kind, *parts)).encode("utf-8", "replace")).digest()[:16]


def names(
    *,
    kind: str,
    key: str,
    url: str | None,
    title: str,
    text: str,
    content: str,
    people: Sequence[str],
    identifiers: Mapping[str, str],
) -> Names:
    """The names of a document.

    Within a source a document is found again by its key; where a feed gives its entries new keys, by its
    link together with its title (a link alone may be a page that always holds the latest); where that
    changed too, by its content, if there is enough of it. Mail is what its sender says it is, so a message
    id counts across mailboxes only together with the content: it could be borrowed to hide another mail.

    Args:
        kind: feed, mail or paper.
        key: Its identity as the source gives it.
        url: Its link.
        title: Its title.
        text: Its text.
        content: Its `content_hash`.
        people: Authors or senders, in order.
        identifiers: As `ingestors.base.Entry` documents them.
    """
    own = [digest("key", key)]
    shared: list[bytes] = []
    if url is not None and "/" in (page := canonical_url(url)):
        own.append(digest("link", page, _words(title)))
    if len(text) >= TELLING_TEXT:
        own.append(digest("content", content))
    if kind == "paper":
        shared += [digest(name, value) for name in WORK_IDS if (value := identifiers.get(name))]
        if people and len((words := _words(title)).split()) >= TELLING_TITLE:
            shared.append(digest("work", words, family_name(people[0])))
    elif kind == "mail" and (message_id := identifiers.get("message-id")):
        shared.append(digest("mail", message_id, content))
    return Names(tuple(own), tuple(shared))


def unambiguous(all_names: Sequence[Names]) -> list[Names]:
    """Without the weaker names that two documents of one fetch share: they tell neither apart."""
    counts = Counter(name for names in all_names for name in names.own[1:])
    return [
        Names(
            (names.own[0], *(name for name in names.own[1:] if counts[name] == 1)),
            names.shared,
        )
        for names in all_names
    ]


def conflict(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether identifiers say that two papers are not one, as `Annual report` of two years has two DOIs."""
    for name in ("doi", "arxiv", "pmid"):
        first, second = one.get(name), other.get(name)
        if not first or not second or first == second:
            continue
        preprint = first.startswith(_PREPRINT_DOIS) != second.startswith(_PREPRINT_DOIS)
        if name != "doi" or not preprint:
            return True
    return False


def canonical_url(url: str) -> str:
    """What addresses of one page share: no scheme, no `www.`, no fragment, no tracking, parameters in order.

    For comparison only; a reader is sent to the address as it was served.
    """
    if plain := _PLAIN_PAGE.fullmatch(url):  # the same, in a tenth of the time
        return plain.group(1).removeprefix("www.") + (plain.group(2) or "").rstrip("/")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    if port not in (None, 80, 443):
        host = f"{host}:{port}"
    query = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name)
    )
    path = parts.path.rstrip("/")
    return f"{host}{path}?{urlencode(query)}" if query else f"{host}{path}"


def family_name(person: str) -> str:
    """`lovelace` of `Ada Lovelace`, `Lovelace, Ada` and `A. K. Lovelace`."""
    person = person.partition("<")[0]
    family, comma, _ = person.partition(",")
    words = _words(family if comma else person).split()
    return words[-1] if words else ""


def clamp_published(claimed: datetime | None, first_seen: datetime) -> datetime | None:
    """The date to rank by: a claimed one is never later than the moment we first saw the item.

    A feed can date a post into the future to stay on top, or into year 1 by mistake. None stays None,
    and so becomes a date that cannot be one.
    """
    if claimed is None or claimed < first_seen - OLDEST:
        return None
    return min(claimed, first_seen)


def _words(text: str) -> str:
    if text.isascii():  # the same, in a fifth of the time
        return _SPACES.sub(b" ", text.encode().translate(_ASCII_WORDS)).strip().decode()
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
