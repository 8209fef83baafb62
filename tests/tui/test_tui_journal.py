"""The learning journal in the terminal: any line of it is taken back by one key, and brought back by it."""

from __future__ import annotations

import dataclasses

import pytest
from conftest import press, screen_text
from fake_backend import FakeBackend
from test_tui_lines import Talk

from triage.core.errors import TriageError


@pytest.mark.parametrize("size", [(120, 36), (60, 20)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_journal(open_app, matches_snapshot, size):
    async with open_app(size=size) as pilot:
        await press(pilot, "H")
        matches_snapshot(pilot.app, f"journal-{size[0]}x{size[1]}")


async def test_any_line_is_taken_back_and_brought_back(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        await press(pilot, "H", "j", "u")
        assert "turned: event 2 · 3 items moved" in screen_text(pilot.app)
        assert "undone by" not in screen_text(pilot.app)
        await press(pilot, "G", "u")
        assert "undone by 90" in screen_text(pilot.app)
        assert backend.called("turn_back") == [("turn_back", 2), ("turn_back", 1)]
        await press(pilot, "escape", "l")
        assert len(backend.called("mark")) == 1, "the keys of the list are back"


async def test_an_empty_journal_and_a_failure_say_so(open_app):
    backend = FakeBackend()
    backend.entries = []
    backend.failures = {"journal": [TriageError("the [b]database[/b] is locked")]}
    async with open_app(backend) as pilot:
        await press(pilot, "H")
        assert "the [b]database[/b] is locked" in screen_text(pilot.app)
        await press(pilot, "escape", "H", "u", "enter")
        assert "You have said nothing yet." in screen_text(pilot.app)
        assert not backend.called("turn_back")


async def test_what_strangers_wrote_is_shown_literally(open_app):
    backend = FakeBackend()
    entry = backend.entries[0]
    backend.entries = [dataclasses.replace(entry, says="liked: [b]x[/b]\x1b[2J" + "w" * 9000)]
    async with open_app(backend, size=(60, 20)) as pilot:
        await press(pilot, "H")
        assert "liked: [b]x[/b]" in screen_text(pilot.app)
        assert "\x1b[2J" not in screen_text(pilot.app)


def test_the_journal_is_heard_and_a_step_of_it_taken_back():
    backend = FakeBackend()
    said = Talk(backend)("journal", "journal 2", "journal 9")
    assert "2. 10 Mar 17:30, disliked: Ten gadgets you cannot live without. undone by 4, 5 of 12" in said
    assert "turned: event 2" in said
    assert "9 is not the number of one: there are 3 steps" in said
