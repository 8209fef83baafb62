"""The interface in lines: everything that the screen can do, by words, with nothing drawn."""

from __future__ import annotations

import dataclasses
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_backend import NOW, FakeBackend
from test_tui_hostile import PAYLOADS, poisoned

from triage.core.errors import TriageError
from triage.core.links import Link
from triage.core.readings import Related
from triage.tui import lines
from triage.tui.actions import ACTIONS
from triage.tui.vocabulary import EXTRA, SEEN_ONLY

DRAWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2500-\u259f\u202a-\u202e\u2066-\u2069]")


class Talk:
    """A reader in lines, what they typed and what was said."""

    def __init__(self, backend: FakeBackend | None = None) -> None:
        self.backend = backend or FakeBackend()
        self.opened: list[str] = []
        self._answers: Iterator[str] = iter(())
        self._said: list[str] = []
        self.lines = lines.Lines(
            self.backend,
            say=self._said.append,
            ask=lambda prompt: next(self._answers, None),
            now=lambda: NOW,
            open_link=self.opened.append,
        )

    def __call__(self, *typed: str) -> str:
        """What is said to some lines; the last of them leaves."""
        self._said.clear()
        self._answers = iter(typed)
        self.lines.run()
        return "\n".join(self._said)


def test_every_action_is_a_word_here_unless_it_is_about_the_screen() -> None:
    talk = Talk()
    missing = [a.id for a in ACTIONS if talk.lines.vocabulary.find(a.id) is None and a.id not in SEEN_ONLY]
    assert not missing, f"triage.tui.vocabulary has no word for {missing}"


def test_items_come_one_by_one_and_the_digest_ends() -> None:
    talk = Talk()
    count = len(talk.backend.current.items)
    said = talk(*["next"] * (count + 1))
    for number, item in enumerate(talk.backend.current.items, 1):
        assert f"{number} of {count}" in said
        assert item.title in said
    assert "You are done. That is the end of the digest." in said


def test_an_item_is_read_in_portions_and_an_empty_line_goes_on() -> None:
    talk = Talk()
    talk.backend.texts[1] = "\n\n".join(f"Paragraph {n} " + "word " * 120 for n in range(12))
    said = talk("1", "read", "", "", "")
    assert said.index("Paragraph 0") < said.index("An empty line reads on.") < said.index("Paragraph 11")
    assert "End of the text.\n2 of" in said
    assert talk.backend.called("opened")[0][1] == 1


@pytest.mark.parametrize(
    ("word", "verb"), [("l", "like"), ("L", "love"), ("dislike", "dislike"), ("s", "later")]
)
def test_marks_are_said_by_word_or_key_and_taken_back(word: str, verb: str) -> None:
    talk = Talk()
    said = talk("3", word, word, "undo")
    assert talk.backend.called("mark") == [("mark", 3, verb)]
    assert "already" in said
    assert talk.backend.called("undo")


def test_passages_are_read_one_by_one() -> None:
    talk = Talk()
    item = max(talk.backend.current.items, key=lambda item: len(item.highlights))
    said = talk(str(list(talk.backend.current.items).index(item) + 1), *["n"] * len(item.highlights))
    for number, highlight in enumerate(sorted(item.highlights, key=lambda h: h.start), 1):
        assert f"Passage {number} of {len(item.highlights)}" in said
        assert highlight.text in said


def test_links_are_listed_opened_and_spelled_by_number() -> None:
    talk = Talk()
    number, item = next((n, item) for n, item in enumerate(talk.backend.current.items, 1) if item.url)
    talk.backend.links = {item.id: (Link("the plan", "https://plan.example/a?b=c", None),)}
    said = talk(str(number), "links", "open 1", "open", "copy 1", "open 7", "open x")
    assert "1. plan.example, the plan — https://plan.example/a?b=c" in said
    assert talk.opened == ["https://plan.example/a?b=c", item.url]
    assert said.count("https://plan.example/a?b=c") == 3
    assert said.count("is not the number of one: there are 1 links; say links") == 2


def test_a_conversation_is_listed_and_gone_to() -> None:
    talk = Talk()
    talk.backend.related = {1: (Related(4, "thread", "Re: it", "Ada", NOW),)}
    said = talk("1", "related", "related 1", "like")
    assert "1. thread Ada now: Re: it" in said
    assert talk.backend.called("mark") == [("mark", 4, "like")]


def test_a_search_has_a_list_of_its_own_and_a_way_back() -> None:
    talk = Talk()
    word = talk.backend.current.items[2].title.split()[0]
    said = talk(f"search {word}", "list", "next", "back")
    assert talk.backend.called("search_meaning") == [("search_meaning", word)]
    assert talk.backend.current.items[2].title in said
    assert "Back in the digest." in said


