"""Which items are summaries, whose full text is fetched without being asked for, and what a page adds.

Pure: it looks at what is stored and at what was found. Owns the rules of privacy and politeness of full
texts; how a page is fetched and read is the business of `ingestors.fulltext`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from triage.core.items import ItemKind, TextState
from triage.core.text import CJK

Setting = Literal["auto", "always", "never"]
"""What a reader sets for a source: `auto` fetches from the source's own site, `always` from everywhere."""
SETTINGS: tuple[Setting, ...] = ("auto", "always", "never")

SUMMARY_WORDS = 100
"""A text of a feed with fewer words is taken for a summary of the page behind its link."""
BACKOFF = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""After the first, second, third failure that may pass; after one more only the reader asks again."""
FRUITLESS = 3
"""Pages of a source in a row that brought nothing, after which it is left alone for a while."""
FRUITLESS_PAUSE = timedelta(days=7)
MORE = 1.2
"""A page has more to say if it has so many times the words that the source served, and `MORE_WORDS` more."""
MORE_WORDS = 25
SHARED = 0.7
"""The share of what the source served that a page repeats, from which on it holds all of it."""
SAME_TITLE, SAME_TEXT = 0.5, 0.2
"""The share of the title, or of what was served, that a page about the same matter repeats at least."""

END = 500
"""Characters at the end of a text in which it may break off. No more, because the expressions look at every
run of spaces from each of its characters on."""

_WORD = re.compile(rf"[{CJK}]+|[^\W{CJK}]+")
_CUT = re.compile(
    r"(?:\u2026|\.\.\.|\[\s*(?:\u2026|\.\.\.)\s*\]|read (?:more|on|the (?:rest|full \w+))"
    r"|continue reading|keep reading|weiterlesen|mehr lesen|lire la suite|leer m\xe1s)"
    r"[\s\]\u00bb\u2192>.:\u2026]*$",
    re.IGNORECASE,
)
_FOOTER = re.compile(r"\s*The post .{1,300} (?:first appeared|appeared first) on .{1,100}$")
"""What a much-used publishing system puts under each summary."""
_SECOND_LEVEL = {"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "nom", "or", "org"}
_TRANSIENT = ("network", "timeout", "limit", "http")
"""Kinds of `ingestors.base.FetchError` that may pass by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides on the full text of an item."""

    kind: ItemKind
    url: str | None
    text: str
    """As the source served it."""
    words: int
    cjk_characters: int
    flags: frozenset[str]
    personal: bool
    part: bool
    """Whether it is a part of another item: a story of a newsletter."""
    source: str
    """What the source is fetched from: a URL, a path."""
    setting: Setting


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last try to fetch a full text."""

    state: str
    """have, same (the page has no more than the source served), failed, or wanted (to be tried again)."""
    error: str | None
    failures: int
    """In a row."""
    tried_at: datetime | None
    next_try_at: datetime | None
    kept: bool = False
    """Whether the item has a full text, be it an earlier one."""


def is_summary(facts: Facts) -> bool:
    """Whether the whole text probably stands behind the item's link.

    A paper's abstract is one, and so is what a newsletter says of a story that it links to. A mail is whole,
    and so is what is heard or watched.
    """
    if facts.url is None or facts.personal or "media" in facts.flags:
        return False
    if facts.kind == "mail":
        return facts.part
    size = facts.words + facts.cjk_characters // 2
    short = "truncated" in facts.flags or size < SUMMARY_WORDS
    return facts.kind == "paper" or short or _breaks_off(facts.text)


def not_unasked(facts: Facts) -> str | None:
    """Why the full text of a summary is fetched only when the reader asks, in words; None if it is.

    A request tells whoever answers it that somebody reads: the site that the reader subscribed to knows that
    already, the sender of a mail and other sites do not.
    """
    if facts.setting == "never":
        return "full text is switched off for this source"
    if facts.setting == "always":
        return None
    if facts.kind == "mail":
        return "opening a link of a mail tells its sender that it was read"
    if facts.kind == "paper":
        return "this is the abstract of a paper"
    if site(facts.url or "") != site(facts.source):
        return f"its page is on {urlsplit(facts.url or '').hostname}, which is not the site of its feed"
    return None


