"""Measures the ranker on decisions that somebody made: plain files in, plain scores out.

Owns the form of tasks and rows, and the path from texts to scores: it is that of the product, split,
encode, count, rank. Nothing of the texts' origin is used: no source, no people, no dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.cache import Encode
from model.corpus import Corpus
from model.highlight import salience
from model.jsonl import Row, read_rows
from model.lexical import count_terms
from model.passages import one_piece, split
from model.ranker import Ranker
from model.types import Document, Interest, Label, Passage, Profile

CHUNK = 500
"""Rows whose documents form one corpus when sentences are scored: word frequencies come from them."""

Clean = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Task:
    """What a ranker is told of one reader, and the documents that it must score."""

    name: str
    labels: tuple[Label, ...]
    phrases: tuple[str, ...]
    candidates: tuple[str, ...]

    @property
    def documents(self) -> list[str]:
        """Ids of all documents of the task, without repeats."""
        return list(dict.fromkeys([label.document for label in self.labels] + list(self.candidates)))


@dataclass(frozen=True, slots=True)
class Sentences:
    """A document in sentences, to be scored for a query, or without one for what they say of it."""

    id: str
    query: str | None
    title: str
    sentences: tuple[str, ...]


def read_items(paths: Sequence[Path], clean: Clean) -> dict[str, Document]:
    """Documents by id from files of {id, title, text}; other fields are ignored.

    Raises:
        InvalidInput: A file or line cannot be used, or an id repeats.
    """
    items: dict[str, Document] = {}
    for path in paths:
        for row in read_rows(path):
            name = row.text("id")
            if name in items:
                raise row.error(f"the id {name!r} was seen before")
            title, text = row.optional_text("title") or "", row.optional_text("text") or ""
            items[name] = Document(id=name, title=clean(title), text=clean(text))
    return items


def read_tasks(path: Path, items: Mapping[str, Document], clean: Clean) -> list[Task]:
    """Tasks from a file of {task, labels: [[id, 0|1|2]], phrases, candidates}.

    Raises:
        InvalidInput: A line cannot be used, names an unknown document, or a task's name repeats.
    """
    tasks: dict[str, Task] = {}
    for row in read_rows(path):
        task = Task(
            row.text("task"),
            tuple(_label(row, pair) for pair in row.items("labels")),
            tuple(clean(phrase) for phrase in row.texts("phrases")) if row.fields.get("phrases") else (),
            tuple(row.texts("candidates")),
        )
        if not task.candidates:
            raise row.error("`candidates` is empty")
        if len(set(task.candidates)) < len(task.candidates):
            raise row.error("`candidates` repeats an id")
        unknown = next((name for name in task.documents if name not in items), None)
        if unknown is not None:
            raise row.error(f"no item has the id {unknown!r}")
        if task.name in tasks:
            raise row.error(f"the task {task.name!r} was seen before")
        tasks[task.name] = task
    return list(tasks.values())


def read_sentences(path: Path, clean: Clean) -> list[Sentences]:
    """Rows from a file of {id, query, title, sentences}; query and title may be null.

    Raises:
        InvalidInput: A line cannot be used.
    """
    return [
        Sentences(
            row.text("id"),
            clean(query) if (query := row.optional_text("query")) else None,
            clean(row.optional_text("title") or ""),
            tuple(clean(sentence) for sentence in row.texts("sentences")),
        )
        for row in read_rows(path)
    ]


def rank_tasks(
    items: Mapping[str, Document],
    tasks: Sequence[Task],
    encode: Encode,
    readable: Callable[[str], bool] = lambda _: True,
) -> Iterator[dict[str, Any]]:
    """Scores every task by itself: {"task", "scores": {id: P(relevant)}, "probability": true}.

    Args:
        items: By id; every id of the tasks is among them.
        tasks: Independent of each other.
        encode: Texts to vectors.
        readable: Whether the encoder knows the language of a text; the others rank by their words.
    """
    used = {name: items[name] for task in tasks for name in task.documents}
    parts = {name: split(item.title, item.text) for name, item in used.items()}
    terms = {name: count_terms(item.title, item.text) for name, item in used.items()}
    vectors = _encode_documents(used, parts, encode, readable)
    wholes = _encode_wholes(used, encode, readable)
    phrases = list(dict.fromkeys(phrase for task in tasks for phrase in task.phrases))
    meaning = dict(zip(phrases, encode(phrases), strict=True))
    for task in tasks:
        names = task.documents
        corpus = Corpus(
            [items[name] for name in names],
            [parts[name] for name in names],
            np.concatenate([vectors[name] for name in names]),
            [terms[name] for name in names],
            np.stack([wholes[name] for name in names]),
        )
        interests = tuple(Interest(phrase) for phrase in dict.fromkeys(task.phrases))
        ranking = Ranker(corpus).fit(Profile(interests, task.labels), meaning)
        scores = {name: float(ranking.probabilities[corpus.row[name]]) for name in task.candidates}
        yield {"task": task.name, "scores": scores, "probability": True}


def highlight_rows(
    rows: Iterable[Sentences], encode: Encode, readable: Callable[[str], bool] = lambda _: True
) -> Iterator[dict[str, Any]]:
    """Scores every sentence of every row, in order: {"id", "scores": [a number a sentence]}.

    With a query the score is the sentence's contribution to the document's logit for a reader who asked
    for just that; without one it is how much the sentence says of its document.
    """
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield from _highlight_chunk(chunk, encode, readable)


def _highlight_chunk(
    rows: Sequence[Sentences], encode: Encode, readable: Callable[[str], bool]
) -> Iterator[dict[str, Any]]:
    documents, parts = {}, {}
    for number, row in enumerate(rows):
        name = str(number)
        documents[name] = Document(id=name, title=row.title, text="\n".join(row.sentences))
        parts[name] = _sentence_passages(row)
    vectors = _encode_documents(documents, parts, encode, readable)
    corpus = Corpus(
        list(documents.values()),
        list(parts.values()),
        np.concatenate(list(vectors.values())),
        [count_terms(document.title, document.text) for document in documents.values()],
    )
    queries = list(dict.fromkeys(row.query for row in rows if row.query is not None))
    meaning = dict(zip(queries, encode(queries), strict=True))
    for number, row in enumerate(rows):
        name = str(number)
        if row.query is None:
            title = vectors[name][0] if row.title.strip() else None
            scores = salience(vectors[name][len(vectors[name]) - len(row.sentences) :], title)
        else:
            ranking = Ranker(corpus).fit(Profile((Interest(row.query),)), meaning)
            scores = ranking.passage_contributions(name)[len(parts[name]) - len(row.sentences) :]
        yield {"id": row.id, "scores": [float(score) for score in scores]}


def _sentence_passages(row: Sentences) -> list[Passage]:
    """The title, if any, and each sentence as a passage of its own."""
    passages = [Passage("title", 0, len(row.title))] if row.title.strip() else []
    start = 0
    for sentence in row.sentences:
        passages.append(Passage("text", start, start + len(sentence)))
        start += len(sentence) + 1
    return passages


def _encode_documents(
    documents: Mapping[str, Document],
    parts: Mapping[str, Sequence[Passage]],
    encode: Encode,
    readable: Callable[[str], bool],
) -> dict[str, NDArray[np.float32]]:
    """Vectors (passages, dim) of each document; zero for those in a language that the encoder cannot read."""
    texts: list[str] = []
    places: list[tuple[str, int, int]] = []
    for name, document in documents.items():
        fields = {"title": document.title, "text": document.text}
        found = [fields[part.field][part.start : part.end] for part in parts[name]]
        if readable(f"{document.title} {document.text}"):
            places.append((name, len(texts), len(texts) + len(found)))
            texts += found
    encoded = encode(texts)
    vectors = {name: np.zeros((len(parts[name]), encoded.shape[1]), dtype=np.float32) for name in documents}
    vectors |= {name: encoded[start:end] for name, start, end in places}
    return vectors


def _encode_wholes(
    documents: Mapping[str, Document], encode: Encode, readable: Callable[[str], bool]
) -> dict[str, NDArray[np.float32]]:
    """The vector (dim,) of each document in one piece; zero for long ones and those that nobody can read."""
    texts = {name: one_piece(document.title, document.text) for name, document in documents.items()}
    short = {name: text for name, text in texts.items() if text is not None and readable(text)}
    encoded = encode(list(short.values()))
    nothing = np.zeros(encoded.shape[1], dtype=np.float32)
    return dict.fromkeys(documents, nothing) | dict(zip(short, encoded, strict=True))


def _label(row: Row, pair: object) -> Label:
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and pair[1] in (0, 1, 2)):
        raise row.error("`labels` must be a list of pairs [id, 0, 1 or 2]")
    return Label(pair[0], float(pair[1]))
