"""What is asked in several steps: what to mute, which items to mark at once, what to make of a reason."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from conftest import keys, press, screen_text, settle, until
from fake_backend import FakeBackend
from textual import events

from triage.core.errors import TriageError
from triage.core.items import Reason
from triage.tui.screens.menu import MenuScreen
from triage.tui.screens.why import WhyScreen

SMALL = (60, 20)
CLEARED = ["ctrl+u"]


def states(pilot):
    session = pilot.app.session
    return [session.state_of(item) for section in session.sections() for item in section.items]


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        (["1", "w"], 'never source:"Low Tide Systems" for 7d'),
        (["enter", "j", "j", "enter"], 'never source:"Low Tide Systems" for 30d'),
        (["2", "g"], 'never author:"R. Okafor"'),
        (["w", *CLEARED, *'a "log"', "enter", "d"], 'never mentions:"a" and mentions:"log" for 1d'),
    ],
)
async def test_muting_asks_what_and_for_how_long(open_app, answers, rule):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "j", "j", "j", "m", *answers)
        assert backend.called("add_rule") == [("add_rule", rule)]
        assert pilot.app.base.status_bar.message == f"a rule: {rule} · 3 items moved"
        await press(pilot, "u")
        assert len(backend.called("undo")) == 1


async def test_nothing_is_said_before_the_last_answer(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        for begun in ("m", "m 1", "m w", "A", "A 1"):
            await press(pilot, *begun.split(), "escape")
            assert not isinstance(pilot.app.screen, MenuScreen)
        await press(pilot, "m", "w", *CLEARED, *"!!", "enter")
        assert '"!!" has no word to look for' in screen_text(pilot.app)
        assert not [call for call in backend.calls if call[0] in ("add_rule", "mark_all")]


async def test_names_of_strangers_make_harmless_rules(open_app):
    backend = FakeBackend()
    named = dataclasses.replace(
        backend.item(1), source='never "title:x" or', people=("[/]\x1b[2J", 'A "B" C <a@b.example>', "!")
    )
    backend.current = dataclasses.replace(backend.current, items=(named, *backend.current.items[1:]))
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "m", "1", "g", "m", "3", "g")
        assert [call[1] for call in backend.called("add_rule")] == [
            'never source:"never" and source:"title:x" and source:"or"',
            'never author:"A" and author:"B" and author:"C"',
        ]


async def test_all_of_a_part_is_marked_in_one_step_and_taken_back_in_one(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "A")
        assert "People: 3 items" in screen_text(pilot.app)
        await press(pilot, "1")
        assert "Say what of 3 items (People)?" in screen_text(pilot.app)
        await press(pilot, "d")
        assert backend.called("mark_all") == [("mark_all", (1, 2, 3), "dislike")]
        assert states(pilot)[:4] == ["dislike", "dislike", "dislike", "new"]
        await press(pilot, "u")
        assert states(pilot)[:4] == ["new", "new", "new", "new"]
        await press(pilot, "U")
        assert states(pilot)[:4] == ["dislike", "dislike", "dislike", "new"]
        await press(pilot, "U")
        assert "There is nothing to redo" in screen_text(pilot.app)


async def test_only_what_a_filter_shows_is_marked(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "F", *"arXiv -attention", "enter")
        shown = [item.id for section in pilot.app.session.sections() for item in section.items]
        assert 0 < len(shown) < 6
        assert "only  “arXiv -attention”" in screen_text(pilot.app)
        await press(pilot, "A", "s")
        assert backend.called("mark_all") == [("mark_all", tuple(shown), "later")]
        await press(pilot, "escape")
        assert states(pilot).count("later") == len(shown) < len(states(pilot))
        await press(pilot, "F", *"kept for later", "enter")
        assert [item.id for section in pilot.app.session.sections() for item in section.items] == shown


async def test_a_filter_with_no_hit_says_so_and_leaves_nothing_behind(open_app):
    async with open_app(size=(80, 24)) as pilot:
        await press(pilot, "F", *"zzz")
        assert "That is all with these words." in screen_text(pilot.app)
        assert not pilot.app.base.list.selected
        await press(pilot, "escape")
        assert pilot.app.base.list.selected


@pytest.mark.parametrize(
    ("row", "answers", "said"),
    [
        (0, ["d", "1", *CLEARED, *"tea", "enter"], ("set_interest", "tea", -1.0)),
        (0, ["d", "2"], ("mark_all", (4,), "dislike")),
        (0, ["l", "2"], ("mark_all", (4,), "like")),
        (1, ["minus", "1"], ("set_interest", "small tools that last", 0.5)),
        (1, ["plus", "1"], ("set_interest", "small tools that last", 2.0)),
        (1, ["enter", "3"], ("set_interest", "small tools that last", 0.0)),
        (5, ["d", "1"], ("add_rule", 'source:"Low Tide Systems" -1')),
        (5, ["d", "2", "m"], ("add_rule", 'never source:"Low Tide Systems" for 30d')),
        (5, ["l", "1"], ("add_rule", 'source:"Low Tide Systems" +1')),
        (7, ["enter", "1"], ("unmark", 1)),
    ],
)
async def test_every_row_of_why_can_be_answered(open_app, row, answers, said):
    backend = FakeBackend()
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j", "w", *["j"] * row, *answers)
        await until(pilot, lambda: backend.called(said[0]))
        assert backend.called(said[0])[-1] == said
        assert isinstance(pilot.app.screen, WhyScreen), "the reasons are there again"
        assert len(backend.called("explain")) == len(backend.called("mark_shares")) == 2, "and they are new"


async def test_why_shows_itself_before_the_marks_are_known(open_app):
    backend = FakeBackend()
    gate = backend.gates["mark_shares"] = threading.Event()
    async with open_app(backend, size=(120, 36)) as pilot:
        await keys(pilot, "w")
        await until(pilot, lambda: "the sum of these" in screen_text(pilot.app))
        assert "Looking up which of your marks" in screen_text(pilot.app)
        gate.set()
        await settle(pilot)
        assert "Your marks behind it" in screen_text(pilot.app)


async def test_why_says_when_the_marks_cannot_be_had(open_app):
    backend = FakeBackend()
    backend.failures["mark_shares"] = [TriageError("item 1 is not ranked")]
    async with open_app(backend, size=(120, 36)) as pilot:
        await press(pilot, "w")
        assert "the sum of these" in screen_text(pilot.app)
        assert "item 1 is not ranked" in screen_text(pilot.app)


async def test_a_row_that_nothing_can_be_said_of_says_so(open_app):
    async with open_app(size=(120, 36)) as pilot:
        await press(pilot, "w", *["j"] * 4, "d")
        assert pilot.app.base.status_bar.message == "Nothing can be said of this row"


async def test_a_rule_is_changed_or_removed_where_it_counts(open_app):
    backend = FakeBackend()
    backend.rules = {'source:"Inbox"': 2.0, 'author:"Marta"': "never"}
    explain = backend.explain

    def with_rules(item_id):
        found = explain(item_id)
        hard = Reason("rule", 'never in a digest: author:"Marta"', 0.0)
        return dataclasses.replace(
            found, reasons=(hard, Reason("rule", 'source:"Inbox"', 9.0), *found.reasons)
        )

    backend.explain = with_rules
    async with open_app(backend, size=(80, 24)) as pilot:
        await press(pilot, "w", "enter", "1", "j", "d", "2")
        changed = [call[1:] for call in backend.called("change_rule")]
        assert changed == [('author:"Marta"', 0.0), ('source:"Inbox"', 1.0)]


async def test_what_is_typed_ahead_of_a_question_marks_nothing(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await keys(pilot, "m", "1", "d")
        for key in ("m", "d", "l"):  # these are there before the first dialog is
            pilot.app.post_message(events.Key(key, key))
        await settle(pilot)
        assert not backend.called("mark")


async def test_a_click_chooses_a_row_and_a_second_one_answers(open_app):
    backend = FakeBackend()
    async with open_app(backend, size=SMALL) as pilot:
        await press(pilot, "A")
        await pilot.click(pilot.app.screen.body, offset=(6, 3))
        await settle(pilot)
        assert pilot.app.screen.cursor == 1
        await pilot.click(pilot.app.screen.body, offset=(6, 3), times=2)
        await settle(pilot)
        assert "(For you)?" in screen_text(pilot.app)
