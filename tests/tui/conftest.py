"""Fixtures: an app on a fixed screen at a fixed time, waiting without sleeping, and screens as text files."""

from __future__ import annotations

import asyncio
import io
import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from fake_backend import NOW, FakeBackend
from rich.console import Console
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from triage.tui.app import TriageApp
from triage.tui.keymap import Keymap

SNAPSHOTS = Path(__file__).parent / "snapshots"
OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[int]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--snapshot-update", action="store_true", help="write the screens instead of comparing them"
    )


@pytest.fixture(autouse=True)
def _fixed_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "BROWSER", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("triage.tui.learner.PAUSE_S", 0.0)


async def handled(pilot: Pilot[int]) -> None:
    """Lets the app, the screen and every widget handle what they were sent, and the screen be drawn.

    `Pilot.pause` waits besides until the processor is idle, which takes 50 ms a key, and longer
    where other programs run.
    """
    app, quiet = pilot.app, 0
    # A message goes from a widget up to the app through at most four queues.
    while app.is_running and app.screen_stack and quiet < 4:
        await pilot._wait_for_screen()
        pumps = [app, app.screen, *app.screen.walk_children()]
        quiet = 0 if any(pump.message_queue_size for pump in pumps) else quiet + 1
        await asyncio.sleep(0)
    if app.is_running and app.screen_stack:
        app.screen._on_timer_update()


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Lets the app work until something is true of it."""
    async with asyncio.timeout(20):
        while not condition():
            await handled(pilot)
            await asyncio.sleep(0.001)


def owed(app: TriageApp) -> bool:
    """Whether a thread owes the app an answer."""
    # A question waits for the reader, not for a thread.
    return app.marks.busy or any(not w.is_finished and w.group != "question" for w in app.workers)


async def settle(pilot: Pilot[int]) -> None:
    """Lets the app work until no thread owes it an answer and every answer is on the screen."""
    app = pilot.app
    assert isinstance(app, TriageApp)
    for _ in range(3):
        await until(pilot, lambda: not owed(app))
        await handled(pilot)


async def keys(pilot: Pilot[int], *names: str) -> None:
    """Presses keys, given by Textual's names or as characters, and waits for no thread."""
    for name in names:
        character = " " if name == "space" else name if len(name) == 1 else None
        pilot.app.post_message(events.Key(_character_to_key(name) if len(name) == 1 else name, character))
        await handled(pilot)


async def press(pilot: Pilot[int], *names: str) -> None:
    """Presses keys and waits after each for all that follows: what opens late takes no key before."""
    assert isinstance(pilot.app, TriageApp)
    for name in names:
        await keys(pilot, name)
        if owed(pilot.app):
            await settle(pilot)
    await settle(pilot)


async def resize(pilot: Pilot[int], width: int, height: int) -> None:
    """Changes the size of the terminal; Textual waits a moment for more of it before it acts."""
    await pilot.resize_terminal(width, height)
    await until(pilot, lambda: pilot.app.screen.size == (width, height))


def screen_text(app: TriageApp, *, colour: bool = False) -> str:
    """What stands on the screen; with `colour`, exactly what would be sent to a terminal for it."""
    out = io.StringIO()
    console = Console(
        width=app.size.width,
        height=app.size.height,
        file=out,
        force_terminal=True,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
        safe_box=False,
    )
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    text = out.getvalue()
    if colour:
        return text
    return "\n".join(row.rstrip() for row in re.sub(r"\x1b\[\d+;\d+H", "", text).splitlines())


@pytest.fixture
def open_app() -> OpenApp:
    """Opens an app that has loaded its digest and done all it does at the start."""

    @asynccontextmanager
    async def open_one(
        backend: FakeBackend | None = None,
        size: tuple[int, int] = (120, 36),
        *,
        wait: bool = True,
        demo: bool = False,
        keymap: Keymap | None = None,
    ) -> AsyncIterator[Pilot[int]]:
        # The poll is called by the tests that are about it.
        app = TriageApp(
            backend or FakeBackend(), demo=demo, now=lambda: NOW, poll_seconds=3600, keymap=keymap
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            if wait:
                await settle(pilot)
            yield pilot

    return open_one


@pytest.fixture
def matches_snapshot(request: pytest.FixtureRequest) -> Callable[[TriageApp, str], None]:
    """Compares the screen with a file; run with --snapshot-update to write it."""

    def check(app: TriageApp, name: str) -> None:
        path = SNAPSHOTS / f"{name}.txt"
        shown = screen_text(app).rstrip("\n") + "\n"
        if request.config.getoption("--snapshot-update"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert path.exists(), f"{path.name} is missing; write it with --snapshot-update"
        assert shown == path.read_text(encoding="utf-8"), (
            f"the screen differs from {path.name}{os.linesep}{shown}"
        )

    return check
