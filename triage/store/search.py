"""Full-text search by SQLite's FTS5. One of the two modules that may hold SQL of one database only."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

_CJK = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class SearchRow:
    """What is indexed of an item."""

    id: int
    title: str
    text: str
    people: Sequence[str]
    source: str


def index(connection: Connection, rows: Sequence[SearchRow]) -> None:
    """Indexes items, in place of what was indexed of them before."""
    if not rows:
        return
    # By key, in one statement: a delete an item costs a seek an item even where there is nothing to delete.
    ids = json.dumps([row.id for row in rows])
    connection.exec_driver_sql(
        "DELETE FROM item_search WHERE rowid IN (SELECT value FROM json_each(?))", (ids,)
    )
    connection.exec_driver_sql(
        "INSERT INTO item_search (rowid, title, text, people, source) VALUES (?, ?, ?, ?, ?)",
        [
            (
                row.id,
                _spaced(row.title),
                _spaced(row.text),
                _spaced(" ".join(row.people)),
                _spaced(row.source),
            )
            for row in rows
        ],
    )


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Takes items out of the index."""
    connection.exec_driver_sql(
        "DELETE FROM item_search WHERE rowid IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )


def search(connection: Connection, query: str, limit: int) -> list[int]:
    """Ids of items that hold every word of `query`, the last one as a prefix, best first by BM25.

    A hit in the title counts four times one in the text. Nothing in `query` is taken as syntax.
    """
    words = _WORD.findall(_spaced(query))
    if not words:
        return []
    terms = [f'"{word}"' for word in words]
    if not _CJK.search(words[-1]):
        terms[-1] += "*"
    rows = connection.exec_driver_sql(
        "SELECT rowid FROM item_search WHERE item_search MATCH ?"
        " ORDER BY bm25(item_search, 4.0, 1.0, 2.0, 1.0), rowid DESC LIMIT ?",
        (" ".join(terms), limit),
    )
    return [int(row[0]) for row in rows]


def _spaced(text: str) -> str:
    """A space around every CJK character, so that the tokenizer takes each for a word."""
    return text if text.isascii() else _CJK.sub(r" \1 ", text)