def site(url: str) -> str:
    """The part of a host name that one owner has, `example.co.uk` of `https://news.example.co.uk/`.

    By the usual second levels instead of the list of public suffixes: where that errs, two owners under one
    suffix count as one, which matters little for a request without cookies.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():  # an address
        return host
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-count:])


def may_be_local(url: str, source: str, allow_local: bool) -> bool:
    """Whether a page may be fetched from a private address: only from the very server of a source that may.

    What a local feed carries may still be a stranger's, and a link can press a button of a router.
    """
    page, home = urlsplit(url), urlsplit(source)
    return allow_local and (page.scheme, page.netloc) == (home.scheme, home.netloc)


def is_due(attempt: Attempt | None, now: datetime) -> bool:
    """Whether a text that was never tried, or is wanted, is to be fetched now."""
    if attempt is None:
        return True
    if attempt.state != "wanted":
        return False
    clock_was_ahead = attempt.tried_at is not None and attempt.tried_at > now
    return attempt.next_try_at is None or attempt.next_try_at <= now or clock_was_ahead


def is_fruitless(latest: Sequence[Attempt], now: datetime) -> bool:
    """Whether the pages of a source are not worth asking for now, by its latest tries, newest first."""
    tried = [a for a in latest if a.tried_at is not None][:FRUITLESS]
    return len(tried) == FRUITLESS and all(
        a.state != "have" and a.tried_at is not None and timedelta(0) <= now - a.tried_at < FRUITLESS_PAUSE
        for a in tried
    )


def next_try(kind: str, failures: int, now: datetime, retry_after_s: float | None) -> datetime | None:
    """When a failed fetch is repeated unasked; None if only the reader asks again.

    Args:
        kind: Of the error, `ingestors.base.FetchErrorKind`.
        failures: In a row, this one included.
        now: The present.
        retry_after_s: Seconds for which the server wants to be left alone.
    """
    if kind not in _TRANSIENT or failures > len(BACKOFF):
        return None
    return now + max(BACKOFF[failures - 1], timedelta(seconds=retry_after_s or 0.0))


def joined(facts: Facts, title: str, page: str) -> str | None:
    """The text to keep, when a page was found behind what a source served; None if the page has no more.

    What the source served is kept above the text if the page does not repeat it: the comment of a blog on
    what it links to is its own.

    Raises:
        ValueError: The page does not hold what the source announced; the message is for the reader.
    """
    first, _, rest = page.partition("\n")
    if _words(first) == _words(title):
        page = rest.strip()
    served = _whole_part(facts.text.strip())
    said, told = _words(served), _words(page)
    named, spoken, known = _telling(_words(title)), _telling(said), _telling(told)
    if len(named & known) < SAME_TITLE * len(named) and len(spoken & known) < SAME_TEXT * len(spoken):
        raise ValueError("its page speaks of something else")
    repeated = len(spoken & known) >= SHARED * len(spoken)
    if len(told) <= max(MORE * len(said), len(said) + MORE_WORDS):
        if repeated and not _breaks_off(facts.text):
            return None
        raise ValueError("its page has no more text than its source")
    return page if repeated else f"{served}\n\n{page}"


def state_of(facts: Facts, attempt: Attempt | None) -> tuple[TextState, str | None]:
    """How much of an item's text there is, and what a reader should know about it."""
    if attempt is not None and attempt.kept:
        return "full", attempt.error
    if not is_summary(facts) or (attempt is not None and attempt.state == "same"):
        return "served", None
    if attempt is not None and attempt.error is not None:
        return "summary", attempt.error
    return "summary", not_unasked(facts) or "the text behind its link has not been fetched yet"


def _breaks_off(text: str) -> bool:
    """Whether a text says of itself that it goes on elsewhere."""
    return _CUT.search(_FOOTER.sub("", text[-END:].rstrip())) is not None


def _whole_part(text: str) -> str:
    """A text without the words that it breaks off with."""
    return (text[:-END] + _CUT.sub("", _FOOTER.sub("", text[-END:].rstrip()))).strip()


def _words(text: str) -> list[str]:
    """Lower-case words; of scripts without spaces, every two neighbouring characters."""
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        wide = len(word) > 1 and re.match(f"[{CJK}]", word)
        found += [word[n : n + 2] for n in range(len(word) - 1)] if wide else [word]
    return found


def _telling(words: list[str]) -> set[str]:
    """Those that say what a text is about: not the short ones, which any text has."""
    return {word for word in words if len(word) > 3 or not word.isascii()} or set(words)
