"""The guided start, full-screen: each step by keyboard, skipped, resumed, and with what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from conftest import keys, press, screen_text, settle, until
from fake_backend import NOW, FakeBackend
from fake_start import FakeStart
from test_tui_hostile import FORBIDDEN, MARKUP, PAYLOADS
from textual import events
from textual.pilot import Pilot

from triage.core.errors import UsageError
from triage.core.starting import AFTERWARDS, LEFT, Step
from triage.tui.app import TriageApp

OpenStart = Callable[..., AbstractAsyncContextManager[Pilot[int]]]
BEFORE_MARKS = (Step.INTERESTS, Step.PACKS, Step.IMPORTS, Step.FETCH)


@pytest.fixture
def open_start() -> OpenStart:
    @asynccontextmanager
    async def open_one(start: FakeStart, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[int]]:
        backend = FakeBackend()
        backend.guide = start
        app = TriageApp(backend, now=lambda: NOW, poll_seconds=3600, start=True)
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(pilot)
            yield pilot

    return open_one


def text_of(pilot: Pilot[int]) -> str:
    assert isinstance(pilot.app, TriageApp)
    return screen_text(pilot.app)


async def one_by_one(pilot: Pilot[int], *names: str) -> None:
    """Keys that each wait for the answer to the one before: what is typed ahead, nobody has thought about."""
    for name in names:
        await press(pilot, name)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_from_nothing_to_the_first_digest_by_keyboard(
    open_start: OpenStart, size: tuple[int, int]
) -> None:
    start = FakeStart()
    async with open_start(start, size) as pilot:
        assert "What do you want to keep up with?" in text_of(pilot)
        await press(pilot, *"trams")
        assert "• trams" in text_of(pilot)
        await press(pilot, "enter")
        assert start.interests == ("trams",)
        assert "[x] Trams" in text_of(pilot)
        await press(pilot, "j", "space", "enter")
        assert start.calls[-2][0] == "take"
        assert start.sources == 2
        await press(pilot, *"feeds.opml", "enter")
        assert "12 subscriptions" in text_of(pilot)
        assert not [call for call in start.calls if call[0] == "add"]
        await one_by_one(pilot, "enter", "enter")
        assert ("add", "feeds.opml") in start.calls
        assert "Tide tables: 15 items" in text_of(pilot)
        assert "\x1b[31m" not in text_of(pilot)
        await press(pilot, "enter")
        assert "1 of 10" in text_of(pilot)
        await one_by_one(pilot, "l", "d", "space", "l")
        assert [verb for _, verb in start.marks] == ["like", "dislike", "like"]
        assert "3 items moved" in text_of(pilot)
        await press(pilot, "u")
        assert len(start.marks) == 2
        await press(pilot, "enter")
        assert Step.DONE in start.past
        assert AFTERWARDS[:40] in text_of(pilot)
        assert isinstance(pilot.app, TriageApp)
        assert pilot.app.session.query is None  # what was answered is nothing to search for


async def test_all_lines_that_are_pasted_are_taken(open_start: OpenStart) -> None:
    start = FakeStart()
    async with open_start(start) as pilot:
        pilot.app.screen.focused.post_message(events.Paste("tidal energy\r\n\n  trams\n"))
        await settle(pilot)
        assert "• tidal energy" in text_of(pilot)
        await press(pilot, "enter")
        assert start.interests == ("tidal energy", "trams")


async def test_whoever_leaves_in_the_middle_is_told_how_to_go_on(open_start: OpenStart) -> None:
    async with open_start(FakeStart()) as pilot:
        await press(pilot, "ctrl+c")
        await until(pilot, lambda: not pilot.app.is_running)
        assert [str(said) for said in pilot.app._exit_renderables] == [LEFT]


async def test_what_a_message_was_about_is_gone_when_something_else_is_typed(open_start: OpenStart) -> None:
    async with open_start(FakeStart()) as pilot:
        await press(pilot, "enter")
        assert "A word or two" in text_of(pilot)
        await press(pilot, "a")
        assert "A word or two" not in text_of(pilot)


async def test_every_step_can_be_skipped(open_start: OpenStart) -> None:
    start = FakeStart(sources=1)
    async with open_start(start) as pilot:
        for _ in range(5):
            await press(pilot, "escape")
        assert Step.DONE in start.past
        assert not start.interests
        assert not start.marks


@pytest.mark.parametrize(
    ("past", "there"),
    [
        ((Step.INTERESTS,), "Sources to start with"),
        ((Step.INTERESTS, Step.PACKS), "What do you already have?"),
        ((Step.INTERESTS, Step.PACKS, Step.IMPORTS), "Fetching what your sources have"),
        (BEFORE_MARKS, "More like this, or less?"),
    ],
)
async def test_it_goes_on_where_it_was_left(
    open_start: OpenStart, past: tuple[Step, ...], there: str
) -> None:
    async with open_start(FakeStart(*past, sources=2, items=15)) as pilot:
        assert there in text_of(pilot)


async def test_what_was_said_before_can_be_changed(open_start: OpenStart) -> None:
    start = FakeStart(Step.INTERESTS)
    start.interests = ("tides",)
    async with open_start(start) as pilot:
        await press(pilot, "ctrl+b")
        assert "• tides" in text_of(pilot)
        await press(pilot, *", bread", "enter")
        assert start.interests == ("tides", "bread")


async def test_keys_are_answered_while_sources_hang_and_the_reader_may_go_on(open_start: OpenStart) -> None:
    start = FakeStart(Step.INTERESTS, Step.PACKS, Step.IMPORTS, sources=2)
    start.gate = threading.Event()
    backend = FakeBackend()
    backend.guide = start
    app = TriageApp(backend, now=lambda: NOW, poll_seconds=3600, start=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Slow" in text_of(pilot))
        await keys(pilot, "enter")  # there is nothing to go on with yet
        assert "Fetching what your sources have" in text_of(pilot)
        await keys(pilot, "escape")
        await until(pilot, lambda: Step.DONE in start.past)
        start.gate.set()
        await settle(pilot)
        assert "Your digest now" not in text_of(pilot)


async def test_offline_the_demo_is_offered_and_another_try(open_start: OpenStart) -> None:
    start = FakeStart(Step.INTERESTS, Step.PACKS, Step.IMPORTS, sources=2)
    start.brings = 0
    async with open_start(start) as pilot:
        assert "Is there a network?" in text_of(pilot)
        start.brings = 4
        await press(pilot, "r")
        assert start.calls.count(("fetch",)) == 2
        assert "4 items here" in text_of(pilot)


async def test_an_error_is_a_sentence_and_the_step_stays(open_start: OpenStart) -> None:
    start = FakeStart(Step.INTERESTS, Step.PACKS)
    start.errors["look_at"] = UsageError("there is no file or folder /nowhere")
    async with open_start(start) as pilot:
        await press(pilot, *"/nowhere", "enter")
        assert "there is no file or folder /nowhere" in text_of(pilot).lower()
        await press(pilot, "enter")
        assert "12 subscriptions" in text_of(pilot)
        await press(pilot, "escape")
        assert "Dropped" in text_of(pilot)
        assert not [call for call in start.calls if call[0] == "add"]


async def test_a_mailbox_is_asked_for_the_command_that_prints_its_password(open_start: OpenStart) -> None:
    start = FakeStart(Step.INTERESTS, Step.PACKS)
    async with open_start(start) as pilot:
        await press(pilot, *"imaps://me@host/INBOX", "enter")
        assert "Which command prints its password?" in text_of(pilot)
        await press(pilot, *"pass show it")
        await one_by_one(pilot, "enter", "enter")
        assert ("look_at", "imaps://me@host/INBOX", "pass show it") in start.calls
        assert ("add", "imaps://me@host/INBOX") in start.calls


async def test_whatever_a_source_says_is_shown_and_does_nothing(open_start: OpenStart) -> None:
    start = FakeStart(Step.INTERESTS, Step.PACKS, Step.IMPORTS, sources=1)
    start.nasty = "".join(f"A{payload}Z" for payload in (*MARKUP, *PAYLOADS.values()))
    start.errors["undo"] = UsageError(start.nasty)
    async with open_start(start, (120, 36)) as pilot:
        assert isinstance(pilot.app, TriageApp)
        for key in ("enter", "l", "u"):
            assert not FORBIDDEN.search(screen_text(pilot.app, colour=True))
            await press(pilot, key)
            assert "[@click=app.quit]" in text_of(pilot)


async def test_without_any_source_it_ends_and_says_how_to_go_on(open_start: OpenStart) -> None:
    async with open_start(FakeStart()) as pilot:
        for _ in range(3):
            await press(pilot, "escape")
        assert not pilot.app.is_running


async def test_whoever_was_through_may_begin_again(open_start: OpenStart) -> None:
    start = FakeStart(*Step, sources=1, items=3)
    start.interests = ("tides",)
    async with open_start(start) as pilot:
        assert "• tides" in text_of(pilot)
        await press(pilot, "enter")
        assert "Sources to start with" in text_of(pilot)


async def test_keys_of_the_digest_do_nothing_under_a_step(open_start: OpenStart) -> None:
    async with open_start(FakeStart(Step.INTERESTS, Step.PACKS, Step.IMPORTS, sources=1)) as pilot:
        assert isinstance(pilot.app, TriageApp)
        await press(pilot, "l", "slash", "q", "question_mark")
        assert "fetching" in text_of(pilot)
        assert not pilot.app.marks.pending
