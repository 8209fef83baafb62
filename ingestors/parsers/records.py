"""What the records of all paper services have in common: names of works, people, dates, marked-up text.

Owns the forms that make one work recognisable across servers: a DOI in lower case, an arXiv id without its
version, authors as `Ada Lovelace` in their order. Knows no service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import lxml.etree

from ingestors.parsers.document import Document
from ingestors.parsers.html import parse_html
from ingestors.wire import MAX_ITEMS, MAX_TEXT, EntryDict, RefusalError, unique_entries

MAX_NAMES = 2_000
"""People read from one record: consortia sign with thousands."""

Element = Any  # lxml has no types

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}|\\^`]+")
_ARXIV_ID = re.compile(
    r"(?<![\w.])(\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7})(?:v(\d{1,3}))?(?![\w/])"
)
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)")
_NUMBER = re.compile(r"\d{1,20}")
_PMCID = re.compile(r"\d{4,12}")
_LATEST = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Elements of JATS and MathML whose content repeats what stands beside them, in another notation.
_REPEATS = {"annotation", "annotation-xml", "script", "style", "object-id"}
_PARAGRAPHS = {
    *("p", "sec", "abstract", "list-item", "li", "h1", "h2", "h3", "h4", "h5", "h6", "div", "br"),
    *("disp-formula", "disp-quote"),
}
_PREFIX = re.compile(r"<(/?)(?:jats|mml|m|ns\d{1,2}|xhtml):(?=[a-z])")
_JATS_TITLE = re.compile(r"<(/?)title\b")
_TEX_BODY = re.compile(r"\\begin\{document\}(.*)\\end\{document\}", re.DOTALL)


def answer(title: str, items: list[Any], read: Callable[[Any], EntryDict | None]) -> dict[str, Any]:
    """The common part of what a parser of a paper service answers.

    Args:
        title: Of the service.
        items: Its records.
        read: Makes an entry of one; None for a record that is no paper. What it trips over is a refusal.

    Returns:
        `title`, `entries`, `refusals`, and `count`, the number of records that there were.
    """
    entries: list[EntryDict] = []
    refusals: list[dict[str, str]] = []
    for number, item in enumerate(items[:MAX_ITEMS], 1):
        try:
            entry = read(item)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            refusals.append({"name": f"paper {number}", "reason": "its record is incomplete or damaged"})
        else:
            if entry is not None:
                entries.append(entry)
    if len(items) > MAX_ITEMS:
        refusals.append({"name": f"papers from {MAX_ITEMS + 1} on", "reason": f"only {MAX_ITEMS} are read"})
    return {
        "title": title,
        "entries": unique_entries(entries),
        "refusals": refusals,
        "count": len(items),
    }


def read_json(text: str) -> Any:  # noqa: ANN401  whatever a server sends
    """The value of a JSON document.

    Raises:
        RefusalError: It is none.
    """
    try:
        return json.loads(text)
    except ValueError:
        raise RefusalError("it is no JSON, or damaged") from None


def read_tree(document: Document) -> Element:
    """The element tree of an XML document; neither entities nor DTDs are followed.

    Raises:
        RefusalError: It is damaged.
    """
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return lxml.etree.fromstring(document.text.encode("utf-8", "replace"), parser)
    except lxml.etree.XMLSyntaxError:
        raise RefusalError("its XML is damaged") from None


def work_names(
    *,
    doi: object = None,
    arxiv: object = None,
    pmid: object = None,
    pmcid: object = None,
    openalex: object = None,
    s2: object = None,
) -> dict[str, str]:
    """The identifiers of a work in the form that holds across servers, as `Entry.identifiers` documents it.

    Values may be bare, URLs, or None. The DOI that arXiv gives to a preprint is its arXiv id once more,
    and becomes that.
    """
    names = {}
    found = doi_in(doi)
    version = ""
    if own := _ARXIV_DOI.fullmatch(found):
        found, arxiv = "", arxiv or own.group(1)
    if match := _ARXIV_ID.search(str(arxiv or "")):
        names["arxiv"], version = match.group(1), match.group(2) or ""
    names |= {"doi": found, "version": version}
    for kind, value, form in (("pmid", pmid, _NUMBER), ("pmcid", pmcid, _PMCID)):
        if match := form.search(str(value or "")):
            names[kind] = match.group() if kind == "pmid" else f"PMC{match.group()}"
    names["openalex"] = str(openalex or "").rpartition("/")[2]
    names["s2"] = str(s2 or "")
    return {kind: value for kind, value in names.items() if value}


def doi_in(value: object) -> str:
    """The DOI in a text or URL, in lower case; empty if there is none."""
    found = _DOI.search(str(value or "").replace("%2F", "/").replace("%2f", "/"))
    return found.group().lower().rstrip(".,;:)'") if found else ""


def work_url(names: dict[str, str]) -> str | None:
    """Where a work is to be found by its names."""
    if "arxiv" in names:
        return f"https://arxiv.org/abs/{names['arxiv']}"
    if "doi" in names:
        return f"https://doi.org/{names['doi']}"
    if "pmid" in names:
        return f"https://pubmed.ncbi.nlm.nih.gov/{names['pmid']}/"
    return None


def person(given: object, family: object, suffix: object = "") -> str:
    """A name as a reader writes it: `Ada Lovelace`, `Martin Luther King Jr.`."""
    parts = (" ".join(part.split()) for part in (given, family, suffix) if isinstance(part, str))
    return " ".join(part for part in parts if part)


def turned(name: str) -> str:
    """`Lovelace, Ada` and `King, Martin Luther, Jr.` as `person` has them; other forms stay."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2:
        return person(parts[1], parts[0])
    if len(parts) == 3:
        given, suffix = (parts[2], parts[1]) if _is_suffix(parts[1]) else (parts[1], parts[2])
        return person(given, parts[0], suffix)
    return " ".join(name.split())


