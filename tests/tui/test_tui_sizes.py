"""Any size of screen and any length of list."""

from __future__ import annotations

import dataclasses
import random
import time

import pytest
from conftest import press, resize, screen_text, settle
from fake_backend import FakeBackend, make_digest

from triage.tui.screens.reading import ReadingScreen


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 20), (20, 5), (10, 3), (2, 2), (1, 1), (300, 100)], ids=str)
async def test_every_key_at_every_size(open_app, size):
    """TUI-08."""
    async with open_app(size=size) as pilot:
        await press(
            pilot,
            "j",
            "l",
            "G",
            "g",
            "enter",
            "n",
            "space",
            "escape",
            "w",
            "escape",
            "question_mark",
            "escape",
        )
        await press(pilot, "slash", "a", "enter", "escape", "u")
        assert pilot.app.is_running


@pytest.mark.slow
@pytest.mark.parametrize("scene", [["j", "enter"], ["w"], ["slash"]], ids=str)
async def test_a_storm_of_sizes(open_app, scene):
    """TUI-08."""
    shuffled = random.Random(7)
    async with open_app(size=(80, 24)) as pilot:
        await press(pilot, *scene)
        for _ in range(8):
            await resize(pilot, shuffled.randint(1, 160), shuffled.randint(1, 50))
        await resize(pilot, 80, 24)
        await settle(pilot)
        await press(pilot, "escape", "escape", "g")
        assert "Re: the boiler" in screen_text(pilot.app)


async def test_the_text_moves_beside_the_list_when_there_is_room(open_app):
    async with open_app(size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j")
        assert "Most small programs" not in screen_text(pilot.app)
        await resize(pilot, 120, 36)
        await settle(pilot)
        assert "Most small programs" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert not isinstance(pilot.app.screen, ReadingScreen)
        await resize(pilot, 80, 24)
        await press(pilot, "j")
        assert pilot.app.base.list.selected.id == 5, "the keys are the list's again"


def long_backend(count: int) -> FakeBackend:
    item = make_digest().items[5]
    items = tuple(
        dataclasses.replace(item, id=number, title=f"Item {number}") for number in range(1, count + 1)
    )
    return FakeBackend(digest=dataclasses.replace(make_digest(), items=items))


async def drawing_time(open_app, count: int) -> float:
    """Seconds for drawing forty pages from all over the list, the best of three."""
    async with open_app(long_backend(count), size=(80, 40)) as pilot:
        shown = pilot.app.base.list
        times = []
        for _ in range(3):
            start = time.process_time()
            for page in range(40):
                shown._go(page * count // 40)
                for y in range(shown.size.height):
                    shown.render_line(y)
            times.append(time.process_time() - start)
        await press(pilot, "G", "k")
        assert shown.selected.id == count
        assert f"Item {count}" in screen_text(pilot.app)
        return min(times)


async def test_a_long_list_costs_no_more_to_draw_than_a_short_one(open_app):
    short, long = await drawing_time(open_app, 1_000), await drawing_time(open_app, 20_000)
    assert long < 2 * short, (
        f"{short * 1000:.0f} ms for a thousand rows, {long * 1000:.0f} ms for twenty thousand"
    )
