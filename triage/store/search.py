"""Full-text search by SQLite's FTS5. One of the two modules that may hold SQL of one database only.

Owns the index, and the forms in which texts and queries meet in it. The index keeps no text of its own.
"""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from triage.core.text import UNSPACED

if TYPE_CHECKING:
    from triage.core.query import Query, Term

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
_SYMBOLS = "\u2100-\u214f\u2190-\u23ff\u2500-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_ALONE = re.compile(f"([{UNSPACED}{_SYMBOLS}])")
_UNWRITTEN = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670\ufe0f]")
"""Vowel points of Hebrew and Arabic and the line that stretches a word, which most people leave out."""
_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
"""Latin letters that no decomposition leads to the ones that people type for them."""


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
        forget(connection, known)
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


def find(
    connection: Connection,
    query: Query,
    now: datetime,
    limit: int,
    *,
    marked: Mapping[str, Collection[int]] | None = None,
) -> list[int]:
    """Ids of the items that a search is for: best first by BM25, the newest first where no word is wanted.

    Nothing in a query is taken as syntax of the index.

    Args:
        connection: To read with.
        query: What must hold.
        now: What ages are counted from.
        limit: The most ids.
        marked: Of each `is:` word in the query but `new`, the ids of the items that it holds of; of `new`,
            those that it does not hold of.
    """
    tests, values = _tests(connection, query.narrowing, now, marked or {})
    wanted = " ".join(_match(term) for term in query.wanted)
    number, source, order = "item.id", "item", f"{_DATE} DESC, item.id DESC"
    if wanted:
        number, source = "rowid", "item_search"
        order = "bm25(item_search, ?, ?, ?, ?, ?), item_search.rowid DESC"
        if tests:
            number, source = "item.id", "item_search JOIN item ON item.id = item_search.rowid"
        tests.insert(0, "item_search MATCH ?")
        values = [wanted, *values, *WEIGHTS]
    # Every part of the statement is one of the texts in this module; what was typed is a value.
    where = " AND ".join(tests)
    statement = f"SELECT {number} FROM {source} WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
    rows = connection.exec_driver_sql(statement, (*values, limit))
    return [int(row[0]) for row in rows]


def with_titles(connection: Connection, query: Query, ids: Collection[int]) -> set[int]:
    """Those of some items that have every wanted word of a search in their title."""
    wanted = query.wanted
    if not wanted or any(term.place == "text" for term in wanted):
        return set()
    in_title = " ".join(_match(dataclasses.replace(term, place="title")) for term in wanted)
    rows = connection.exec_driver_sql(
        "SELECT rowid FROM item_search WHERE item_search MATCH ?"
        " AND rowid IN (SELECT value FROM json_each(?))",
        (in_title, json.dumps(list(ids))),
    )
    return {int(row[0]) for row in rows}


_DATE = "coalesce(item.published_at, item.first_seen_at)"
_COLUMNS = {"title": "title : ", "text": "text : ", "from": "people : ", "tag": "tags : "}
_INDEXED = "item.id IN (SELECT rowid FROM item_search WHERE item_search MATCH ?)"
_FROM = "item.source_id IN (SELECT value FROM json_each(?))"


def _match(term: Term) -> str:
    """A term as the index takes it."""
    star = "*" if term.prefix else ""
    return f"{_COLUMNS.get(term.place, '')}{phrase(folded(term.value))}{star}"


def _tests(
    connection: Connection, query: Query, now: datetime, marked: Mapping[str, Collection[int]]
) -> tuple[list[str], list[object]]:
    """What must hold besides the words, as conditions and their values."""
    from triage.core.query import moment  # who only indexes needs no queries, nor the rules they are made of

    tests: list[str] = []
    values: list[object] = []
    for term in query.terms:
        match term.place:
            case "kind":
                test, value = "item.kind = ?", [term.value]
            case "is":
                ids = json.dumps(list(marked.get(term.value, ())))
                test, value = "item.id IN (SELECT value FROM json_each(?))", [ids]
            case "before" | "after":
                sign = "<" if term.place == "before" else ">="
                stored = moment(term.value, now).astimezone(UTC).replace(tzinfo=None)
                test, value = f"{_DATE} {sign} ?", [stored.isoformat(" ", "microseconds")]
            case "source":
                test, value = _FROM, [_sources(connection, term)]
            case "from" | "tag":
                test, value = f"({_INDEXED} OR {_FROM})", [_match(term), _sources(connection, term)]
            case _:
                test, value = _INDEXED, [_match(term)]
        negated = term.negated != (term.place == "is" and term.value == "new")
        tests.append(f"NOT {test}" if negated else test)
        values += value
    return tests, values


def _sources(connection: Connection, term: Term) -> str:
    """Ids of the sources that a term names, by title or address, or by a tag; in JSON."""
    wanted = plain(term.value)
    found = []
    rows = connection.exec_driver_sql("SELECT id, title, target, tags FROM source")
    for number, title, target, tags in rows:
        if term.place == "tag":
            holds = any(_holds(wanted, plain(tag), term.prefix) for tag in json.loads(tags))
        else:
            holds = wanted in plain(title) or wanted in target.casefold()
        if holds:
            found.append(number)
    return json.dumps(found)


def _holds(wanted: str, tag: str, prefix: bool) -> bool:
    return tag.startswith(wanted) if prefix else wanted == tag or wanted in tag.split()


def plain(text: str) -> str:
    """A name without what depends on who has typed it, for comparing in Python."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in letters if not unicodedata.combining(char)).translate(_LETTERS)


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
