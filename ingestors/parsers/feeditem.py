"""What a feed says, whichever parser read it, and the rules by which its items become entries.

Owns what holds for every format: which text and which link count, what is a teaser, what is heard or
watched, how often a feed wants to be asked. Knows no parser, so that a feed comes to the same entries on
the day on which it is broken and another parser has to read it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, TypeVar

from ingestors.base import Flag
from ingestors.parsers.anchors import links_of, links_of_tree
from ingestors.parsers.html import CP1252, html_to_line, html_to_text, tidy, tree_to_text
from ingestors.wire import MAX_ITEMS, EntryDict, RefusalError, entry_dict, unique_entries, web_url

KINDS_OF_HTML = ("text/html", "application/xhtml+xml")
NO_PAGES = ("enclosure", "replies", "edit", "license", "payment", "hub")
"""Relations of links that lead to something else than the page of an item."""

TEASER = 300
"""Characters. A titled item that brings no more, and no content beside its summary, leads to the rest."""

_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_LONGEST_AUTHOR = 500
"""Characters in which an address is looked for: the search takes quadratic time."""
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ARXIV = re.compile(r"arXiv(?:\.org)?:(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?$")
_ARXIV_PREAMBLE = re.compile(r"^arXiv:\S+ +Announce Type:[^\n]*\n+Abstract: *")
_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)(10\.\S+)", re.IGNORECASE)

_MEDIA_FILE = re.compile(
    r"\.(?:mp3|m4[abv]|mp4|mov|webm|og[agv]|opus|flac|wav|aac|mkv)(?:[?#]|$)", re.IGNORECASE
)
_DURATION = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6})(?:\.\d*)?")

_LONGEST_CUT = 150
"""Characters at the end of a text in which the words of a cut are looked for: some name the post again."""
_ELLIPSES = ("[…]", "[...]", "(more…)", "(more...)", "(more)")
_CUT_OFF = re.compile(
    r"\b(?:(?:continue|keep) reading|read more|read the (?:rest|full (?:article|post|story))|weiterlesen"
    r"|lire la suite|leer más|seguir leyendo|continua a leggere|lees verder|читать далее)\b"
)

Raw = TypeVar("Raw")


@dataclass(frozen=True, slots=True)
class Markup:
    """A piece of text as a feed brings it: plain, as HTML, or as elements of the document around it."""

    kind: Literal["text", "html", "tree"]
    value: Any

    def text(self) -> str:
        """In paragraphs."""
        if self.kind == "html":
            return html_to_text(self.value)
        return tidy(self.value) if self.kind == "text" else tree_to_text(self.value)

    def links(self, base: str) -> list[tuple[str, str]]:
        """Where it leads: (words, URL)."""
        if self.kind == "html":
            return links_of(self.value, base)
        return [] if self.kind == "text" else links_of_tree(self.value, base)

    def line(self) -> str:
        """In one line."""
        return html_to_line(self.value) if self.kind == "html" else " ".join(self.text().split())


@dataclass(slots=True, kw_only=True)
class Item:
    """What a feed says of an item, in its own words. Every string may be empty, every list too."""

    guid: str = ""
    guid_is_link: bool = False
    """Whether the guid may stand in for a missing link."""
    titles: Sequence[Markup] = ()
    """Best first, as all that follows."""
    contents: Sequence[Markup] = ()
    """What is meant to be the whole text."""
    summaries: Sequence[Markup] = ()
    """What may be a summary or the whole; of these the longest counts."""
    links: Sequence[str] = ()
    base: str = ""
    """The URL that links are relative to."""
    authors: Sequence[str] = ()
    published: int | None = None
    """Seconds since 1970, UTC."""
    tags: Sequence[str] = ()
    enclosures: Sequence[tuple[str, str]] = ()
    """URL and media type; `audio` or `video` alone will do."""
    duration: str = ""
    """Seconds, or `1:02:03`."""
    comments: str = ""
    doi: str = ""


class Feed(TypedDict):
    """What the parsers of feeds answer."""

    title: str
    entries: list[EntryDict]
    refusals: list[dict[str, str]]
    """Items that could not be read, each with its `name` and the `reason`."""
    interval_s: int | None
    """The polling interval that the feed asks for."""
    skip_hours: list[int]
    """Hours of the day, UTC, in which it does not want to be asked."""
    skip_days: list[str]
    """Days likewise, by their English names."""
    whole: bool
    """False if the document ends before its root element does."""


def to_entry(item: Item) -> EntryDict:
    """The entry that an item becomes."""
    guid = item.guid.strip()
    url = next((url for link in item.links if (url := web_url(link, item.base))), None)
    if url is None and item.guid_is_link:
        url = web_url(guid)
    title = next((line for title in item.titles if (line := title.line())), "")
    read = next(((text, content) for content in item.contents if (text := content.text())), None)
    is_summary = read is None
    if read is None:  # of several, such as those of podcasts, one is often cut short
        summaries = ((summary.text(), summary) for summary in item.summaries)
        read = max(summaries, key=lambda pair: len(pair[0]), default=("", Markup("text", "")))
    text, markup = read
    authors, identifiers = item.authors, {}
    if arxiv := _ARXIV.search(guid):
        identifiers["arxiv"] = arxiv.group(1)
        text = _ARXIV_PREAMBLE.sub("", text)
        authors = [part for names in authors for part in names.split(", ")]  # all in one element
    flags: set[Flag] = set()
    enclosure, is_media = _enclosure(item)
    if url and _is_teaser(text, is_summary=is_summary and bool(title) and not is_media):
        flags.add("truncated")
    if is_media:
        flags.add("media")
    if enclosure:
        identifiers["enclosure"] = enclosure
        url = url or enclosure
    if is_media and (seconds := read_duration(item.duration)):
        identifiers["duration"] = str(seconds)
    if comments := web_url(item.comments, item.base):
        identifiers["comments"] = comments
    if item.doi:
        identifiers["doi"] = read_doi(item.doi)
    return entry_dict(
        key=guid or url,
        title=title,
        text=text,
        url=url,
        people=[_name(author) for author in authors],
        published=item.published,
        tags=item.tags,
        identifiers=identifiers,
        flags=flags,
        links=markup.links(item.base),
    )


def to_entries(
    raw: Sequence[Raw], read: Callable[[Raw], Item]
) -> tuple[list[EntryDict], list[dict[str, str]]]:
    """Entries of the items that `read` makes of what a parser found, and the refusals of the others."""
    entries, refusals = [], []
    for number, each in enumerate(raw[:MAX_ITEMS], 1):
        try:
            entries.append(to_entry(read(each)))
        except RefusalError as refused:
            refusals.append({"name": f"item {number}", "reason": str(refused)})
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            reason = f"it cannot be read ({type(error).__name__})"
            refusals.append({"name": f"item {number}", "reason": reason})
    if len(raw) > MAX_ITEMS:
        name = f"items from {MAX_ITEMS + 1} on"
        refusals.append({"name": name, "reason": f"only {MAX_ITEMS} items are read"})
    return unique_entries(entries), refusals


def media_kind(medium: str | None, kind: str | None) -> str:
    """What a `media:content` is, by one of its two attributes; empty if that is neither heard nor watched."""
    medium, kind = medium or "", kind or ""
    if medium in ("audio", "video") or kind.startswith(("audio/", "video/")):
        return medium or kind
    return "video" if kind == "application/x-shockwave-flash" else "image"  # as YouTube says it


def mended(text: str) -> str:
    """Text without two common mistakes: UTF-8 taken for Latin-1, and characters of Windows in its place."""
    with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(CP1252)


def read_interval(ttl: str, period: str, frequency: str) -> int | None:
    """Seconds between two requests: by RSS's `ttl` (minutes), or the syndication module if that is longer."""
    wanted = []
    if (minutes := _number(ttl)) is not None:
        wanted.append(minutes * 60)
    if seconds := _PERIODS.get(period.strip().lower()):
        wanted.append(seconds // max(_number(frequency) or 1, 1))
    return max(wanted, default=None)


def read_hours(hours: Iterable[str]) -> list[int]:
    """Hours of the day out of `skipHours`, in which 24 is another word for 0."""
    numbers = (_number(hour) for hour in hours)
    return sorted({number % 24 for number in numbers if number is not None and number <= 24})


def read_days(days: Iterable[str]) -> list[str]:
    """English names of days out of `skipDays`."""
    named = {day.strip().capitalize() for day in days}
    return [day for day in _DAYS if day in named]


def read_duration(text: str) -> int | None:
    """Seconds of a duration such as `3723`, `62:03` or `1:02:03`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def read_doi(identifier: str) -> str:
    """The DOI in a text that is one, or a link to one; else empty."""
    identifier = identifier.strip()
    if identifier.startswith("10."):
        return identifier
    found = _DOI.match(identifier)
    return found.group(1) if found else ""


def _is_teaser(text: str, *, is_summary: bool) -> bool:
    """Whether a text leads to the rest of it. Without title and content it is a short message, and whole."""
    if is_summary and len(text) < TEASER:
        return True
    end = text[-_LONGEST_CUT:].rstrip()
    if end.endswith(_ELLIPSES):
        return True
    end = end.rstrip(" .…→»›>")
    return _CUT_OFF.search(end[max(end.rfind("\n"), end.rfind(".")) + 1 :].lower()) is not None


def _enclosure(item: Item) -> tuple[str | None, bool]:
    """The first enclosure that is heard or watched, else the first that is no picture; and whether it is."""
    other = None
    for link, kind in item.enclosures:
        kind = kind.strip().lower()
        url = web_url(link, item.base)
        if url is None or kind.startswith("image"):
            continue
        if kind.startswith(("audio", "video")) or _MEDIA_FILE.search(url):
            return url, True
        other = other or url
    return other, False


def _name(author: str) -> str:
    """`ada@example.org (Ada)` and its like: the name, or the address where there is no name."""
    author = html_to_line(author)
    if "@" not in author or (address := _ADDRESS.search(author[:_LONGEST_AUTHOR])) is None:
        return author
    name = author.replace(address.group(), "").replace("()", "").replace("<>", "").strip()
    return name.removeprefix("(").removesuffix(")").strip() or address.group()


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None
