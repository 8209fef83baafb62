"""Marks: none lost, none overtaken, shown when they are stored, learned from together."""

from __future__ import annotations

import dataclasses
import os
import re
import threading

import pytest
from conftest import keys, press, screen_text, settle, until
from fake_backend import FakeBackend
from textual.app import App

from triage.core.errors import LockedError, TriageError
from triage.tui import manners


def glyphs(app) -> list[str]:
    """What stands before the titles of the list, from the top."""
    rows = re.findall(r"^[▌ ] ([+−♥★»=…]) ", screen_text(app), re.MULTILINE)
    return [str(row) for row in rows]


async def test_five_quick_marks_arrive_in_order(open_app):
    backend = FakeBackend()
    gate = backend.gates["mark"] = threading.Event()
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, "l", "d", "L", "s", "l")
        assert pilot.app.marks.pending == 5
        # Not one is stored, so none is called made.
        assert glyphs(pilot.app) == ["…"] * 5
        assert pilot.app.base.status_bar.message == "Storing …"
        gate.set()
        await settle(pilot)
        assert sorted(glyphs(pilot.app)) == sorted(["+", "−", "♥", "»", "+"])
        verbs = ["like", "dislike", "love", "later", "like"]
        assert backend.called("mark") == [("mark", n, verb) for n, verb in enumerate(verbs, 1)]
        assert [backend.item(n).state for n in range(1, 6)] == verbs


async def test_a_burst_shows_when_it_is_stored_and_is_learned_from_once(open_app, monkeypatch):
    monkeypatch.setattr("triage.tui.learner.PAUSE_S", 3600.0)
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, *"ldlds")
        await until(pilot, lambda: not pilot.app.marks.pending)
        await until(pilot, lambda: glyphs(pilot.app) == ["+", "−", "+", "−", "»"])
        assert not backend.called("learn"), "the reader has made no pause"
        await keys(pilot, "q")
        await until(pilot, lambda: not pilot.app.is_running)
    assert len(backend.called("learn")) == 1, "who leaves is not waited for"


async def test_marks_made_while_learning_are_stored_at_once_and_learned_from_afterwards(open_app):
    backend = FakeBackend()
    gate = backend.gates["learn"] = threading.Event()
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, "l")
        await until(pilot, lambda: backend.called("learn"))
        await keys(pilot, "L", "d", "u", "d")
        await until(pilot, lambda: not pilot.app.marks.pending)
        await until(pilot, lambda: glyphs(pilot.app) == ["+", "♥", "−"])
        assert len(backend.called("learn")) == 1
        gate.set()
        await settle(pilot)
        assert len(backend.called("learn")) == 2
        assert pilot.app.base.status_bar.message.startswith("4 steps learned from")


@pytest.mark.parametrize("key", ["l", "r"])
async def test_an_order_that_fails_says_so_and_comes_with_the_next_mark_or_when_asked(key, open_app):
    """TUI-06."""
    backend = FakeBackend()
    backend.failures["learn"] = [TriageError("The model worker has died")]
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "L")
        assert glyphs(pilot.app) == ["♥"]
        assert pilot.app.base.status_bar.message == "stored, not learned yet"
        assert "The model worker has died" in screen_text(pilot.app)
        await press(pilot, key)
        assert pilot.app.session.settled
        assert glyphs(pilot.app) == (["♥", "+"] if key == "l" else ["♥"])


async def test_the_new_order_comes_when_the_last_mark_is_learned_from(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j", "j", "L")
        assert pilot.app.base.status_bar.message == "loved · 3 items moved"
        listed = [item.id for section in pilot.app.session.sections() for item in section.items]
        assert listed.index(5) < listed.index(4)
        assert pilot.app.base.list.selected.id == 6, "the cursor went on to the next item and stayed on it"


async def test_it_steps_aside_to_the_shell_only_when_marks_are_written(open_app, monkeypatch):
    monkeypatch.setattr(manners, "WRITING_LOOKS", 10**6)
    monkeypatch.setattr(os, "getsid", lambda pid: os.getpgrp() + 1)  # as under a shell with job control
    pending = []
    monkeypatch.setattr(App, "action_suspend_process", lambda app: pending.append(app.marks.pending))
    backend = FakeBackend()
    gate = backend.gates["mark"] = threading.Event()
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, "l", "question_mark", "ctrl+z")
        assert not pending
        gate.set()
        await until(pilot, lambda: pending)
        assert pending == [0]


