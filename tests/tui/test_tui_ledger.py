"""The source ledger in the terminal: seen at every size, each step by one key and back by another."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from conftest import keys, press, screen_text, settle
from fake_backend import FakeBackend

from triage.core.errors import TriageError


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_ledger(open_app, matches_snapshot, size):
    async with open_app(size=size) as pilot:
        await press(pilot, "S")
        matches_snapshot(pilot.app, f"ledger-{size[0]}x{size[1]}")


async def test_a_source_is_quieted_and_dropped_and_both_are_taken_back(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        await press(pilot, "S", "minus")
        assert "quiet: a rule of yours lowers it" in screen_text(pilot.app)
        await press(pilot, "p")
        assert "paused: dropped" in screen_text(pilot.app)
        for _ in range(3):
            await press(pilot, "u")
        assert "nothing to take back" in screen_text(pilot.app)
        steps = [call[1:] for call in backend.called("settle_source")]
        assert steps == [(2, "quiet"), (2, "drop"), (2, "resume"), (2, "unquiet")]
        await press(pilot, "escape", "l")
        assert len(backend.called("mark")) == 1, "the keys of the list are back"


async def test_enter_takes_the_step_that_is_suggested_and_no_other(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        await press(pilot, "S", "enter")
        await press(pilot, "j", "enter")
        assert backend.called("settle_source") == [("settle_source", 2, "drop")]


async def test_the_cursor_stays_on_its_source_and_in_sight(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(60, 20)) as pilot:
        await press(pilot, "S", "G", "minus")
        assert backend.called("settle_source")[-1] == ("settle_source", 4, "quiet")
        assert "▌ ──────────── Night Trains" in screen_text(pilot.app)
        await press(pilot, "g")
        assert "What sources take and give" in screen_text(pilot.app)


async def test_a_second_step_waits_for_the_first(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        await press(pilot, "S")
        backend.gates["settle_source"] = threading.Event()
        await keys(pilot, "minus", "p", "minus")
        backend.gates["settle_source"].set()
        await settle(pilot)
        assert backend.called("settle_source") == [("settle_source", 2, "quiet")]


async def test_what_fails_is_said_and_nothing_is_stuck(open_app):
    backend = FakeBackend()
    backend.failures = {"ledger": [TriageError("the [b]database[/b] is locked")]}
    async with open_app(backend) as pilot:
        await press(pilot, "S")
        assert "the [b]database[/b] is locked" in screen_text(pilot.app)
        await press(pilot, "j", "minus", "u", "escape", "S")
        backend.failures["settle_source"] = [TriageError("nothing to lower")]
        await press(pilot, "minus")
        assert "nothing to lower" in screen_text(pilot.app)
        await press(pilot, "minus")
        assert "quiet: a rule" in screen_text(pilot.app)


async def test_of_very_many_sources_those_worth_a_decision_are_shown(open_app):
    backend = FakeBackend()
    useless = backend.accounts[1]
    others = [dataclasses.replace(backend.accounts[3], source=n) for n in range(10, 400)]
    backend.accounts = [*others, useless, backend.accounts[0]]
    async with open_app(backend) as pilot:
        await press(pilot, "S")
        assert "The Wire" in screen_text(pilot.app)
        await press(pilot, "G")
        assert "242 more: triage sources ledger" in screen_text(pilot.app)


async def test_without_sources_it_says_so(open_app):
    backend = FakeBackend()
    backend.accounts = []
    async with open_app(backend) as pilot:
        await press(pilot, "S", "j", "minus", "u")
        assert "There are no sources yet" in screen_text(pilot.app)
