"""Measures the grouping of documents into stories: plain files in, plain groups out.

Owns the form of the rows, and the path from texts to groups: that of the product, split, encode, compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from model.cache import Encode
from model.evaluate import Clean, Prepared, read_documents
from model.jsonl import Row
from model.particulars import is_answer, particulars
from model.stories import Report, Stories, wholes

DATES = ("published", "date", "seen")
"""Fields that may say when a document was published; the first that is there counts."""


def group(
    paths: Sequence[Path],
    clean: Clean,
    encode: Encode,
    readable: Callable[[str], bool] = lambda _: True,
) -> Iterator[dict[str, Any]]:
    """Groups the documents of some files as they come: {"id", "story": id of the story's first document}.

    Arguments and errors as for `read_reports`.
    """
    reports = read_reports(paths, clean, encode, readable)
    names = list(reports)
    for number, story in Stories().add(list(reports.values())).items():
        yield {"id": names[number], "story": names[story]}


def read_reports(
    paths: Sequence[Path], clean: Clean, encode: Encode, readable: Callable[[str], bool] = lambda _: True
) -> dict[str, Report]:
    """The documents of some files by id, ready to be compared.

    Rows are {id, title, text} and, where known, {kind, source, published, people, identifiers, parent}.

    Args:
        paths: Files of documents, in the order in which these came in.
        clean: Sanitises what will be shown.
        encode: Texts to vectors.
        readable: Whether the encoder knows the language of a text; the others are compared by their words.

    Raises:
        InvalidInput: A file or line cannot be used, or an id repeats.
    """
    rows, documents = {}, {}
    for row, document in read_documents(paths, clean):
        rows[document.id], documents[document.id] = row, document
    if not documents:
        return {}
    numbers = {name: number for number, name in enumerate(documents)}
    prepared = Prepared.of(documents, encode, readable)
    vectors = wholes(
        np.concatenate(list(prepared.vectors.values())), [len(each) for each in prepared.vectors.values()]
    )
    return {
        name: Report(
            id=number,
            particulars=particulars(documents[name].title, documents[name].text),
            vector=vectors[number],
            published=_published(rows[name]),
            kind=rows[name].optional_text("kind") or "",
            source=rows[name].optional_text("source") or "",
            people=frozenset(rows[name].texts("people") if rows[name].fields.get("people") else ()),
            identifiers=_identifiers(rows[name]),
            parent=numbers.get(rows[name].optional_text("parent") or ""),
            answers=is_answer(documents[name].title),
        )
        for name, number in numbers.items()
    }


def _published(row: Row) -> float | None:
    """Unix seconds, from RFC 3339 or a plain date, which is taken for UTC."""
    for name in DATES:
        value = row.fields.get(name)
        if value is None:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        try:
            moment = datetime.fromisoformat(row.text(name))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except ValueError as error:
            raise row.error(f"`{name}` must be a date such as 2026-03-01 or 2026-03-01T09:30:00Z") from error
    return None


def _identifiers(row: Row) -> dict[str, str]:
    value = row.fields.get("identifiers") or {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise row.error("`identifiers` must be an object of strings")
    return value