def test_a_search_is_kept_and_says_what_it_could_not_do() -> None:
    talk = Talk()
    talk.backend.search_note = "Found by words only."
    said = talk("search @logs = append-only", "search @gone =")
    assert talk.backend.kept == {"logs": "append-only"}
    assert "a search: @logs = append-only" in said
    assert "Found by words only." in said
    assert talk.backend.called("search_meaning") == [("search_meaning", "append-only")]


def test_a_mute_is_asked_for_step_by_step_and_an_empty_line_says_nothing() -> None:
    talk = Talk()
    talk("1", "mute", "1", "2", "mute", "", "mute", "1", "", "mute harbour wall", "4")
    source = talk.backend.current.items[0].source
    rules = [str(call[1]) for call in talk.backend.called("add_rule")]
    assert len(rules) == 2
    assert source in rules[0]
    assert "harbour wall" in rules[1]


def test_all_of_a_list_is_marked_in_one_step() -> None:
    talk = Talk()
    said = talk("mark_all", "mark_all later")
    assert "say how to mark all of the list" in said
    assert len(talk.backend.called("mark_all")) == 1


def test_sources_are_listed_and_settled_by_number() -> None:
    talk = Talk()
    said = talk("ledger", "ledger quiet 1", "ledger burn 1", "ledger quiet 99")
    assert "1. " in said
    assert talk.backend.called("settle_source")[0][2] == "quiet"
    assert "what can be done about a source is quiet, unquiet, drop, resume" in said
    assert "99 is not the number of one" in said


def test_help_names_every_word_and_explains_one() -> None:
    talk = Talk()
    said = talk("help")
    assert all(f"{name}: " in said for name in EXTRA)
    assert talk("help mute").count("\n") < 5
    assert "like, or l, +: " in said or "like, or l: " in said


def test_an_unknown_word_gets_the_nearest_known_one_and_an_error_what_helps() -> None:
    talk = Talk()
    talk.backend.failures["explain"] = [TriageError("the worker is gone", fix="triage doctor")]
    said = talk("dislkie", "why", "1", "why", "page_down", "und")
    assert "There is no word dislkie. Did you mean dislike?" in said
    assert "there is no item here; say next, or list" in said
    assert "the worker is gone; triage doctor" in said
    assert "page_down is about a screen" in said
    assert talk.backend.called("undo"), "und is the beginning of undo alone"


def test_an_interrupt_ends_no_talk() -> None:
    talk = Talk()
    talk.backend.failures["read"] = [KeyboardInterrupt()]  # type: ignore[list-item]
    said = talk("1", "read", "like")
    assert "Interrupted. Say quit to leave." in said
    assert talk.backend.called("mark")


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_hostile_text_is_said_and_does_nothing(payload: str) -> None:
    backend = poisoned(payload)
    backend.links = {1: (Link(payload, f"https://a.example/{payload}", None),)}
    backend.related = {1: (Related(2, "thread", payload, payload, None),)}
    words = ["list", "1", "read", "", "n", "links", "related", "why", "mute", "", f"search {payload}"]
    said = Talk(backend)(*words, payload, "ledger", "insight")
    assert not DRAWN.search(said.replace("\n", ""))


def test_items_without_anything_are_said() -> None:
    backend = FakeBackend()
    bare = dataclasses.replace(
        backend.current.items[0], title="", source="", people=(), published=None, url=None, highlights=()
    )
    backend.current = dataclasses.replace(backend.current, items=(bare,))
    backend.texts = {bare.id: ""}
    said = Talk(backend)("next", "read", "n", "open", "links", "related", "next")
    assert "(no title)" in said
    assert "There is no text." in said
    assert "this item has no link of its own" in said


PROGRAM = """
import sys
sys.path[:0] = {paths!r}
import fake_backend
from triage.tui import lines
sys.exit(lines.run(fake_backend.FakeBackend(), now=lambda: fake_backend.NOW))
"""


def test_at_a_dumb_terminal_nothing_is_sent_but_lines() -> None:
    ours, theirs = pty.openpty()
    program = PROGRAM.format(paths=[str(Path(__file__).parent)])
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(theirs)
    os.write(ours, b"next\nwhy\nlike\n\xff\xfe\nquit\n")
    sent, end = b"", time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.05)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            sent += os.read(ours, 65536)
        except OSError:  # how Linux says that nobody holds the other side any more
            break
    os.close(ours)
    assert process.wait(5) == 0
    text = sent.decode(errors="replace")  # the terminal echoes what was typed
    assert "liked" in text
    assert "There is no word" in text
    assert not DRAWN.search(text.replace("\r\n", "\n").replace("\n", ""))
