"""Loads: nothing waits for them, stale ones are dropped, failed ones explained."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from conftest import handled, keys, press, screen_text, settle, until
from fake_backend import FakeBackend, make_digest

from triage.core.errors import TriageError
from triage.core.readings import Reading
from triage.tui import messages
from triage.tui.readings import KEPT, Readings


async def test_the_stored_page_is_there_before_anything_is_loaded(open_app):
    backend = FakeBackend(stored=make_digest())
    gate = backend.gates["digest"] = threading.Event()
    async with open_app(backend, size=(80, 24), wait=False) as pilot:
        await handled(pilot)
        assert "Re: the boiler" in screen_text(pilot.app)
        await keys(pilot, "j", "j")
        gate.set()
        await settle(pilot)
        assert pilot.app.base.list.selected.id == 3


async def test_without_a_stored_page_it_says_that_it_works(open_app):
    backend = FakeBackend()
    gate = backend.gates["digest"] = threading.Event()
    async with open_app(backend, size=(80, 24), wait=False) as pilot:
        await handled(pilot)
        assert "The digest is being put together" in screen_text(pilot.app)
        gate.set()
        await settle(pilot)
        assert "Re: the boiler" in screen_text(pilot.app)


async def test_a_digest_that_weighed_nothing_says_what_to_do(open_app):
    backend = FakeBackend()
    backend.current = dataclasses.replace(backend.current, items=(), considered=0)
    async with open_app(backend, size=(80, 24)) as pilot:
        assert "There is nothing to read yet." in screen_text(pilot.app)
        assert "triage sources" in screen_text(pilot.app)
        assert "You are done" not in screen_text(pilot.app)


async def test_a_failing_backend_is_explained_and_survived(open_app):
    """TUI-06."""
    backend = FakeBackend()
    backend.failures = {
        "digest": [TriageError("There are no sources", fix="triage add URL")],
        "read": [TriageError("The text is gone")],
        "explain": [TriageError("No model yet")],
        "search": [TriageError("The index is being built")],
    }
    async with open_app(backend, size=(120, 36)) as pilot:
        assert "There are no sources; triage add URL" in screen_text(pilot.app)
        await press(pilot, "r")
        assert "The text is gone" in screen_text(pilot.app)
        await press(pilot, "w")
        assert "No model yet" in screen_text(pilot.app)
        await press(pilot, "escape", "slash", "x", "enter")
        assert "The index is being built" in screen_text(pilot.app)
        await press(pilot, "escape", "j", "k")
        assert "the fitter was here" in screen_text(pilot.app)


async def test_a_stale_digest_does_not_overwrite_a_newer_one(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "r")
        old = dataclasses.replace(backend.current, items=())
        pilot.app.post_message(messages.DigestLoaded(1, old))
        pilot.app.post_message(messages.DigestFailed(1, TriageError("too late")))
        await settle(pilot)
        shown = screen_text(pilot.app)
        assert "Re: the boiler" in shown
        assert "too late" not in shown


async def test_a_digest_asked_for_before_a_mark_is_stale_after_it(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        before = backend.current
        gate = backend.gates["digest"] = threading.Event()
        await keys(pilot, "r")
        await until(pilot, lambda: len(backend.called("digest")) == 2)
        await keys(pilot, "l")
        await until(pilot, lambda: not pilot.app.marks.busy)
        backend.current, after = before, backend.current
        gate.set()
        await settle(pilot)
        assert pilot.app.session.digest == after
        assert "+ Re: the boiler" in screen_text(pilot.app)


async def test_results_of_a_search_that_was_left_are_dropped(open_app):
    backend = FakeBackend()
    gate = backend.gates["search"] = threading.Event()
    async with open_app(backend, size=(80, 24)) as pilot:
        await keys(pilot, "slash", "x", "enter")
        await until(pilot, lambda: backend.called("search"))
        await keys(pilot, "escape")
        gate.set()
        await settle(pilot)
        assert pilot.app.session.query is None


async def test_the_daemon_is_looked_at_and_its_news_shown(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j")
        top = pilot.app.base.list.selected.id
        newcomer = dataclasses.replace(backend.item(5), id=99, title="Came in just now")
        backend.current = dataclasses.replace(backend.current, items=(newcomer, *backend.current.items))
        backend.was_changed, backend.daemon = True, "daemon: running"
        pilot.app.loader.poll()
        await settle(pilot)
        assert "daemon: running" in screen_text(pilot.app)
        assert "Came in just now" in screen_text(pilot.app)
        assert pilot.app.base.list.selected.id == top, "the cursor stays on its item"
        calls = len(backend.called("digest"))
        pilot.app.loader.poll()
        await settle(pilot)
        assert len(backend.called("digest")) == calls


async def test_fast_moving_loads_only_what_is_looked_at(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        gate = backend.gates["read"] = threading.Event()
        await keys(pilot, *"jjjjjjjjjj")
        gate.set()
        await settle(pilot)
        assert [call[1] for call in backend.called("read")] == [1, 2, 11]
        assert "تقيس النباتات" in screen_text(pilot.app)


async def test_keys_are_answered_while_everything_hangs(open_app):
    """TUI-07."""
    backend = FakeBackend(stored=make_digest())
    gates = [
        backend.gates.setdefault(name, threading.Event()) for name in ("digest", "read", "mark", "status")
    ]
    async with open_app(backend, wait=False) as pilot:
        pilot.app.loader.poll()
        await keys(pilot, "j", "l", "j", "question_mark", "escape", "k")
        assert pilot.app.base.list.selected.id == 3
        assert "… Draft of chapter" in screen_text(pilot.app)
        for gate in gates:
            gate.set()
        await settle(pilot)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=str)
async def test_what_comes_while_it_closes_is_dropped(open_app, size):
    async with open_app(size=size) as pilot:
        app = pilot.app
        app.loader.digest()
        app.loader.poll()
        app.loader.ask(app.base, lambda backend: backend.explain(1), print)
        app.action_mark("like")
        app.base.list.action_open()
        app.base.list.announce()
    assert not app.return_code


def reading(item_id):
    return Reading(item=dataclasses.replace(make_digest().items[0], id=item_id), text="")


def test_readings_keep_a_few_and_load_one_at_a_time():
    asked = []
    readings = Readings(asked.append)
    for item_id in (1, 2, 3):
        readings.want(item_id)
    assert asked == [1]
    readings.loaded(1, reading(1))
    assert asked == [1, 3]
    readings.loaded(3, reading(3))
    readings.want(1)
    assert asked == [1, 3]
    assert readings.get(1) is not None
    for item_id in range(10, 10 + KEPT):
        readings.want(item_id)
        readings.loaded(item_id, reading(item_id))
    assert readings.get(1) is None


def test_a_reading_that_was_asked_for_before_the_profile_changed_is_asked_for_again():
    asked = []
    readings = Readings(asked.append)
    readings.want(1)
    readings.forget()
    readings.loaded(1, reading(1))
    assert asked == [1, 1]
    assert readings.get(1) is None
    readings.loaded(1, reading(1))
    assert asked == [1, 1]
    assert readings.get(1) is not None


def test_a_reading_that_failed_is_asked_for_again_only_when_looked_at():
    asked = []
    readings = Readings(asked.append)
    readings.want(1)
    readings.loaded(1, None)
    assert asked == [1]
    readings.want(1)
    assert asked == [1, 1]
