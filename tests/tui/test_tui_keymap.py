"""Keys that the reader has chosen: what they do, where they are shown, and what is refused."""

from __future__ import annotations

import pytest
from conftest import press, screen_text
from fake_backend import FakeBackend
from textual.app import App

from triage.tui.actions import ACTIONS, BY_ID
from triage.tui.keymap import Keymap, WrongKeyError


async def test_chosen_keys_do_and_show_what_they_were_chosen_for(open_app):
    backend = FakeBackend()
    keymap = Keymap.read({"like": ["z", "^t"], "down": "n", "next_highlight": "F5"})
    async with open_app(backend, size=(80, 24), keymap=keymap) as pilot:
        await press(pilot, "z", "ctrl+t", "l", "n", "z")
        assert backend.called("mark") == [("mark", n, "like") for n in (1, 2, 4)]
        assert "z like" in screen_text(pilot.app).splitlines()[-1]
        await press(pilot, "question_mark")
        shown = screen_text(pilot.app)
        assert "z ^t       More like this." in shown
        commands = {found.title: found.help for found in pilot.app.get_system_commands(pilot.app.screen)}
        assert commands["next highlight"].endswith("(f5)")


async def test_two_actions_can_change_their_keys(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24), keymap=Keymap.read({"like": "d", "dislike": "l"})) as pilot:
        await press(pilot, "d", "l")
        assert backend.called("mark") == [("mark", 1, "like"), ("mark", 2, "dislike")]


@pytest.mark.parametrize(
    ("written", "key"),
    [("z", "z"), ("Z", "Z"), ("+", "plus"), ("?", "question_mark"), ("ä", "ä"), ("^d", "ctrl+d"),
     ("Ctrl+D", "ctrl+d"), ("PgDn", "pagedown"), ("↓", "downwards_arrow"), ("F5", "f5"),
     ("ctrl+alt+x", "ctrl+alt+x"), ("shift+Tab", "shift+tab"), (",", "comma"), ("Esc", "escape")],
)  # fmt: skip
def test_keys_are_written_as_people_write_them(written, key):
    free = {"like": "f9", "down": "f10", "half_down": "f11", "page_down": "f12", "back": "f8", "help": "f7"}
    assert Keymap.read(free | {"split": written}).keys(BY_ID["split"]) == (key,)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"lik": "z"}, "there is no action lik; did you mean like?"),
        ({"qqqqq": "z"}, "there is no action qqqqq; known here: like, love"),
        ({"like": "pgdwn"}, 'there is no key "pgdwn"; did you mean pgdn?'),
        ({"like": "hyper+z"}, 'there is no key "hyper+z"; hyper is none of ctrl, alt, shift'),
        ({"like": ""}, 'there is no key ""; write a character'),
        ({"like": " "}, 'there is no key " "; write a character'),
        ({"like": "\x1b"}, "there is no key"),
        ({"like": []}, "like needs at least one key"),
        ({"like": "d"}, "d is the key of dislike already; give dislike another"),
        ({"open": "d"}, "d is the key of dislike already; give dislike another"),
        ({"like": "z", "love": ["y", "z"]}, "z is the key of "),
        ({"like": "^c"}, "^c always leaves"),
    ],
)
def test_what_cannot_be_is_refused_in_words(chosen, message):
    with pytest.raises(WrongKeyError) as refused:
        Keymap.read(chosen)
    assert str(refused.value).startswith(message)
    assert refused.value.action in chosen


def test_without_choices_the_keys_are_those_of_the_registry():
    assert all(Keymap().keys(action) == action.keys for action in ACTIONS)
    assert Keymap.read({}).for_textual() == {}
    assert Keymap.read({"like": "z"}).keys(BY_ID["love"]) == BY_ID["love"].keys


async def test_a_reader_may_have_control_z_for_something_else(open_app, monkeypatch):
    monkeypatch.setattr(App, "action_suspend_process", lambda app: pytest.fail("it would sleep"))
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24), keymap=Keymap.read({"undo": "^z"})) as pilot:
        await press(pilot, "l", "ctrl+z")
        assert backend.item(1).state == "new"
