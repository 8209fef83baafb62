"""Bibliographies: BibTeX and RIS to entries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import rispy
from bibtexparser.entrypoint import parse_string
from bibtexparser.library import Library
from bibtexparser.middlewares import RemoveEnclosingMiddleware, ResolveStringReferencesMiddleware
from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import DuplicateBlockKeyBlock, Entry, ParsingFailedBlock

from ingestors.parsers.document import decode
from ingestors.parsers.latex import latex_to_text
from ingestors.parsers.records import (
    MAX_NAMES,
    date,
    doi_in,
    month,
    seconds,
    turned,
    work_names,
    work_url,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict, unique_entries, web_url

PORTION = 400
"""Entries decoded in one task: LaTeX takes up to 4 ms an entry with an abstract."""
MAX_ENTRIES = 10_000

_BIBTEX = re.compile(r"^\s*@\s*[a-z]+\s*[{(]", re.MULTILINE | re.IGNORECASE)
_RIS_START = re.compile(r"^[ \t]*TY  -", re.MULTILINE)
_ISO_DATE = re.compile(r"\d{4}(?:-\d\d?){0,2}$")
_LIST = re.compile(r"\s*[,;]\s*")


def parse_bibliography(body: bytes, start: int = 0, count: int = PORTION) -> dict[str, Any]:
    """Reads a portion of a BibTeX or RIS file.

    Args:
        body: The file.
        start: Number of the first entry to read, from 0.
        count: How many to read.

    Returns:
        `format` ("BibTeX" or "RIS"), `entries`, `refusals` (of the whole file, with the first portion),
        `count` (entries read in this portion) and `total` (entries in the file).

    Raises:
        RefusalError: It is neither.
    """
    text = decode(body).replace("\r\n", "\n").replace("\r", "\n")
    records: list[Any]
    refusals: list[dict[str, str]] = []
    if _RIS_START.search(text):
        form, records = "RIS", _ris_records(text)
    elif _BIBTEX.search(text):
        form = "BibTeX"
        records, refusals = _bibtex_records(text)
    else:
        raise RefusalError("it is neither BibTeX nor RIS")
    if len(records) > MAX_ENTRIES:
        reason = f"only {MAX_ENTRIES} are read"
        refusals.append({"name": f"entries from {MAX_ENTRIES + 1} on", "reason": reason})
    refusals = refusals if start == 0 else []
    entries: list[EntryDict] = []
    portion: list[Any] = records[start : min(start + count, MAX_ENTRIES)]
    for number, record in enumerate(portion, start + 1):
        try:
            entries.append(_entry(record))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            refusals.append({"name": f"entry {number}", "reason": "it is incomplete or damaged"})
    return {
        "format": form,
        "entries": unique_entries(entries, first_keeps=True),
        "refusals": refusals,
        "count": len(portion),
        "total": min(len(records), MAX_ENTRIES),
    }


def _entry(record: Entry | dict[str, Any]) -> EntryDict:
    return _bibtex_entry(record) if isinstance(record, Entry) else _ris_entry(record)


def _bibtex_records(text: str) -> tuple[list[Entry], list[dict[str, str]]]:
    library = parse_string(text)
    records: list[Entry] = []
    refusals: list[dict[str, str]] = []
    for block in library.blocks:
        if isinstance(block, Entry):
            records.append(block)
        elif isinstance(block, DuplicateBlockKeyBlock) and isinstance(block.ignore_error_block, Entry):
            records += _duplicate(block.ignore_error_block, library)
        elif isinstance(block, ParsingFailedBlock):
            line = (block.start_line or 0) + 1
            reason = "a brace or a quotation mark is left open"
            refusals.append({"name": f"the entry in line {line}", "reason": reason})
    return records, refusals


def _duplicate(entry: Entry, library: Library) -> list[Entry]:
    """An entry whose key is taken, which the library leaves as it was written; its content names it."""
    entry.key = ""
    alone = Library([*library.strings, entry])
    for step in (ResolveStringReferencesMiddleware(), RemoveEnclosingMiddleware()):
        alone = step.transform(alone)
    return alone.entries


def _bibtex_entry(entry: Entry) -> EntryDict:
    fields = {field.key.lower(): str(field.value) for field in entry.fields}
    text_of = {key: latex_to_text(fields[key]) for key in ("title", "subtitle", "abstract") if key in fields}
    names = _bibtex_names(fields)
    title = ": ".join(filter(None, (text_of.get("title"), text_of.get("subtitle"))))
    venue = fields.get("journal") or fields.get("journaltitle") or fields.get("booktitle") or ""
    url = latex_to_text(fields.get("url", "")) if "\\" in fields.get("url", "") else fields.get("url")
    return entry_dict(
        key=entry.key or None,
        title=title,
        text=_unwrapped(text_of.get("abstract", "")),
        url=web_url(url) or work_url(names),
        people=list(_bibtex_people(fields.get("author") or fields.get("editor") or "")),
        published=_bibtex_date(fields),
        tags=_LIST.split(latex_to_text(fields.get("keywords", ""))),
        identifiers={**names, "venue": " ".join(latex_to_text(venue).split())},
    )


def _bibtex_names(fields: Mapping[str, str]) -> dict[str, str]:
    archive = (fields.get("archiveprefix") or fields.get("eprinttype") or "").lower()
    eprint = fields.get("eprint", "")
    preprint = next(
        (fields[k] for k in ("journal", "note", "url") if "arxiv" in fields.get(k, "").lower()), ""
    )
    return work_names(
        doi=(fields.get("doi") or fields.get("url", "")).replace("\\", ""),
        arxiv=eprint if archive in ("", "arxiv") and eprint else preprint,
        pmid=fields.get("pmid") or (eprint if archive in ("pubmed", "pmid") else ""),
        pmcid=fields.get("pmcid") or fields.get("pmc"),
    )


def _bibtex_people(field: str) -> Iterator[str]:
    for name in split_multiple_persons_names(field)[:MAX_NAMES]:
        if name.strip().lower() == "others":
            continue
        parts = parse_single_name_into_parts(name, strict=False)
        written = " ".join((*parts.first, *parts.von, *parts.last, *parts.jr))
        yield " ".join(latex_to_text(written).split())


def _bibtex_date(fields: Mapping[str, str]) -> int | None:
    if _ISO_DATE.fullmatch(fields.get("date", "").partition("/")[0].strip()):
        return seconds(fields["date"].partition("/")[0])
    year = re.search(r"\d{4}", fields.get("year", "") or fields.get("date", ""))
    day = fields.get("day", "")
    if year is None:
        return None
    return date(int(year.group()), month(fields.get("month", "")), int(day) if day.isdecimal() else 1)


def _ris_records(text: str) -> list[dict[str, Any]]:
    """Each record alone: one that its writer forgot to end is ended by the next, and hides no other."""
    starts = [match.start() for match in _RIS_START.finditer(text)]
    parts = [text[at:end].strip() for at, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    parts = parts[: MAX_ENTRIES + 1]
    records: list[dict[str, Any]] = [next(iter(rispy.loads(f"{part}\nER  - ")), {}) for part in parts]
    known: set[str] = set()
    for record in records:
        names = [name for name in (record.get("id"), doi_in(record.get("doi"))) if name]
        record["key"] = next((name for name in names if name not in known), None)
        known.add(record["key"])
    return records


def _ris_entry(data: Mapping[str, Any]) -> EntryDict:
    doi = data.get("doi", "")
    urls = [url for link in data.get("urls", []) if (url := web_url(link))]
    names = work_names(
        doi=doi or next((url for url in urls if "doi.org/" in url), ""),
        arxiv=next((url for url in urls if "arxiv.org/" in url), ""),
        pmid=data.get("accession_number") if "pubmed" in data.get("name_of_database", "").lower() else "",
    )
    people = data.get("authors") or data.get("first_authors") or data.get("secondary_authors") or []
    venue = next(
        (data[k] for k in ("secondary_title", "journal_name", "alternate_title3") if data.get(k)), ""
    )
    when = data.get("date") or data.get("year") or data.get("publication_year")
    return entry_dict(
        key=data["key"],
        title=data.get("title") or data.get("primary_title") or "",
        text=_unwrapped(data.get("abstract") or data.get("notes_abstract") or ""),
        url=next(iter(urls), None) or work_url(names),
        people=[turned(name) for name in people[:MAX_NAMES]],
        published=seconds(when.strip("/ ")) if when else None,
        tags=data.get("keywords", []),
        identifiers={**names, "venue": venue},
    )


def _unwrapped(text: str) -> str:
    """Paragraphs, without the line breaks that a program put in to fill its lines."""
    return "\n\n".join(line for part in re.split(r"\n\s*\n", text) if (line := " ".join(part.split())))
