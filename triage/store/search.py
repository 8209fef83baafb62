"""Full-text search by SQLite's FTS5. One of the two modules that may hold SQL of one database only.

Owns the index, and the forms in which texts and queries meet in it. The index keeps no text of its own.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

TABLE = (
    # Marks and symbols are parts of words: without them Hindi falls apart, and no emoji is found.
    "CREATE VIRTUAL TABLE item_search USING fts5(title, text, people, source, tags, content = '',"
    " contentless_delete = 1,"
    " tokenize = \"unicode61 remove_diacritics 2 categories 'L* M* N* Co So'\")"
)
SETTINGS = {"automerge": 0, "crisismerge": 256, "hashsize": 8_000_000}
"""A commit makes a segment, 256 of them are merged at once. By default four are, and 100,000 items take 8.3
instead of 3.5 s to index; a look into 256 segments takes 2 ms instead of half of one."""
WEIGHTS = (4.0, 1.0, 2.0, 1.0, 2.0)
"""What a hit in the title, text, people, source and tags counts for."""
CHUNK = 500
"""Items that are indexed anew at a time."""

_BETWEEN = " \ue000 "
"""A word of its own between two names, so that no phrase reaches from one into the next."""
_SPECIAL = re.compile(
    "[^\x00-\xa7\xa9\xab-\xae\xb1\xb6\xb7\xbb\xbf-\xc5\xc7-\xcf\xd1-\xd7\xd9-\xdd\xe0-\xe5\xe7-\xef\xf1-\xf7"
    "\xf9-\xfd\xff-\u010f\u0112-\u012f\u0134-\u013e\u0143-\u0148\u014a-\u0151\u0154-\u017e"
    "\u0391-\u03a9\u03b1-\u03c1\u03c3-\u03c9\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e]"
)
"""What the tokenizer alone does not read as a reader would."""
_SCRIPTS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana, Han; and Hangul, whose endings are syllables: no spaces between words."""
_SYMBOLS = "\u2100-\u214f\u2190-\u23ff\u2500-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_ALONE = re.compile(f"([{_SCRIPTS}{_SYMBOLS}])")
_UNWRITTEN = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670\ufe0f]")
"""Vowel points of Hebrew and Arabic and the line that stretches a word, which most people leave out."""
_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
"""Latin letters that no decomposition leads to the ones that people type for them."""
_WORD = re.compile(rf"\w|[{_SYMBOLS}]")


@dataclass(frozen=True, slots=True)
class SearchRow:
    """What is indexed of an item."""

    id: int
    title: str
    text: str
    people: Sequence[str]
    source: str
    tags: Sequence[str] = ()


def create(connection: Connection) -> None:
    """Creates the index, empty, in the place of one that is there."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS item_search")
    connection.exec_driver_sql(TABLE)
    for name, value in SETTINGS.items():
        connection.exec_driver_sql("INSERT INTO item_search (item_search, rank) VALUES (?, ?)", (name, value))


def rebuild(connection: Connection) -> None:
    """Indexes all that is stored anew, some items at a time: memory does not grow with their number."""
    create(connection)
    last = 0
    while True:
        found = connection.exec_driver_sql(
            "SELECT item.id, item.title, item_text.text, item.people, source.title, item.tags FROM item"
            " JOIN source ON source.id = item.source_id LEFT JOIN item_text ON item_text.item_id = item.id"
            " WHERE item.id > ? ORDER BY item.id LIMIT ?",
            (last, CHUNK),
        ).all()
        if not found:
            return
        last = found[-1][0]
        _insert(
            connection,
            (
                SearchRow(row, title, text or "", json.loads(people), source, json.loads(tags))
                for row, title, text, people, source, tags in found
            ),
        )


def index(connection: Connection, rows: Sequence[SearchRow]) -> None:
    """Indexes items, in place of what was indexed of them before."""
    if not rows:
        return
    # By key, in one statement, and only where there can be something: looking for each new item takes a tenth
    # of the time of indexing it.
    last = connection.exec_driver_sql("SELECT max(id) FROM item_search_docsize").scalar() or 0
    if known := [row.id for row in rows if row.id <= last]:
        connection.exec_driver_sql(
            "DELETE FROM item_search WHERE rowid IN (SELECT value FROM json_each(?))", (json.dumps(known),)
        )
    _insert(connection, rows)


def _insert(connection: Connection, rows: Iterable[SearchRow]) -> None:
    connection.exec_driver_sql(
        "INSERT INTO item_search (rowid, title, text, people, source, tags) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                row.id,
                folded(row.title),
                folded(row.text),
                folded(_BETWEEN.join(row.people)),
                folded(row.source),
                folded(_BETWEEN.join(row.tags)),
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
    words = [folded(word) for word in query.split() if _WORD.search(word)]
    if not words:
        return []
    rows = connection.exec_driver_sql(
        "SELECT rowid FROM item_search WHERE item_search MATCH ?"
        " ORDER BY bm25(item_search, ?, ?, ?, ?, ?), rowid DESC LIMIT ?",
        (" ".join(phrase(word) for word in words) + "*", *WEIGHTS, limit),
    )
    return [int(row[0]) for row in rows]


def phrase(words: str) -> str:
    """Folded words as FTS5 takes them for a phrase, whatever they are."""
    return '"' + words.replace('"', " ").replace("\0", " ") + '"'


def folded(text: str) -> str:
    """A text as it is indexed and looked for: without what depends on who has typed it.

    Width, case and the vowel points of Hebrew and Arabic go; a character of a script without spaces, or a
    symbol, stands alone, so that the tokenizer takes it for a word. The rest is left to the tokenizer.
    """
    if text.isascii() or not _SPECIAL.search(text):
        return text
    text = _UNWRITTEN.sub("", unicodedata.normalize("NFKC", text).casefold()).translate(_LETTERS)
    return _ALONE.sub(r" \1 ", text)
