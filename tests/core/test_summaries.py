"""Which texts are summaries, whose pages are fetched unasked, and what is kept of a page."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta

import pytest
from world import NOW

from triage.core.fulltext import (
    Attempt,
    Facts,
    is_due,
    is_fruitless,
    is_summary,
    joined,
    may_be_local,
    next_try,
    not_unasked,
    site,
    state_of,
)

FACTS = Facts(
    kind="feed",
    url="https://www.example.org/a",
    text="The tram line to the harbour opens in May.",
    words=9,
    cjk_characters=0,
    flags=frozenset(),
    personal=False,
    part=False,
    source="https://feeds.example.org/rss",
    setting="auto",
)


def facts(**changes: object) -> Facts:
    return dataclasses.replace(FACTS, **changes)


def attempt(state: str = "failed", hours_ago: float = 1, **changes: object) -> Attempt:
    tried = Attempt(state, "refused", 1, NOW - timedelta(hours=hours_ago), None)
    return dataclasses.replace(tried, **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"words": 300}, False),
        ({"words": 300, "flags": frozenset({"truncated"})}, True),
        ({"words": 300, "text": "It begins with a long text and goes on […]"}, True),
        ({"words": 300, "text": "It goes on... Continue reading →"}, True),
        ({"words": 300, "text": "It goes on … The post Trams appeared first on Harbour Post."}, True),
        ({"words": 300, "text": "She said: the reading more of it, the better."}, False),
        ({"words": 0, "cjk_characters": 400}, False),
        ({"url": None}, False),
        ({"flags": frozenset({"media"})}, False),
        ({"kind": "paper", "words": 300}, True),
        ({"kind": "mail"}, False),
        ({"kind": "mail", "part": True}, True),
        ({"kind": "mail", "part": True, "personal": True}, False),
    ],
)
def test_what_is_a_summary(changes: dict[str, object], expected: bool) -> None:
    assert is_summary(facts(**changes)) is expected


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"url": "https://news.example.org/a"}, None),
        ({"url": "https://elsewhere.example/a"}, "on elsewhere.example, which is not the site"),
        ({"url": "https://elsewhere.example/a", "setting": "always"}, None),
        ({"setting": "never"}, "switched off"),
        ({"kind": "mail", "part": True}, "tells its sender"),
        ({"kind": "mail", "part": True, "setting": "always"}, None),
        ({"kind": "paper", "source": "arxiv:cs.IR"}, "abstract"),
        ({"source": "/home/me/feed.xml"}, "not the site"),
    ],
)
def test_what_is_fetched_without_being_asked_for(changes: dict[str, object], why: str | None) -> None:
    """PRV-07: nobody learns of a reader but the site that he subscribed to."""
    found = not_unasked(facts(**changes))
    assert (found is None) == (why is None)
    assert why is None or why in str(found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://feeds.news.example.org/x", "example.org"),
        ("http://example.org:8000/", "example.org"),
        ("https://www.example.co.uk/", "example.co.uk"),
        ("https://co.uk/", "co.uk"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://[", ""),
        ("/a/path", ""),
    ],
)
def test_the_site_of_an_address(url: str, expected: str) -> None:
    assert site(url) == expected


def test_a_private_address_must_be_the_very_server_of_the_source() -> None:
    assert may_be_local("http://10.0.0.2:80/a", "http://10.0.0.2:80/rss", True)
    assert not may_be_local("http://10.0.0.2:80/a", "http://10.0.0.2:80/rss", False)
    assert not may_be_local("http://10.0.0.1/reboot", "http://10.0.0.2:80/rss", True)
    assert not may_be_local("http://10.0.0.2:81/a", "http://10.0.0.2:80/rss", True)


PAGE = "The tram line to the harbour opens in May. " + " ".join(
    f"Stop {n} lies by pier {n}." for n in range(20)
)


def test_a_page_takes_the_place_of_the_summary_that_it_repeats() -> None:
    assert joined(FACTS, "Trams", PAGE) == PAGE
    assert joined(FACTS, "Tram line!", f"Tram Line\n\n{PAGE}") == PAGE, "its own title is not repeated"


def test_what_a_page_does_not_repeat_is_kept_above_it() -> None:
    comment = "I never liked boats, so this tram makes my mornings: finally something to look forward to."
    assert joined(facts(text=comment), "The tram line", PAGE) == f"{comment}\n\n{PAGE}"


@pytest.mark.parametrize("run", [" ", "…", ".", "[", "The post ", "read more "])
def test_a_long_run_costs_nothing(run: str) -> None:
    text = f"The tram line{run * 40_000}to the harbour opens."
    started = time.process_time()
    is_summary(facts(text=text))
    joined(facts(text=text), "The tram line", f"{text} {PAGE}")
    assert time.process_time() - started < 1.0


def test_a_page_with_no_more_words_changes_nothing() -> None:
    assert joined(FACTS, "Trams", "The tram line to the harbour opens in May. Share this.") is None


@pytest.mark.parametrize(
    ("changes", "page", "why"),
    [
        ({"text": "The tram line to the harbour …"}, "The tram line to the harbour.", "no more text"),
        ({}, "Bees count their hives in spring; queens, drones and honey. " * 9, "something else"),
        (
            {"text": "港口电车五月开通"},
            "蜂农在春天数他们的蜂箱，女王蜂很健康。" * 9,
            "something else",
        ),
    ],
)
def test_a_page_that_does_not_hold_what_was_announced(
    changes: dict[str, object], page: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        joined(facts(**changes), "Tram news", page)


def test_failures_that_may_pass_are_tried_three_times_more() -> None:
    waits = [next_try("timeout", failures, NOW, None) for failures in (1, 2, 3, 4)]
    assert waits == [NOW + timedelta(hours=h) for h in (1, 6, 24)] + [None]
    assert next_try("limit", 1, NOW, 7200) == NOW + timedelta(hours=2)
    for final in ("denied", "not-found", "gone", "blocked", "parse", "too-large"):
        assert next_try(final, 1, NOW, None) is None


def test_what_is_due() -> None:
    assert is_due(None, NOW)
    assert is_due(attempt("wanted", next_try_at=NOW), NOW)
    assert not is_due(attempt("wanted", next_try_at=NOW + timedelta(seconds=1)), NOW)
    assert not any(is_due(attempt(state), NOW) for state in ("have", "same", "failed"))


def test_a_source_whose_pages_bring_nothing_is_left_alone_for_a_week() -> None:
    assert is_fruitless([attempt(), attempt("same"), attempt("wanted")], NOW)
    assert not is_fruitless([attempt(), attempt()], NOW)
    assert not is_fruitless([attempt(), attempt("have"), attempt()], NOW)
    assert not is_fruitless([attempt(), attempt(), attempt(hours_ago=200)], NOW)


def test_what_a_reader_is_told_of_a_text() -> None:
    assert state_of(facts(words=500), None) == ("served", None)
    assert state_of(FACTS, None) == ("summary", "the text behind its link has not been fetched yet")
    assert state_of(facts(setting="never"), None) == ("summary", "full text is switched off for this source")
    assert state_of(FACTS, attempt()) == ("summary", "refused")
    assert state_of(FACTS, attempt("same", error=None)) == ("served", None)
    assert state_of(FACTS, attempt("have", error=None, kept=True)) == ("full", None)
    assert state_of(FACTS, attempt("wanted", kept=True)) == ("full", "refused"), "an earlier text stays"
