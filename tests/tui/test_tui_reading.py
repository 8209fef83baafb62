"""The text of an item: numbered links, what belongs to it, folded quotes, and how long it was open."""

from __future__ import annotations

import dataclasses

import pytest
from conftest import handled, press, resize, screen_text, settle
from fake_backend import NOW, FakeBackend
from rich.cells import split_graphemes
from textual.content import Content

from triage.core.items import Highlight
from triage.core.links import Link
from triage.core.readings import Related
from triage.core.text import sanitize_text
from triage.tui.dwell import IDLE_S, MOST_S, STEP_S, Stopwatch
from triage.tui.screens.links import LinksScreen, RelatedScreen
from triage.tui.screens.reading import ReadingScreen
from triage.tui.widgets.body import listed, paragraphs

LINKS = (
    Link("the plan", "https://www.plan.example/a?b=c", 12),
    Link("gone", "https://gone.example/", None),
)


def backend_with_links() -> FakeBackend:
    backend = FakeBackend()
    backend.links = {item.id: LINKS for item in backend.current.items}
    return backend


# ---------------------------------------------------------------- links


async def test_links_are_numbered_in_the_text_and_listed_below_it(open_app):
    backend = backend_with_links()
    item = backend.current.items[0]
    backend.texts[item.id] = "See the plan of it."
    backend.links[item.id] = (Link("the plan", "https://plan.example/", 12), LINKS[1])
    async with open_app(backend, size=(80, 40)) as pilot:
        await press(pilot, "enter")
        shown = screen_text(pilot.app)
    assert "See the plan[1] of it." in shown
    assert "[1] the plan — https://plan.example/" in shown
    assert "[2] gone — https://gone.example/" in shown


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        (["2"], "https://gone.example/"),
        (["enter"], "https://www.plan.example/a?b=c"),
        (["j", "enter"], "https://gone.example/"),
        (["0", "9", "1"], "https://www.plan.example/a?b=c"),
    ],
)
async def test_a_link_is_opened_by_its_number_or_by_the_cursor(open_app, monkeypatch, keys, url):
    backend = backend_with_links()
    opened = []
    async with open_app(backend, size=(80, 24)) as pilot:
        monkeypatch.setattr(pilot.app.loader, "open_link", opened.append)
        await press(pilot, "enter")
        await press(pilot, "O", *keys)
        assert not isinstance(pilot.app.screen, LinksScreen)
    assert opened == [url]
    assert None in [call[2] for call in backend.called("opened")], "how long, nobody knows"


async def test_of_many_links_a_number_of_two_digits_is_waited_for(open_app, monkeypatch):
    backend = backend_with_links()
    item = backend.current.items[0]
    backend.links[item.id] = tuple(Link(f"l{n}", f"https://{n}.example/", None) for n in range(1, 25))
    opened = []
    async with open_app(backend, size=(80, 24)) as pilot:
        monkeypatch.setattr(pilot.app.loader, "open_link", opened.append)
        await press(pilot, "enter")
        await press(pilot, "O", "1")
        assert isinstance(pilot.app.screen, LinksScreen)
        await press(pilot, "7")
    assert opened == ["https://17.example/"]


async def test_a_link_shows_its_host_and_all_of_its_address_and_is_copied(open_app, monkeypatch):
    copied = []
    async with open_app(backend_with_links(), size=(80, 24)) as pilot:
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await press(pilot, "enter")
        await press(pilot, "O")
        shown = screen_text(pilot.app)
        assert "plan.example  the plan" in shown
        assert "https://www.plan.example/a?b=c" in shown
        await press(pilot, "y")
    assert copied == ["https://www.plan.example/a?b=c"]


# ---------------------------------------------------------------- threads, stories, quotes


async def test_a_thread_is_listed_above_the_text_and_one_of_it_opens_and_closes(open_app):
    backend = FakeBackend()
    first, other = backend.current.items[0], backend.current.items[4]
    backend.related = {first.id: (Related(other.id, "thread", "Re: it", "Ada", NOW),)}
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "enter")
        assert "└ thread Ada now: Re: it" in screen_text(pilot.app)
        await press(pilot, "t")
        assert isinstance(pilot.app.screen, RelatedScreen)
        await press(pilot, "1")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ReadingScreen)
        assert pilot.app.screen.item.id == other.id
        assert other.title[:30] in screen_text(pilot.app)
        await press(pilot, "escape")
        assert pilot.app.screen.item.id == first.id


async def test_beside_the_list_what_belongs_to_an_item_opens_on_a_screen_of_its_own(open_app):
    backend = FakeBackend()
    first = backend.current.items[0]
    backend.related = {first.id: (Related(3, "whole", "Weekly", "News", NOW),)}
    async with open_app(backend, size=(120, 36)) as pilot:
        await press(pilot, "t", "1")
        await settle(pilot)
        assert pilot.app.current_item.id == 3
        await press(pilot, "q")
        assert pilot.app.current_item.id == first.id


async def test_long_quotes_are_folded_until_asked_for(open_app):
    backend = FakeBackend()
    item = backend.current.items[0]
    quote = "\n".join(f"> line {n}" for n in range(12))
    backend.texts[item.id] = f"I agree.\n\n{quote}\n\n> short\n\nBye."
    async with open_app(backend, size=(80, 40)) as pilot:
        await press(pilot, "enter")
        shown = screen_text(pilot.app)
        assert "> 12 quoted lines (v unfolds)" in shown
        assert "> short" in shown
        assert "> line 3" not in shown
        await press(pilot, "v")
        assert "> line 3" in screen_text(pilot.app)


