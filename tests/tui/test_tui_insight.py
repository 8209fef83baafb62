"""The insight page in the terminal: at every size, and before what takes a ranking is there."""

from __future__ import annotations

import threading

import pytest
from conftest import keys, press, screen_text, settle, until
from fake_backend import FakeBackend

from triage.core.errors import TriageError


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_page(open_app, matches_snapshot, size):
    async with open_app(size=size) as pilot:
        await press(pilot, "I")
        matches_snapshot(pilot.app, f"insight-{size[0]}x{size[1]}")


async def test_the_whole_page(open_app, matches_snapshot):
    async with open_app(size=(100, 90)) as pilot:
        await press(pilot, "I")
        matches_snapshot(pilot.app, "insight-100x90")


async def test_what_is_stored_is_shown_before_what_takes_a_ranking(open_app):
    backend = FakeBackend()
    backend.gates["learned"] = threading.Event()
    async with open_app(backend, size=(100, 90)) as pilot:
        await keys(pilot, "I")
        await until(pilot, lambda: "How accurate the probabilities were" in screen_text(pilot.app))
        assert "Ranking without and with it" in screen_text(pilot.app)
        backend.gates["learned"].set()
        await settle(pilot)
        assert "ferries (14 items)" in screen_text(pilot.app)


async def test_a_worker_that_died_costs_one_part_of_the_page(open_app):
    backend = FakeBackend()
    backend.failures["learned"] = [TriageError("the model worker ended")]
    async with open_app(backend, size=(100, 90)) as pilot:
        await press(pilot, "I")
        assert "the model worker ended" in screen_text(pilot.app)
        assert "What was found by chance" in screen_text(pilot.app)
        await press(pilot, "escape", "l")
        assert len(backend.called("mark")) == 1
