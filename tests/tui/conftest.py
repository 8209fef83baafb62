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
from textual.pilot import Pilot

from triage.tui.app import TriageApp

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


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Lets the app work until something is true of it."""
    async with asyncio.timeout(20):
        while not condition():
            await pilot.pause()


async def settle(pilot: Pilot[int]) -> None:
    """Lets the app work until no thread owes it an answer and every answer is on the screen."""
    app = pilot.app
    assert isinstance(app, TriageApp)
    for _ in range(2):
        await until(
            pilot, lambda: not app.writer.pending and all(worker.is_finished for worker in app.workers)
        )
        await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Presses keys and waits for all that follows."""
    await pilot.press(*keys)
    await settle(pilot)


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
    ) -> AsyncIterator[Pilot[int]]:
        # The poll is called by the tests that are about it.
        app = TriageApp(backend or FakeBackend(), demo=demo, now=lambda: NOW, poll_seconds=3600)
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
