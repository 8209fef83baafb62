"""Hostile text: whatever stands in an item, an error or the search line, it is shown and does nothing."""

from __future__ import annotations

import dataclasses
import re

import pytest
from conftest import press, screen_text, settle
from fake_backend import FakeBackend
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events
from textual.content import Content

from triage.core.errors import TriageError
from triage.core.items import Highlight, Reason
from triage.core.text import sanitize_text
from triage.tui.cells import clip, fit, line
from triage.tui.widgets.body import place
from triage.tui.widgets.item_row import RowView, row_segments

ESC = "\x1b"
PAYLOADS = {
    "clear": f"{ESC}[2J",
    "clipboard": f"{ESC}]52;c;cHduZWQ={ESC}\\",
    "hyperlink": f"{ESC}]8;;http://evil.example{ESC}\\",
    "title": f"{ESC}]0;pwned\x07",
    "c1 csi": "\x9b2J",
    "c1 osc": "\x9d52;c;cHduZWQ=\x9c",
    "c1 dcs": "\x90q",
    "nul and friends": "a\x00b\x08c\x7f",
    "bidi": "\u202egnp.exe\u2066",
    "return": "seen\rhidden",
}
FORBIDDEN = re.compile(
    "\x1b\\[2J|\x1b\\]|\x1bP|\x1b\\\\|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
MARKUP = [
    "x [/] [@click=app.quit]y[/]",
    "[/foo] unbalanced",
    "[link=http://evil.example/]here[/link]",
    "[@click=app.mark('like')]free money[/]",
    "[b]bold[/b] $accent [$error]red",
    "[@click=app.simulate_key('q')]",
]


def poisoned(payload: str) -> FakeBackend:
    """A backend in which every word that comes from outside carries the payload."""
    backend = FakeBackend()
    nasty = f"A{payload}Z"
    items = tuple(
        dataclasses.replace(
            item,
            title=nasty,
            source=nasty,
            url=f"https://example.org/{nasty}",
            people=(nasty,),
            highlights=(Highlight(0, len(nasty), nasty, 0.8),),
        )
        for item in backend.current.items[:6]
    )
    backend.current = dataclasses.replace(backend.current, items=items, warnings=(nasty,))
    backend.texts = {item.id: f"{nasty} and the rest\n\n{nasty}" for item in items}
    backend.daemon = nasty
    explain = backend.explain
    backend.explain = lambda item_id: dataclasses.replace(  # type: ignore[method-assign]
        explain(item_id),
        calibration=nasty,
        reasons=(Reason(nasty, nasty, 0.5), Reason("source", nasty, -0.25)),
    )
    mark = backend.mark
    backend.mark = lambda item_id, verb: dataclasses.replace(mark(item_id, verb), message=nasty)  # type: ignore[method-assign]
    return backend


async def tour(pilot, backend: FakeBackend) -> str:
    """Goes through every screen and returns all that would have been sent to the terminal."""
    sent = []
    for names in (
        ["j"], ["l"], ["enter"], ["n"], ["o"], ["w"], ["escape"], ["q"], ["w"], ["d"], ["escape"], ["escape"],
        ["m"], ["1"], ["escape"], ["m", "w"], ["escape"], ["A"], ["escape"], ["F", "a"], ["escape"],
        ["question_mark"], ["escape"], ["G"], ["slash", "a", "enter"], ["escape"], ["u"],
    ):  # fmt: skip
        await press(pilot, *names)
        sent.append(screen_text(pilot.app, colour=True))
    backend.failures["digest"] = [TriageError(f"Failed{backend.daemon}", fix=f"try{backend.daemon}")]
    pilot.app.loader.poll()
    await press(pilot, "r")
    sent.append(screen_text(pilot.app, colour=True))
    return "".join(sent)


@pytest.mark.parametrize("size", [(120, 36), (60, 20)], ids=str)
async def test_no_payload_reaches_the_terminal(open_app, size):
    """TUI-01. All payloads in all fields at once; each is tried alone below, at the seam they pass."""
    backend = poisoned("".join(PAYLOADS.values()))
    async with open_app(backend, size=size) as pilot:
        sent = await tour(pilot, backend)
        assert pilot.app.is_running
    found = FORBIDDEN.search(re.sub(r"\x1b\[[\d;]*[mH]", "", sent).replace("\n", ""))
    assert not found, repr(sent[found.start() - 40 : found.end() + 40])
    assert "pwned" in sent, "the text around the codes is still there"


@pytest.mark.parametrize("name", PAYLOADS)
def test_each_payload_is_defused(name):
    assert not FORBIDDEN.search(line(f"a{PAYLOADS[name]}b"))


@pytest.mark.parametrize(
    "markup",
    [pytest.param(markup, marks=pytest.mark.slow if n > 1 else ()) for n, markup in enumerate(MARKUP)],
)
async def test_markup_is_text(open_app, markup):
    """TUI-02."""
    backend = poisoned(markup)
    async with open_app(backend) as pilot:
        assert f"A{markup}Z" in screen_text(pilot.app)
        await tour(pilot, backend)
        assert pilot.app.is_running


async def test_clicking_markup_does_nothing(open_app):
    """TUI-02."""
    backend = poisoned("")
    items = [
        dataclasses.replace(i, title=m, source=m) for i, m in zip(backend.current.items, MARKUP, strict=True)
    ]
    backend.current = dataclasses.replace(backend.current, items=tuple(items))
    backend.texts = {item.id: "\n".join(MARKUP) for item in items}
    async with open_app(backend) as pilot:
        shown = screen_text(pilot.app).splitlines()
        spots = [
            (match.start() + 4, y) for y, row in enumerate(shown) for match in re.finditer(r"\[[@/l]", row)
        ]
        assert len(spots) > 12
        for spot in spots:
            await pilot.click(offset=spot)
        await settle(pilot)
        assert pilot.app.is_running
        assert not pilot.app.marks.leaving
        assert not backend.called("mark")


async def test_keys_that_close_the_palette_twice_close_nothing_else(open_app):
    """TUI-08: in a storm of keys, Enter takes effect after Esc."""
    async with open_app(FakeBackend()) as pilot:
        pilot.app.action_command_palette()
        await settle(pilot)
        palette = pilot.app.screen
        assert palette is not pilot.app.base
        palette.dismiss()
        palette.dismiss()
        await settle(pilot)
        assert pilot.app.screen is pilot.app.base


async def test_pasting_into_the_search_line_is_safe(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        await press(pilot, "slash")
        pilot.app.screen.focused.post_message(events.Paste("".join(PAYLOADS.values())))
        await settle(pilot)
        sent = screen_text(pilot.app, colour=True)
        assert not FORBIDDEN.search(re.sub(r"\x1b\[[\d;]*[mH]", "", sent).replace("\n", ""))
        await press(pilot, "a", "space", "b", "enter")
        assert backend.called("search")[0][1].endswith("a b")


unicode = st.text(st.characters(), max_size=60) | st.text(
    st.sampled_from("aé漢字한🙂👩\u200d\u0301\u0e33\ufe0fשלךم\t\x1b "), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(text=unicode, width=st.integers(0, 80))
def test_text_fits_exactly(text, width):
    """TUI-03."""
    clean = line(text)
    assert cell_len(clip(clean, width)) <= width
    assert cell_len(fit(clean, width)) == width
    assert cell_len(fit(clean, width, right=True)) == width


class _AnyStyle(dict):
    def __missing__(self, key):
        return None


@settings(max_examples=150, deadline=None)
@given(title=unicode, source=unicode, passage=unicode, width=st.integers(8, 130), part=st.integers(0, 1))
def test_a_row_is_exactly_as_wide_as_the_list(title, source, passage, width, part):
    """TUI-03."""
    item = FakeBackend().current.items[3]
    item = dataclasses.replace(item, title=title, source=source, highlights=(Highlight(0, 1, passage, 1.0),))
    view = RowView(width, item.published, "like", selected=True)
    segments = row_segments(item, part, view, _AnyStyle())
    assert sum(cell_len(segment.text) for segment in segments) == width
    assert not FORBIDDEN.search("".join(segment.text for segment in segments))


@settings(max_examples=100, deadline=None)
@given(text=unicode, width=st.integers(2, 40))
def test_wrapped_text_is_never_wider_than_its_column(text, width):
    for wrapped in Content(sanitize_text(text)).wrap(width):
        # A terminal that joins emoji may use fewer cells; none may use more.
        assert sum(cell_len(char) for char in wrapped.plain) <= width or cell_len(wrapped.plain) <= width


def test_highlights_of_text_that_changed_are_found_by_their_words():
    """ML-16."""
    stored, shown = "a\x1bb. The point.", "a\ufffdb. The point."
    point = Highlight(5, 15, "The point.", 0.5)
    assert place([point], stored, shown) == [(5, 15, True)]
    assert place([dataclasses.replace(point, text="not there")], stored, shown) == []
    assert place([point], shown, shown) == [(5, 15, True)]
    assert place([Highlight(5, 99, "The point.", 0.5)], shown, shown) == []
