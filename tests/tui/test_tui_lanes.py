"""The lane of what is explored, where the screen is narrow."""

from __future__ import annotations

import dataclasses

import pytest
from conftest import press, screen_text
from fake_backend import NOW, FakeBackend, make_digest

from triage.cli import render


def exploring_digest():
    """The made-up day, of which the last item was drawn."""
    digest = make_digest()
    *others, last = digest.items
    return dataclasses.replace(digest, items=(*others, dataclasses.replace(last, lane="exploring")))


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)])
async def test_what_is_explored_stands_last_under_its_own_title(open_app, size):
    digest = exploring_digest()
    async with open_app(FakeBackend(digest=digest), size=size) as pilot:
        await press(pilot, "G")
        await press(pilot, "k")
        rows = screen_text(pilot.app).splitlines()
        (title,) = [n for n, row in enumerate(rows) if row.strip().startswith("Exploring")]
        assert digest.items[-1].title[:30] in "\n".join(rows[title:])
        await press(pilot, "l")
        assert ("mark", digest.items[-1].id, "like") in pilot.app.loader._backend.calls


def test_plain_lines_name_the_lane(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = list(render.digest_lines(exploring_digest(), NOW))
    assert lines.count("EXPLORING") == 1
    assert make_digest().items[-1].title in "\n".join(lines[lines.index("EXPLORING") :])
    assert all(len(line) <= 80 for line in lines if "▌" in line)