async def test_it_does_not_step_aside_where_nobody_could_bring_it_back(open_app, monkeypatch):
    monkeypatch.setattr(os, "getsid", lambda pid: os.getpgrp())
    monkeypatch.setattr(App, "action_suspend_process", lambda app: pytest.fail("it would sleep for ever"))
    async with open_app(FakeBackend(), size=(80, 24)) as pilot:
        await press(pilot, "ctrl+z")
        assert "so it stays" in screen_text(pilot.app)


async def test_undo_goes_back_to_the_item(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "l", "j", "d", "u")
        assert backend.item(3).state == "new"
        assert backend.item(1).state == "like"
        assert pilot.app.base.list.selected.id == 3
        await press(pilot, "u")
        assert pilot.app.base.list.selected.id == 1
        assert "+ Re: the boiler" not in screen_text(pilot.app)
        await press(pilot, "u")
        assert "There is nothing to undo" in screen_text(pilot.app)


async def test_a_mark_that_fails_is_taken_back_and_explained(open_app):
    """TUI-06."""
    backend = FakeBackend()
    backend.failures["mark"] = [LockedError("The database is in use", fix="wait for the import to end")]
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "l")
        await press(pilot, "d")
        shown = screen_text(pilot.app)
        assert "+ Re: the boiler" not in shown
        assert "− Draft of chapter" in shown
        assert "The database is in use; wait for the import to end" in " ".join(shown.split())


@pytest.mark.parametrize("held", [True, False])
async def test_an_undo_behind_a_mark_that_fails_takes_nothing_else_back(held, open_app):
    """TUI-06: and where the database is held, nothing behind it waits as long again."""
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "l")
        gate = backend.gates["mark"] = threading.Event()
        backend.failures["mark"] = [(LockedError if held else TriageError)("It cannot be stored")]
        await keys(pilot, "d", "u", "d")
        gate.set()
        await settle(pilot)
        assert backend.item(1).state == "like"
        assert not backend.called("undo")
        assert glyphs(pilot.app) == (["+"] if held else ["+", "−"])
        assert screen_text(pilot.app).count("It cannot be stored") == 1
        await press(pilot, "u")
        assert len(backend.called("undo")) == 1, "what is pressed afterwards is carried out"


async def test_the_same_mark_again_is_not_written_again(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "l", "k", "l")
        assert len(backend.called("mark")) == 1
        assert pilot.app.base.status_bar.message == "already liked"
        await press(pilot, "k", "d")
        assert backend.item(1).state == "dislike"


async def test_leaving_writes_what_is_queued_and_says_so(open_app):
    backend = FakeBackend()
    gate = backend.gates["mark"] = threading.Event()
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, "l", "l", "l", "q")
        await until(pilot, lambda: "Storing 3 marks before leaving" in screen_text(pilot.app))
        await keys(pilot, "d")
        gate.set()
        await until(pilot, lambda: not pilot.app.is_running)
    assert backend.called("mark") == [("mark", n, "like") for n in (1, 2, 3)]
    assert backend.calls[-1] == ("close",), "the database is closed after the last mark"
    assert pilot.app.return_code == 0


@pytest.mark.parametrize("already", [True, False], ids=["while leaving", "just before"])
async def test_a_mark_that_fails_on_the_way_out_is_not_silent(already, open_app, capfd):
    backend = FakeBackend()
    gate = backend.gates["mark"] = threading.Event()
    backend.failures["mark"] = [TriageError("The disk is full")]
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, "l")
        if not already:
            gate.set()
            await settle(pilot)
        await keys(pilot, "q")
        gate.set()
        await until(pilot, lambda: not pilot.app.is_running)
    assert pilot.app.return_code == 1
    assert "Not liked (item 1): The disk is full" in capfd.readouterr().err


async def test_an_item_that_leaves_the_digest_hands_the_cursor_on(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j")
        kept = tuple(item for item in backend.current.items if item.id not in (4, 5))
        backend.current = dataclasses.replace(backend.current, items=kept)
        await press(pilot, "r")
        assert pilot.app.base.list.selected.id == 6
