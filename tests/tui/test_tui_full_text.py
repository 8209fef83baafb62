"""A summary says that it is one, and f fetches the rest."""

from __future__ import annotations

import threading

from conftest import keys, press, screen_text, settle, until
from fake_backend import FakeBackend, make_items

from triage.core.errors import TriageError

WIDE = (120, 40)
WHY = "its page asks for a login"


LINKED = next(item.id for item in make_items()[0] if item.url)


def summary() -> FakeBackend:
    backend = FakeBackend()
    backend.summaries[LINKED] = WHY
    return backend


async def select(pilot, item_id):
    pilot.app.base.list.select(item_id)
    await settle(pilot)


async def test_a_summary_says_why_and_the_full_text_takes_its_place(open_app):
    backend = summary()
    async with open_app(backend, size=WIDE) as pilot:
        await select(pilot, LINKED)
        assert f"Summary only: {WHY}" in screen_text(pilot.app)
        await press(pilot, "f")
        assert backend.called("fetch_text") == [("fetch_text", LINKED)]
        shown = screen_text(pilot.app)
        assert "The rest of it." in shown
        assert "Summary only" not in shown
        assert "the full text is here, 400 words" in shown
        await press(pilot, "j")
        assert "Summary only" not in screen_text(pilot.app)


async def test_marks_go_on_while_a_text_is_fetched_and_it_is_fetched_once(open_app):
    backend = summary()
    backend.gates["fetch_text"] = threading.Event()
    async with open_app(backend, size=WIDE) as pilot:
        await select(pilot, LINKED)
        await keys(pilot, "f", "f", "l")
        await until(pilot, lambda: backend.called("mark"))
        await until(pilot, lambda: not pilot.app.marks.pending)
        backend.gates["fetch_text"].set()
        await settle(pilot)
        assert backend.called("fetch_text") == [("fetch_text", LINKED)]
        assert next(item for item in pilot.app.session.digest.items if item.id == LINKED).state == "like"


async def test_a_failure_is_said_and_it_can_be_tried_again(open_app):
    backend = summary()
    backend.failures["fetch_text"] = [TriageError("there is no [network] here")]
    async with open_app(backend, size=WIDE) as pilot:
        await select(pilot, LINKED)
        await press(pilot, "f")
        assert "there is no [network] here" in screen_text(pilot.app)
        assert f"Summary only: {WHY}" in screen_text(pilot.app)
        backend.failures.clear()
        await press(pilot, "f")
        assert "The rest of it." in screen_text(pilot.app)


async def test_an_item_without_a_link_has_nothing_to_fetch(open_app):
    backend = FakeBackend()
    without = next(item.id for item in backend.current.items if not item.url)
    async with open_app(backend, size=WIDE) as pilot:
        await select(pilot, without)
        await press(pilot, "f")
        assert backend.called("fetch_text") == []
        assert "This item has no link" in screen_text(pilot.app)