async def test_a_passage_in_a_folded_quote_is_unfolded_by_jumping_to_it(open_app):
    backend = FakeBackend()
    quote = "\n".join(f"> line {n}" for n in range(12))
    backend.texts[1] = f"I agree.\n\n{quote}"
    start = backend.texts[1].index("line 7")
    said = (Highlight(start, start + 6, "line 7", 0.5),)
    items = [dataclasses.replace(item, highlights=said) for item in backend.current.items[:1]]
    backend.current = dataclasses.replace(backend.current, items=tuple(items))
    async with open_app(backend, size=(80, 40)) as pilot:
        await press(pilot, "enter")
        await press(pilot, "n")
        assert "> line 7" in screen_text(pilot.app)


# ---------------------------------------------------------------- layout

SCRIPTS = {
    "chinese": "港口的新起重机昨天第一次开动，工人们等了三年。" * 3,
    "arabic": "افتتح الميناء الجديد أمس بعد ثلاث سنوات من العمل " * 3,
    "hebrew": "הנמל החדש נפתח אתמול אחרי שלוש שנים של עבודה " * 3,
    "thai": "ท่าเรือใหม่เปิดเมื่อวานนี้หลังจากรอมาสามปี" * 3,
    "hindi": "नया बंदरगाह कल तीन साल के काम के बाद खुला " * 3,
    "marks": "e\u0301a\u0308o\u0302\u0323" * 40,
    "emoji": "👩\u200d👩\u200d👧\u200d👦🏳️\u200d🌈👍🏽" * 12,
    "one word": "x" * 300,
}


@pytest.mark.parametrize("width", [20, 33, 60])
@pytest.mark.parametrize("name", SCRIPTS)
def test_no_line_breaks_what_people_see_as_one_character(name: str, width: int) -> None:
    text = sanitize_text(SCRIPTS[name])
    clusters = [text[start:stop] for start, stop, _ in split_graphemes(text)[0]]
    (content,) = paragraphs(text, [(0, len(text), True)], [], [], folded=True)
    lines = [wrapped.plain for wrapped in content.wrap(width)]
    assert "".join("".join(lines).split()) == "".join(text.split()), "nothing is lost"
    found = [each[start:stop] for each in lines for start, stop, _ in split_graphemes(each)[0]]
    assert [c for c in found if c.strip()] == [c for c in clusters if c.strip()]
    assert max(Content(each).cell_length for each in lines) <= width


async def test_text_flows_at_any_width_from_twenty_columns(open_app):
    backend = backend_with_links()
    for item in backend.current.items:
        backend.texts[item.id] = "\n\n".join(SCRIPTS.values())
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "enter")
        for width in (20, 27, 40, 61, 140, 20):
            await resize(pilot, width, 24)
            await handled(pilot)
            reader = pilot.app.screen.reader if width < 100 else pilot.app.reader
            assert reader.virtual_size.height > 10
            assert max(Content(row).cell_length for row in screen_text(pilot.app).splitlines()) <= width


def test_addresses_below_a_text_are_whole() -> None:
    url = "https://a.example/" + "b" * 500
    assert [row.plain for row in listed([Link("words", url, None)])][1] == f"[1] words — {url}"


# ---------------------------------------------------------------- how long it was open


def test_a_reading_is_measured_and_pauses_while_nobody_is_there() -> None:
    now = [0.0]
    dwell = Stopwatch(lambda: now[0])

    def pass_by(seconds: int, item: int | None) -> list[tuple[int, float]]:
        ended = []
        for _ in range(seconds):
            now[0] += 1
            if (left := dwell.look(item)) is not None:
                ended.append(left)
        return ended

    dwell.touch()
    assert pass_by(31, 7) == []
    assert pass_by(1, 8) == [(7, 31.0)]
    assert pass_by(600, 8) == []
    ((item, seconds),) = pass_by(1, None)
    assert (item, seconds < IDLE_S + 2) == (8, True)
    dwell.touch()
    dwell.look(9)
    now[0] += 8 * 3600  # the machine slept, and a key woke it
    dwell.touch()
    assert dwell.look(None) == (9, STEP_S)
    for _ in range(5000):
        now[0] += 1
        dwell.touch()
        dwell.look(9)
    assert dwell.look(None) == (9, MOST_S)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=str)
async def test_what_was_read_is_remembered_when_it_is_left(open_app, size):
    backend = FakeBackend()
    item = backend.current.items[0]
    async with open_app(backend, size=size) as pilot:
        pilot.app.dwell.look()
        assert not backend.called("opened"), "beside the list, a text is passed by"
        await press(pilot, "enter")
        pilot.app.dwell.look()
        await press(pilot, "w")
        pilot.app.dwell.look()
        assert not backend.called("opened"), "under a dialog it stays open"
        await press(pilot, "escape", "escape")
        pilot.app.dwell.look()
        await settle(pilot)
        assert [call[1] for call in backend.called("opened")] == [item.id]
        await press(pilot, "enter")
        pilot.app.dwell.look()
    assert [call[1] for call in backend.called("opened")] == [item.id, item.id], "leaving ends it, too"


# ---------------------------------------------------------------- colours


async def test_the_colours_that_are_chosen_are_remembered(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        assert not backend.called("keep_theme")
        pilot.app.theme = "triage-light"
        await settle(pilot)
    assert backend.called("keep_theme") == [("keep_theme", "triage-light")]
