"""Measures the ranker on decisions that somebody made: plain files in, plain scores out.

Owns the form of tasks and rows, and the path from texts to scores: it is that of the product, split,
encode, count, rank. Nothing of the texts' origin is used: no source, no people, no dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import highlight
from model.cache import Encode
from model.corpus import Corpus
from model.jsonl import Row, read_rows
from model.lexical import Terms, TfIdf, count_terms
from model.passages import split, to_encode
from model.ranker import Ranker
from model.types import Document, Interest, Label, Passage, Profile, Window

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
    return {document.id: document for _, document in read_documents(paths, clean)}


def read_documents(paths: Sequence[Path], clean: Clean) -> Iterator[tuple[Row, Document]]:
    """The documents of `read_items`, each with the row that it stands in."""
    known: set[str] = set()
    for path in paths:
        for row in read_rows(path):
            name = row.text("id")
            if name in known:
                raise row.error(f"the id {name!r} was seen before")
            known.add(name)
            title, text = row.optional_text("title") or "", row.optional_text("text") or ""
            yield row, Document(id=name, title=clean(title), text=clean(text))


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """Documents with all that a corpus needs of them, so that corpora of some of them cost no encoding."""

    documents: Mapping[str, Document]
    parts: Mapping[str, Sequence[Passage]]
    terms: Mapping[str, Terms]
    vectors: Mapping[str, NDArray[np.float32]]

    @classmethod
    def of(
        cls,
        documents: Mapping[str, Document],
        encode: Encode,
        readable: Callable[[str], bool] = lambda _: True,
    ) -> Prepared:
        """Splits, counts and encodes each document once; arguments as for `rank_tasks`."""
        parts = {name: split(document.title, document.text) for name, document in documents.items()}
        return cls(
            documents,
            parts,
            {name: count_terms(item.title, item.text, parts[name]) for name, item in documents.items()},
            _encode_documents(documents, parts, encode, readable),
        )

    def corpus(self, names: Sequence[str]) -> Corpus:
        """The corpus of these documents, in this order."""
        return Corpus(
            [self.documents[name] for name in names],
            [self.parts[name] for name in names],
            np.concatenate([self.vectors[name] for name in names]),
            [self.terms[name] for name in names],
        )


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
    prepared = Prepared.of(used, encode, readable)
    meaning = encode_phrases([phrase for task in tasks for phrase in task.phrases], encode)
    for task in tasks:
        corpus = prepared.corpus(task.documents)
        interests = tuple(Interest(phrase) for phrase in dict.fromkeys(task.phrases))
        ranking = Ranker(corpus).fit(Profile(interests, task.labels), meaning)
        scores = {name: float(ranking.probabilities[corpus.row[name]]) for name in task.candidates}
        yield {"task": task.name, "scores": scores, "probability": True}


def highlight_rows(
    rows: Iterable[Sentences], encode: Encode, readable: Callable[[str], bool] = lambda _: True
) -> Iterator[dict[str, Any]]:
    """Scores every sentence of every row, in order: {"id", "scores": [a number a sentence]}.

    With a query the score is how well the sentence answers it beyond what the title says; without one it is
    how much the sentence says of its document.
    """
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield from _highlight_chunk(chunk, encode, readable)


def _highlight_chunk(
    rows: Sequence[Sentences], encode: Encode, readable: Callable[[str], bool]
) -> Iterator[dict[str, Any]]:
    terms = [[count_terms("", sentence) for sentence in row.sentences] for row in rows]
    tf_idf = TfIdf([sentence for row in terms for sentence in row])
    vectors = _encode_sentences(rows, encode, readable)
    meaning = encode_phrases([row.query for row in rows if row.query is not None], encode)
    for row, found, sentences in zip(rows, vectors, terms, strict=True):
        titled = len(found) > len(row.sentences)
        title, texts = (found[0], found[1:]) if titled else (None, found)
        head = count_terms("", row.title)
        if row.query is not None:
            words = highlight.word_shares(count_terms("", row.query), sentences, tf_idf, head)
            scores = highlight.sentence_scores(texts, meaning[row.query], title, words)
        else:
            words = highlight.word_shares(head, sentences, tf_idf) + highlight.shared_words(sentences, tf_idf)
            scores = highlight.salience(texts, title, words)
        yield {"id": row.id, "scores": [float(score) for score in scores]}


def _encode_sentences(
    rows: Sequence[Sentences], encode: Encode, readable: Callable[[str], bool]
) -> list[NDArray[np.float32]]:
    """Vectors of each row's title, if it has one, and sentences; in context too where there is a query.

    Zero for rows in a language that the encoder cannot read.
    """
    windows: list[Window] = []
    sizes: list[tuple[int, int]] = []
    for row in rows:
        alone, together = highlight.sentence_windows(row.title, row.sentences)
        readings = [alone, together] if row.query is not None else [alone]
        if not readable(" ".join([row.title, *row.sentences])):
            readings = []
        windows += chain.from_iterable(readings)
        sizes.append((len(readings), len(alone)))
    encoded = encode(windows)
    vectors = []
    at = 0
    for count, size in sizes:
        found = encoded[at : at + count * size].reshape(count, size, encoded.shape[1])
        vectors.append(highlight.average_reading(found))
        at += count * size
    return vectors


def encode_phrases(phrases: Iterable[str], encode: Encode) -> dict[str, NDArray[np.float32]]:
    """The vector (dim,) of each phrase."""
    different = list(dict.fromkeys(phrases))
    return dict(zip(different, encode([Window(phrase) for phrase in different]), strict=True))


def _encode_documents(
    documents: Mapping[str, Document],
    parts: Mapping[str, Sequence[Passage]],
    encode: Encode,
    readable: Callable[[str], bool],
) -> dict[str, NDArray[np.float32]]:
    """Vectors (passages, dim) of each document; zero for those in a language that the encoder cannot read."""
    windows: list[Window] = []
    places: list[tuple[str, int, int]] = []
    at = 0
    for name, document in documents.items():
        if readable(f"{document.title} {document.text}"):
            windows += to_encode(document.title, document.text, parts[name])
            places.append((name, at, at + len(parts[name])))
            at += len(parts[name])
    encoded = encode(windows)
    vectors = {name: np.zeros((len(parts[name]), encoded.shape[1]), dtype=np.float32) for name in documents}
    return vectors | {name: encoded[start:end] for name, start, end in places}


def _label(row: Row, pair: object) -> Label:
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and pair[1] in (0, 1, 2)):
        raise row.error("`labels` must be a list of pairs [id, 0, 1 or 2]")
    return Label(pair[0], float(pair[1]))
