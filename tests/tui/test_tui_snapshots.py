"""Screens as files: what a reader sees, at the sizes that people have."""

from __future__ import annotations

import itertools
import re

import pytest
from conftest import press, screen_text
from fake_backend import FakeBackend, make_digest
from textual import constants
from textual.color import Color
from textual.widgets import Input

SIZES = [(120, 36), (80, 24), (60, 20)]
SCENES = {
    "digest": [],
    "marked": ["l", "d", "L", "s"],
    "reading": ["j", "j", "j", "enter", "n"],
    "why": ["j", "j", "j", "w"],
    "end": ["G"],
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES)
async def test_scene(open_app, matches_snapshot, scene, size):
    async with open_app(size=size) as pilot:
        for key in SCENES[scene]:
            await press(pilot, key)
        matches_snapshot(pilot.app, f"{scene}-{size[0]}x{size[1]}")


async def test_help_is_made_from_the_registry(open_app, matches_snapshot):
    async with open_app(size=(80, 60)) as pilot:
        await press(pilot, "question_mark")
        matches_snapshot(pilot.app, "help-80x60")


async def test_results(open_app, matches_snapshot, monkeypatch):
    monkeypatch.setattr(Input, "cursor_blink", False)
    async with open_app(size=(80, 24)) as pilot:
        await press(pilot, "slash", *"the log", "enter")
        matches_snapshot(pilot.app, "results-80x24")


async def test_demo_and_no_labels_yet(open_app, matches_snapshot):
    backend = FakeBackend(digest=make_digest(learned=False, demo=True))
    async with open_app(backend, size=(80, 24), demo=True) as pilot:
        matches_snapshot(pilot.app, "cold-start-80x24")
        await press(pilot, "G")
        matches_snapshot(pilot.app, "cold-start-end-80x24")


@pytest.mark.parametrize(
    ("named", "chosen"),
    [
        ("textual-dark", "triage-dark"),
        ("triage-light", "triage-light"),
        ("nord", "nord"),
        ("no-such", "triage-dark"),
    ],
)
async def test_the_theme_of_the_environment(open_app, monkeypatch, named, chosen):
    monkeypatch.setattr(constants, "DEFAULT_THEME", named)
    async with open_app(size=(80, 24)) as pilot:
        assert pilot.app.theme == chosen
        drawn = pilot.app.base.status_bar.styles.background
        assert drawn == Color.parse(pilot.app.theme_variables["surface"]), "and its colours are on the screen"


@pytest.mark.parametrize(
    ("described", "chosen"), [("0;15", "triage-light"), ("15;default;0", "triage-dark"), ("", "triage-dark")]
)
async def test_a_light_terminal_gets_the_light_theme(open_app, monkeypatch, described, chosen):
    monkeypatch.setenv("COLORFGBG", described)
    async with open_app(size=(80, 24)) as pilot:
        assert pilot.app.theme == chosen


@pytest.mark.parametrize("named", ["triage-dark", "triage-light"])
async def test_every_word_can_be_read_on_its_background(open_app, monkeypatch, named):
    monkeypatch.setattr(constants, "DEFAULT_THEME", named)
    async with open_app(size=(120, 36)) as pilot:
        for keys, region in {
            ("j",): lambda: pilot.app.size.region,
            ("w",): lambda: pilot.app.screen.page.region,
            ("escape", "question_mark"): lambda: pilot.app.screen.page.region,
        }.items():
            await press(pilot, *keys)
            x, y, width, height = region()
            rows = pilot.app.screen._compositor.render_strips()[y : y + height]
            segments = itertools.chain(*(row.crop(x, x + width) for row in rows))
            for ink, paper in {(s.color, s.bgcolor) for text, s, _ in segments if re.search(r"\w", text)}:
                found = contrast(Color.from_rich_color(ink), Color.from_rich_color(paper))
                assert found >= 4.5, (keys, ink.name, paper.name)


def contrast(ink: Color, paper: Color) -> float:
    """The ratio of WCAG 2.1, section 1.4.3, where 4.5 is the least for text."""
    lighter, darker = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    parts = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


async def test_nothing_counts_what_is_unread(open_app):
    async with open_app(size=(80, 24)) as pilot:
        for key in ("g", "l", "G", "question_mark", "escape", "w"):
            await press(pilot, key)
            assert not re.search(r"unread|inbox \(\d|\bnew\b: \d", screen_text(pilot.app), re.IGNORECASE)


async def test_every_highlight_shows_without_colour(open_app, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_app(size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j", "enter")
        plain = screen_text(pilot.app)
        assert re.search(r"^▌ +An append-only log keeps", plain, re.MULTILINE)
        assert re.search(r"^[▌ ]╎ .*sponsor", plain, re.MULTILINE)
        # No colour code at all is sent, only bold, italic, underline and their like.
        codes = set(re.findall(r"\x1b\[([\d;]*)m", screen_text(pilot.app, colour=True)))
        numbers = {int(number) for code in codes for number in code.split(";") if number}
        assert not {n for n in numbers if 30 <= n <= 38 or 40 <= n <= 48 or n >= 90}
