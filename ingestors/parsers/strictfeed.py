"""Well-formed RSS, RDF and Atom by libxml2: a tenth of the time that feedparser takes.

Reads only what it is certain of; for everything else `read_strictly` answers None, and the caller asks
feedparser, to whose reading of a feed this one is held by a test over every feed at hand. The document
comes without prolog and DTD, so there are no entities, and nothing is fetched or expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.entities import name2codepoint
from typing import Any

import lxml.etree

from ingestors.parsers.dates import read_date
from ingestors.parsers.document import Document
from ingestors.parsers.feeditem import (
    KINDS_OF_HTML,
    NO_PAGES,
    Feed,
    Item,
    Markup,
    media_kind,
    mended,
    read_days,
    read_hours,
    read_interval,
    to_entries,
)
from ingestors.parsers.html import TAGS
from ingestors.wire import MAX_TITLE, web_url

Element = Any  # lxml has no types
Fields = dict[str, list[Element]]
"""The children of an element by their names, `dc:creator`."""

_PARSER = lxml.etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    strip_cdata=True,
)

_ATOM = ("www.w3.org/2005/atom", "purl.org/atom/ns#")
# What feeds use, by the prefixes under which it is known here. The core vocabularies have none: their names
# do not collide, and feeds mix them.
_PREFIXES = {
    **dict.fromkeys((*_ATOM, "purl.org/rss/1.0", "my.netscape.com/rdf/simple/0.9"), ""),
    **dict.fromkeys(("backend.userland.com/rss", "backend.userland.com/rss2"), ""),
    "blogs.law.harvard.edu/tech/rss": "",
    "www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "purl.org/rss/1.0/modules/content": "content:",
    "purl.org/rss/1.0/modules/syndication": "sy:",
    "purl.org/dc/elements/1.1": "dc:",
    "purl.org/dc/terms": "dcterms:",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    **dict.fromkeys(("search.yahoo.com/mrss", "www.rssboard.org/media-rss"), "media:"),
    "rssnamespace.org/feedburner/ext/1.0": "feedburner:",
    "prismstandard.org/namespaces/1.2/basic": "prism:",
    "prismstandard.org/namespaces/basic/2.0": "prism:",
    "purl.org/rss/1.0/modules/prism": "prism:",
    "www.w3.org/1999/xhtml": "xhtml:",
}
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_AUTHORS = ("author", "dc:creator", "dc:author", "itunes:author")
_CATEGORIES = ("category", "dc:subject", "media:category", "itunes:category")
_KEYWORDS = ("keywords", "itunes:keywords", "media:keywords")
_DATES = (
    *("pubdate", "published", "issued", "dcterms:issued"),
    *("updated", "modified", "dc:date", "dcterms:modified"),
    *("created", "dcterms:created"),
)
_PLAIN, _HTML, _XHTML = "text/plain", "text/html", "application/xhtml+xml"
# Names of elements, best first, and the media type of what does not say its own.
_TITLES = dict.fromkeys(("title", "dc:title", "media:title", "itunes:title"), _PLAIN)
_CONTENTS = {"content:encoded": _HTML, "content": _PLAIN, "body": _XHTML, "xhtml:body": _XHTML}
_SUMMARIES = {
    **dict.fromkeys(("description", "dc:description"), _HTML),
    **dict.fromkeys(("summary", "abstract"), _PLAIN),
    **dict.fromkeys(("itunes:summary", "media:description"), _HTML),
    "itunes:subtitle": _PLAIN,
}
_KNOWN = frozenset(_PREFIXES.values())
_SHORT_TYPES = {
    "text": "text/plain",
    "plain": "text/plain",
    "html": "text/html",
    "xhtml": "application/xhtml+xml",
}

_END_TAG_OR_REFERENCE = re.compile(r"</\w+>|&#?\w+;")
_TAG = re.compile(r"</?(\w+)")
_REFERENCE = re.compile(r"&(\w+);")


class _Unsure(Exception):
    """Something that two parsers could read in two ways."""


class _Names(dict[str, str]):
    """Names of elements as they are known here, by libxml2's `{namespace}Name`; empty for what is unknown."""

    def __missing__(self, tag: str) -> str:
        namespace, _, local = tag.removeprefix("{").rpartition("}")
        prefix = _prefix(namespace)
        name = "" if prefix is None else prefix + local.lower()
        if len(self) < 1_000:  # names come from strangers
            self[tag] = name
        return name


