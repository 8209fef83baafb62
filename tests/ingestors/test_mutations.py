"""Thousands of hostile documents, made from sound ones by chance, through the real parser children."""

from __future__ import annotations

import random
import re
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mutations import CHANGES, Seed, mutant, seeds

import ingestors
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import to_entry, to_refusal
from triage.services.fetching import translate
from triage.store.items import NewItem

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LIMIT_S = 10
"""The pool of these tests ends a document after 8 s; it takes a moment to end a process."""


def test_every_parser_that_is_called_has_a_sound_document() -> None:
    sources = "".join(path.read_text() for path in Path(ingestors.__file__).parent.glob("*.py"))
    called = set(re.findall(r"\"(ingestors\.parsers\.\w+:\w+)\"", sources))
    assert called == {seed.parser for seed in seeds()}


async def test_sound_documents_are_read(parsers: ParserPool) -> None:
    for seed in seeds():
        assert await parsers.parse(seed.parser, seed.body, **seed.params)


ARMED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""What has no place on a screen."""


def check_item(item: NewItem) -> None:
    """What is stored is harmless, and within the limits."""
    lines = [item.title, *item.people, *item.tags, *item.identifiers, *item.identifiers.values()]
    lines += [words for words, _ in item.links]
    for text in (*lines, item.text):
        text.encode()  # no lone surrogates
        controls = {char for char in text if unicodedata.category(char) == "Cc"}
        assert controls <= ({"\n", "\t"} if text is item.text else set())
        assert not ARMED.search(text)
    assert 0 < len(item.title) <= translate.MAX_TITLE
    assert len(item.text) <= translate.MAX_TEXT
    assert len(item.people) <= translate.MAX_PEOPLE
    assert len(item.tags) <= translate.MAX_TAGS
    for url in (item.url, *(url for _, url in item.links)):
        assert url is None or re.fullmatch(r"https?://[^\s\x00-\x1f\x7f-\x9f\"<>]+", url)
    assert item.published_at is None or item.published_at <= NOW


async def read(parsers: ParserPool, document: Seed) -> dict[str, Any] | str:
    """The answer, or the reason for none; fails if it took too long."""
    started = time.monotonic()
    try:
        return await parsers.parse(document.parser, document.body, **document.params)
    except ParseRefused as refused:
        return refused.reason
    finally:
        assert time.monotonic() - started < LIMIT_S


async def attack(parsers: ParserPool, numbers: range) -> tuple[int, int, int]:
    """Reads the mutants of these numbers, each followed by its sound document; returns how many were read,
    how many entries with armed characters they brought, and how many were refused."""
    known = seeds()
    sound: dict[int, dict[str, Any] | str] = {}
    accepted = armed = refused = 0
    for number in numbers:
        document, origin = mutant(known, number)
        answer = await read(parsers, document)
        if isinstance(answer, str):
            refused += 1
            assert answer
            assert answer.isprintable(), f"document {number}"
        else:
            accepted += 1
            for entry in answer.get("entries", ()):
                armed += bool(ARMED.search(entry["title"] + entry["text"]))
                check_item(translate.new_item(to_entry(entry), "feed", NOW))
            for reason in map(to_refusal, answer.get("refusals", ())):
                assert reason.reason.isprintable(), f"document {number}"
        again = await read(parsers, origin)
        assert not isinstance(again, str), f"after document {number}: {again}"
        assert sound.setdefault(known.index(origin), again) == again, f"after document {number}"
    return accepted, armed, refused


async def test_a_hundred_hostile_documents_do_no_harm(parsers: ParserPool) -> None:
    """PRS-17."""
    accepted, armed, refused = await attack(parsers, range(100))
    assert accepted > 20
    assert armed > 2
    assert refused > 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_two_thousand_hostile_documents_do_no_harm(parsers: ParserPool) -> None:
    """PRS-17. Others than those of every day."""
    accepted, armed, refused = await attack(parsers, range(100, 2_100))
    assert accepted + refused == 2_000
    assert armed > 20


def test_each_way_to_change_a_document_changes_some() -> None:
    known = seeds()
    for change in CHANGES:
        assert any(change(random.Random(n), seed.body) != seed.body for n, seed in enumerate(known)), change
