"""Every key of the registry does what it says."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from conftest import keys, press, screen_text, settle, until
from fake_backend import FakeBackend
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import Input

from triage.core.items import Highlight
from triage.core.readings import Reading
from triage.tui.actions import ACTIONS, BY_ID, MOVES, key_name
from triage.tui.screens.digest import KEYS
from triage.tui.screens.help import HelpScreen
from triage.tui.screens.reading import ReadingScreen
from triage.tui.screens.why import WhyScreen

SMALL = (80, 24)


def selected(pilot):
    item = pilot.app.base.list.selected
    return item.id if item else None


async def test_no_key_has_two_meanings():
    for scope in ("app", "list"):
        used = [key for action in ACTIONS if action.scope in ("app", scope) for key in action.keys]
        assert len(used) == len(set(used))


async def test_every_action_has_a_method(open_app):
    async with open_app(size=SMALL) as pilot:
        app = pilot.app
        for action in ACTIONS:
            method = f"action_{action.action.partition('(')[0]}"
            owners = [app.base.list, app.base.reader] if action.id in MOVES else [app.base.list]
            for owner in owners if action.scope == "list" else [app]:
                assert callable(getattr(owner, method)), method


async def test_moving_in_the_list(open_app):
    async with open_app(size=SMALL) as pilot:
        last = len(pilot.app.session.digest.items)
        assert selected(pilot) == 1
        for names, expected in [
            (["j", "down"], 3),
            (["k", "up"], 1),
            (["k"], 1),
            (["end"], None),
            (["k"], last),
            (["home"], 1),
            (["G"], None),
            (["j"], None),
            (["g"], 1),
        ]:
            await press(pilot, *names)
            assert selected(pilot) == expected, names
        for there, back in [("space", "b"), ("pagedown", "pageup"), ("ctrl+d", "ctrl+u")]:
            await press(pilot, there)
            assert selected(pilot) not in (1, 2, None)
            await press(pilot, back)
            assert selected(pilot) == 1


async def test_the_whole_digest_to_its_end(open_app):
    async with open_app(size=SMALL) as pilot:
        seen = [selected(pilot)]
        while selected(pilot) is not None:
            await keys(pilot, "j")
            seen.append(selected(pilot))
        assert seen == [*range(1, len(seen)), None]
        assert "You are done." in screen_text(pilot.app)
        assert "Nothing was deleted" in screen_text(pilot.app)


@pytest.mark.parametrize(
    ("key", "verb", "glyph"),
    [("l", "like", "+"), ("plus", "like", "+"), ("L", "love", "♥"), ("d", "dislike", "−"),
     ("minus", "dislike", "−"), ("s", "later", "»"), ("asterisk", "save", "★"), ("a", "save", "★")],
)  # fmt: skip
async def test_a_mark_is_written_shown_and_moves_on(open_app, key, verb, glyph):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, key)
        assert backend.called("mark") == [("mark", 1, verb)]
        assert selected(pilot) == 2
        assert f"  {glyph} Re: the boiler" in screen_text(pilot.app)


async def test_reading_in_a_narrow_terminal(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "j", "j", "j", "enter")
        assert isinstance(pilot.app.screen, ReadingScreen)
        assert backend.called("read") == [("read", 4)]
        assert "Most small programs overwrite" in screen_text(pilot.app)
        await press(pilot, "l")
        assert backend.called("mark") == [("mark", 4, "like")]
        assert pilot.app.screen.item.id == 4, "marking a text does not leave it"
        assert "+ like" in screen_text(pilot.app)
        await press(pilot, "J")
        assert "Ranking long documents" in screen_text(pilot.app)
        await press(pilot, "K", "q")
        assert not isinstance(pilot.app.screen, ReadingScreen)
        assert selected(pilot) == 4


async def test_reading_beside_the_list(open_app):
    backend = FakeBackend()
    async with open_app(backend) as pilot:
        await press(pilot, "j", "j", "j")
        assert "Most small programs overwrite" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert pilot.app.base.reader.has_focus
        await press(pilot, "q")
        assert pilot.app.base.list.has_focus
        await press(pilot, "tab")
        assert pilot.app.base.reader.has_focus


async def test_the_text_follows_a_mark(open_app):
    async with open_app() as pilot:
        await press(pilot, "j", "j", "l")
        assert selected(pilot) == 4
        assert "Most small programs overwrite" in screen_text(pilot.app)


async def test_space_reads_on_from_text_to_text_to_the_end_card(open_app):
    async with open_app(size=SMALL) as pilot:
        await press(pilot, "enter")
        for _ in range(80):
            if not isinstance(pilot.app.screen, ReadingScreen):
                break
            await keys(pilot, "space")
        await settle(pilot)
        assert pilot.app.base.list.on_card


async def test_jumping_from_highlight_to_highlight(open_app):
    async with open_app(size=SMALL) as pilot:
        await press(pilot, "j", "j", "j", "n")
        said = []
        for key in ("n", "n", "n", "n", "N"):
            await press(pilot, key)
            said.append(pilot.app.screen.status_bar.message)
        assert said == [
            "Passage 1 of 3, speaks for it",
            "Passage 2 of 3, speaks for it",
            "Passage 3 of 3, speaks against it",
            "Passage 1 of 3, speaks for it",
            "Passage 3 of 3, speaks against it",
        ]


async def test_why_shows_shares_that_sum_to_the_score(open_app):
    async with open_app() as pilot:
        await press(pilot, "j", "j", "j", "w")
        assert isinstance(pilot.app.screen, WhyScreen)
        explained = FakeBackend().explain(4)
        text = screen_text(pilot.app)
        for reason in explained.reasons:
            assert f"{reason.contribution:+.2f}" in text
        assert f"{explained.score:+.2f}  the sum of these, which is the score" in text
        assert explained.calibration in text
        await press(pilot, "j", "escape")
        assert not isinstance(pilot.app.screen, WhyScreen)


async def test_search_and_the_way_back(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "j", "slash", *"append-only log", "enter")
        assert backend.called("search") == [("search", "append-only log")]
        assert "“append-only log”" in screen_text(pilot.app)
        assert selected(pilot) == 4
        await press(pilot, "l")
        assert backend.called("mark") == [("mark", 4, "like")]
        assert "+ Append-only logs" in screen_text(pilot.app)
        await press(pilot, "u")
        assert "+ Append-only logs" not in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "People" in screen_text(pilot.app)


async def test_search_that_finds_nothing_or_is_given_up(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "slash", *"zzz", "enter")
        assert "Nothing found." in screen_text(pilot.app)
        await press(pilot, "q")
        assert "People" in screen_text(pilot.app)
        await press(pilot, "slash", "l", "d", "escape")
        assert not pilot.app.base.query(Input)
        assert not backend.called("mark"), "letters typed into the search are no marks"


async def test_refresh_help_and_quit(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "r")
        assert len(backend.called("digest")) == 2
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        await press(pilot, "slash", *"highlight")
        shown = screen_text(pilot.app)
        assert "Jumps to the next highlighted passage" in shown
        assert "More like this" not in shown
        await press(pilot, "enter", "q")
        assert not isinstance(pilot.app.screen, HelpScreen)
        assert not backend.called("search"), "a filter is no search"
        await keys(pilot, "q")
        await until(pilot, lambda: not pilot.app.is_running)
    assert backend.closed


async def test_copying_a_link(open_app):
    async with open_app(size=SMALL) as pilot:
        await press(pilot, "y")
        assert pilot.app.base.status_bar.message == "This item has no link"
        await press(pilot, "j", "j", "j", "y")
        assert pilot.app.clipboard == "https://example.org/4?ref=digest"


async def test_a_click_selects_and_a_double_click_opens(open_app):
    async with open_app(size=SMALL) as pilot:
        await pilot.click("ItemList", offset=(10, 4))
        await settle(pilot)
        assert selected(pilot) == 2
        await pilot.click("ItemList", offset=(10, 4), times=2)
        await settle(pilot)
        assert isinstance(pilot.app.screen, ReadingScreen)


@pytest.mark.parametrize(("width", "shown"), [(80, 7), (60, 5), (30, 3), (28, 2)])
async def test_the_key_bar_shows_the_keys_that_fit_whole(open_app, width, shown):
    async with open_app(size=(width, 24)) as pilot:
        bar = screen_text(pilot.app).splitlines()[-1]
        keys = [f"{key_name(BY_ID[name].keys[0])} {BY_ID[name].label}" for name in KEYS]
        assert bar.split("   ") == [f" {keys[0]}", *keys[1:shown]]


async def test_the_words_that_carry_a_long_passage_are_bold(open_app):
    async with open_app() as pilot:
        reader = pilot.app.base.reader
        item = pilot.app.base.list.selected
        text = "Rain fell. The heron nests in the marsh at dawn. It rained."
        marked = Highlight(11, 48, text[11:48], 0.5, ((15, 20), (34, 39)))
        reader.show_reading(Reading(item=replace(item, highlights=(marked,)), text=text))
        await settle(pilot)
        segments = [segment for y in range(12) for segment in reader.render_line(y)]
        bold = [segment.text for segment in segments if segment.style and segment.style.bold]
        assert bold[-2:] == ["heron", "marsh"]
        assert pilot.app.base.reader.jump(1).endswith("speaks for it")
        about = replace(marked, contribution=0.0)
        reader.show_reading(Reading(item=replace(item, highlights=(about,)), text=text))
        assert reader.jump(1).endswith("says what it is about")


async def test_what_is_near_in_meaning_comes_after_the_words_and_the_cursor_stays(open_app):
    backend = FakeBackend()
    backend.near, backend.search_note = {7}, "Found by words only."
    gate = backend.gates["search_meaning"] = threading.Event()
    async with open_app(backend, size=SMALL) as pilot:
        await keys(pilot, "slash", *"the", "enter")
        await until(pilot, lambda: pilot.app.session.results)
        before = [item.id for item in pilot.app.session.results]
        assert 7 not in before
        await keys(pilot, "j")
        here = before[1]
        await until(pilot, lambda: selected(pilot) == here)
        gate.set()
        await settle(pilot)
        assert [item.id for item in pilot.app.session.results] == [*before, 7]
        assert selected(pilot) == here
        assert "Found by words only." in screen_text(pilot.app)


async def test_a_search_is_kept_from_the_line_and_completed_in_it(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "slash", *"@logs = log", "enter")
        assert backend.kept == {"logs": "log"}
        assert backend.called("search") == [("search", "log")]
        await press(pilot, "slash", "@", "l")
        await press(pilot, "right", "enter")
        assert backend.called("search")[-1] == ("search", "@logs")
        await press(pilot, "slash", *"@odd = [/red] log", "enter")
        await press(pilot, "slash", "escape")
        offered = {each.title: each.help for each in pilot.app.get_system_commands(pilot.app.screen)}
        assert offered["@logs"] == "Search: log"
        assert Content.from_markup(offered["@odd"]).plain == "Search: [/red] log"


async def test_interests_are_edited_while_the_app_is_away(open_app, monkeypatch):
    away = []

    @contextmanager
    def suspend(app):
        away.append(True)
        yield
        away.append(False)

    async with open_app(size=SMALL) as pilot:
        await press(pilot, "E")
        assert "In another terminal: triage interests edit" in screen_text(pilot.app)
        monkeypatch.setattr(type(pilot.app), "suspend", suspend)
        await press(pilot, "E")
        await settle(pilot)
        backend = pilot.app.loader._backend
        assert away == [True, False]
        assert len(backend.called("edit_interests")) == 1
        assert "2 changes made; u takes back all of it" in screen_text(pilot.app)


async def test_the_terminals_own_cursor_follows_the_focus(open_app):
    async with open_app(size=SMALL) as pilot:
        rows = screen_text(pilot.app).splitlines()
        title = pilot.app.base.list.selected.title
        assert title in rows[pilot.app.cursor_position.y]
        await press(pilot, "j", "j")
        assert pilot.app.base.list.selected.title[:20] in rows[pilot.app.cursor_position.y]
        await press(pilot, "A", "j")
        await settle(pilot)
        assert "▌" in screen_text(pilot.app).splitlines()[pilot.app.cursor_position.y]
        await press(pilot, "escape")
        assert pilot.app.base.list.selected.title[:20] in rows[pilot.app.cursor_position.y]


async def test_the_terminals_own_cursor_follows_the_text_that_is_read(open_app):
    async with open_app(size=SMALL) as pilot:
        await press(pilot, "enter")
        shown = pilot.app.cursor_position
        reader = pilot.app.screen.reader
        assert shown == reader.content_region.offset + Offset(3, 0)
        await press(pilot, "n")
        row = screen_text(pilot.app).splitlines()[pilot.app.cursor_position.y]
        passage = reader.item.highlights[0].text.split()[0]
        assert passage in row
        await press(pilot, "question_mark")
        await press(pilot, "escape")
        assert screen_text(pilot.app).splitlines()[pilot.app.cursor_position.y] == row