def seconds(text: object) -> int | None:
    """A date or time in ISO form, or the beginning of one, in seconds since 1970; None for anything else."""
    text = str(text or "").strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = re.match(r"(\d{4})(?:[-/ ](\d{1,2}))?(?:[-/ ](\d{1,2}))?(?!\d)", text)
        return date(*(int(part) for part in found.groups() if part)) if found else None
    try:
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except OverflowError:  # the first or last day there is, in a zone beyond it
        return None


def date(year: int, month: int = 1, day: int = 1) -> int | None:
    """A date in seconds since 1970; None if there is no such day."""
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return None


def month(text: str) -> int:
    """The number of a month, written as a word, a number or not at all; then 1."""
    text = text.strip().lower()
    if text[:3] in _MONTHS:
        return _MONTHS.index(text[:3]) + 1
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 and 1 <= int(text) <= 12 else 1


def day_of(stamps: Iterable[int | None]) -> str | None:
    """The latest of some moments, as `2026-03-02`; what lies before 1970 or after 9999 is none."""
    latest = max((stamp for stamp in stamps if stamp is not None and 0 <= stamp <= _LATEST), default=None)
    return None if latest is None else datetime.fromtimestamp(latest, UTC).date().isoformat()


def markup_text(markup: object) -> str:
    """The paragraphs of a piece of JATS, HTML or MathML; formulas as the characters they are made of."""
    if not isinstance(markup, str) or not markup.strip():
        return ""
    if "<" not in markup and "&" not in markup:
        return _paragraphs(markup)
    markup = _JATS_TITLE.sub(r"<\1h4", _PREFIX.sub(r"<\1", markup[: 10 * MAX_TEXT].replace("\0", "\ufffd")))
    tree = parse_html(markup)
    return "" if tree is None else _paragraphs("".join(_pieces(tree)))


def markup_line(markup: object) -> str:
    """A title with markup, in one line."""
    return " ".join(markup_text(markup).split())


def element_text(element: Element) -> str:
    """All text below an element in one line; empty for None."""
    return "" if element is None else " ".join("".join(_pieces(element)).split())


def _pieces(tree: Element) -> list[str]:
    out: list[str] = []
    walk = lxml.etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event in ("comment", "pi"):
            out.append(element.tail or "")
            continue
        tag = lxml.etree.QName(element).localname
        if event == "start":
            if tag in _PARAGRAPHS:
                out.append("\n\n")
            if tag == "tex-math":
                out.append(_tex(element))
            if tag in _REPEATS or tag == "tex-math":
                walk.skip_subtree()
                continue
            out.append(element.text or "")
        else:
            if tag in _PARAGRAPHS:
                out.append("\n\n")
            if element is not tree:
                out.append(element.tail or "")
    return out


def _tex(element: Element) -> str:
    """A formula in TeX, unless the same one follows in MathML."""
    beside = element.getparent()
    if beside is not None and any(lxml.etree.QName(e).localname == "math" for e in beside.iterchildren("*")):
        return ""
    source = "".join(element.itertext())
    found = _TEX_BODY.search(source)
    return (found.group(1) if found else source).replace("$$", "$")


def _paragraphs(text: str) -> str:
    return "\n\n".join(line for part in text.split("\n\n") if (line := " ".join(part.split())))


def _is_suffix(text: str) -> bool:
    return text.rstrip(".").lower() in ("jr", "sr", "ii", "iii", "iv")