_NAMES = _Names()


def read_strictly(document: Document, url: str) -> Feed | None:
    """Reads a feed; None if there is anything in it that this parser is not certain of."""
    try:
        root = lxml.etree.fromstring(document.text.encode("utf-8", "replace"), _PARSER)
        return _read(root, url, has_bases="xml:base" in document.text)
    except (lxml.etree.XMLSyntaxError, _Unsure):
        return None


def _read(root: Element, url: str, *, has_bases: bool) -> Feed:
    name = _NAMES[root.tag]
    if name not in ("rss", "rdf:rdf", "feed") or _misuses_a_prefix(root):
        raise _Unsure
    atom = name == "feed"
    top = _children(root)
    channels = [top] if atom else [_children(channel) for channel in top.get("channel", ())]
    places = channels if atom else [top, *channels]
    found = [item for place in places for kind in ("item", "entry") for item in place.get(kind, ())]
    if not channels or len(found) != sum(1 for _ in root.iter("{*}item", "{*}entry")):
        raise _Unsure
    channel = channels[0]
    feed_authors = _authors(channel) if atom else []

    def read(element: Element) -> Item:
        base = (web_url(element.base, url) or url) if has_bases else url
        return _item(element, base, feed_authors, atom=atom)

    entries, refusals = to_entries(found, read)
    titles = _markups(channel, {"title": _PLAIN}, atom=atom)
    return Feed(
        title=titles[0].line()[:MAX_TITLE] if titles else "",
        entries=entries,
        refusals=refusals,
        interval_s=read_interval(
            *(_first(channel, name) for name in ("ttl", "sy:updateperiod", "sy:updatefrequency"))
        ),
        skip_hours=read_hours(_texts_below(channel, "skiphours", "hour")),
        skip_days=read_days(_texts_below(channel, "skipdays", "day")),
        whole=True,
    )


def _item(element: Element, base: str, feed_authors: list[str], *, atom: bool) -> Item:
    fields = _children(element)
    for group in (*fields.get("media:group", ()), *fields.get("categories", ())):
        for name, members in _children(group).items():
            fields.setdefault(name, []).extend(members)
    guids = fields.get("guid") or fields.get("id") or []
    links, enclosures, comments = _links(fields)
    media = fields.get("media:content", [])
    enclosures += [(each.get("url", ""), media_kind(each.get("medium"), each.get("type"))) for each in media]
    return Item(
        guid=_string(guids[0]) if guids else element.get(_ABOUT, ""),
        guid_is_link=bool(guids) and _attribute(guids[0], "ispermalink", "true") == "true",
        titles=_markups(fields, _TITLES, atom=atom),
        contents=_markups(fields, _CONTENTS, atom=atom),
        summaries=_markups(fields, _SUMMARIES, atom=atom),
        links=[_first(fields, "feedburner:origlink"), *links],
        base=base,
        authors=_authors(fields) or feed_authors,
        published=_published(fields),
        tags=_tags(fields),
        enclosures=enclosures,
        duration=_first(fields, "itunes:duration")
        or next((d for m in media if (d := m.get("duration"))), ""),
        comments=_first(fields, "comments") or comments,
        doi=_first(fields, "prism:doi") or _first(fields, "dc:identifier"),
    )


def _links(fields: Fields) -> tuple[list[str], list[tuple[str, str]], str]:
    """Links, best first; enclosures with their types; the page of the comments."""
    best, others, comments = "", [], ""
    enclosures = [(_href(each), each.get("type", "")) for each in fields.get("enclosure", ())]
    for link in fields.get("link", ()):
        href = _href(link)
        rel, kind = link.get("rel", "alternate").lower(), link.get("type", "text/html").lower()
        if not href:
            best = _string(link).replace("&amp;", "&") or best
        elif rel == "enclosure":
            enclosures.append((href, kind))
        elif rel == "replies":
            comments = comments or (href if _SHORT_TYPES.get(kind, kind) in KINDS_OF_HTML else "")
        elif rel == "alternate" and _SHORT_TYPES.get(kind, kind) in KINDS_OF_HTML:
            best = href
        elif rel not in NO_PAGES:
            others.append(href)
    return [best, *others], enclosures, comments


def _authors(fields: Fields) -> list[str]:
    """Names, or addresses where there are no names."""
    authors = []
    for author in (each for name in _AUTHORS for each in fields.get(name, ())):
        if len(author):
            parts = _children(author)
            authors.append(_first(parts, "name") or _first(parts, "email"))
        else:
            authors.append(_string(author))
    return [author for author in authors if author]


def _tags(fields: Fields) -> list[str]:
    tags = []
    for category in (each for name in _CATEGORIES for each in fields.get(name, ())):
        named = category.get("label") or category.get("term") or category.get("text")
        tags.append(named or _string(category))
    for keywords in (each for name in _KEYWORDS for each in fields.get(name, ())):
        tags += _string(keywords).split(",")
    return tags


def _published(fields: Fields) -> int | None:
    for text in (_string(each) for name in _DATES for each in fields.get(name, ())):
        if text:
            date = read_date(text)
            if date is None:
                raise _Unsure
            return date
    return None


def _markups(fields: Fields, names: Mapping[str, str], *, atom: bool) -> list[Markup]:
    """Texts of the elements of these names that have one, in the order of the names.

    Args:
        fields: Where they are looked for.
        names: Of the elements, each with the media type of what does not say its type.
        atom: Whether plain text is believed to be that; elsewhere what looks like HTML is HTML. A subtitle of
            iTunes is read the same everywhere.
    """
    return [
        markup
        for name, default in names.items()
        if name in fields
        for each in fields[name]
        if (markup := _markup(each, default, guess=not atom or name == "itunes:subtitle")) is not None
    ]


def _markup(element: Element, default: str, *, guess: bool) -> Markup | None:
    kind = element.get("type", default).lower()
    kind = _SHORT_TYPES.get(kind, kind)
    if element.get("mode") == "base64":
        raise _Unsure
    if not kind.startswith(("text/", "application/xhtml")):
        return None
    if len(element):
        return Markup("tree", element)
    value = _string(element)
    if not value:
        return None
    if kind == "text/plain" and guess and _looks_like_html(value):
        kind = "text/html"
    return Markup("text" if kind in ("text/plain", "application/xhtml+xml") else "html", value)


def _looks_like_html(text: str) -> bool:
    """Whether a text of unknown kind has tags and references of HTML, and no others."""
    return (
        ("&" in text or "</" in text)
        and _END_TAG_OR_REFERENCE.search(text) is not None
        and all(tag.lower() in TAGS for tag in _TAG.findall(text))
        and all(name in name2codepoint for name in _REFERENCE.findall(text))
    )


def _children(element: Element) -> Fields:
    fields: Fields = {}
    for child in element:
        name = _NAMES[child.tag]
        if name in fields:
            fields[name].append(child)
        else:
            fields[name] = [child]
    return fields


def _first(fields: Fields, name: str) -> str:
    """The first text that is not empty among the elements of that name."""
    return next((text for each in fields[name] if (text := _string(each))), "") if name in fields else ""


def _texts_below(fields: Fields, outer: str, inner: str) -> Iterator[str]:
    return (_string(each) for element in fields.get(outer, ()) for each in _children(element).get(inner, ()))


def _string(element: Element) -> str:
    """The text of an element that holds nothing else, without white space around it."""
    if len(element):
        raise _Unsure
    text = (element.text or "").strip()
    return text if text.isascii() else mended(text)


def _href(element: Element) -> str:
    return str(element.get("href") or element.get("url") or element.get("uri") or "").strip()


def _attribute(element: Element, name: str, default: str) -> str:
    """An attribute by its name in any case."""
    return next((value for key, value in element.items() if key.lower() == name), default)


def _prefix(namespace: str) -> str | None:
    """What stands for a namespace here, None for one that is not read."""
    if not namespace:
        return ""
    uri = namespace.lower().removeprefix("http://").removeprefix("https://").rstrip("/")
    return _PREFIXES.get(uri)


def _misuses_a_prefix(root: Element) -> bool:
    """Whether a well-known prefix stands for something unknown: a slip, which feedparser forgives."""
    return any(
        _prefix(namespace) is None and (prefix is None or f"{prefix}:" in _KNOWN)
        for prefix, namespace in root.nsmap.items()
    )
