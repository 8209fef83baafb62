"""Every widget and screen, every field of a stranger, every kind of odd text: shown or cut, never done.

The fields are found in the types: a value that a screen gets tomorrow is poisoned tomorrow. The screens are
found in their package: one that no tour visits fails the test.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import pytest
from conftest import press, screen_text
from fake_backend import NOW, FakeBackend
from rich.cells import cell_len
from test_tui_hostile import FORBIDDEN, MARKUP, PAYLOADS
from textual.screen import Screen

from triage.core.items import Item
from triage.core.links import Link
from triage.core.readings import Copy, Reading, Related
from triage.core.text import sanitize_text
from triage.tui import screens, spoken
from triage.tui.screens.links import LinksScreen, RelatedScreen
from triage.tui.widgets.body import listed, paragraphs, place
from triage.tui.widgets.end_card import end_card, message_card
from triage.tui.widgets.item_row import RowView, row_segments

TEXTS = {
    "controls": "".join(PAYLOADS.values()),
    "markup": "".join(MARKUP),
    "nothing": "",
    "spaces": " \t\n\r\u00a0\u3000",
    "only controls": "\x1b\x00\x9b\x85",
    "endless": "x" * 10_000,
    "endless words": "word " * 2_000,
    "many lines": "a\n" * 2_000,
    "wide": "漢字🙂👩\u200d👩\u200d👧" * 40,
    "right to left": "שלום עולם السلام عليكم " * 20,
    "stacked marks": "Z" + "\u0351\u0336\u0489" * 300,
    "surrogate": "a\udcffb\ud800",
}
OURS = {"state", "verb"}
"""Texts that are never a stranger's."""
GUIDED = ("triage.tui.screens.start",)
"""The guided start shows our own words and what the reader types; its tests are in a file of their own."""


def fields(kind: type) -> Iterator[str]:
    """The names of the fields of a dataclass that hold free text."""
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if field.name not in OURS and hints[field.name] in (str, str | None, tuple[str, ...]):
            yield field.name


def poison(value: Any, text: str) -> Any:
    """The same value with `text` in all its free texts, at any depth."""
    if isinstance(value, tuple | list):
        return type(value)(poison(each, text) for each in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    hints = get_type_hints(type(value))
    free = set(fields(type(value)))
    changed = {
        field.name: ((text,) if hints[field.name] == tuple[str, ...] else text)
        if field.name in free
        else poison(getattr(value, field.name), text)
        for field in dataclasses.fields(value)
        if field.init
    }
    return dataclasses.replace(value, **changed)


def harmless(shown: str) -> None:
    """Nothing in it could act on a terminal but what Textual itself sends: colours and places."""
    sent = re.sub(r"\x1b\[[\d;]*[mH]", "", shown).replace("\n", "")
    assert (found := FORBIDDEN.search(sent)) is None, repr(sent[found.start() - 30 : found.end() + 30])


# ---------------------------------------------------------------- what is drawn without an app

ITEM = FakeBackend().current.items[3]
READING = Reading(
    item=ITEM,
    text="A text.",
    text_state="full",
    text_note="note",
    text_url="https://a.example/b",
    copies=(Copy(2, "Source", "Title", None),),
    links=(Link("words", "https://a.example/", 2),),
    related=(Related(3, "thread", "Title", "Who", NOW),),
)


class _AnyStyle(dict):
    def __missing__(self, key):
        return None


def _row(item: Item) -> Iterator[str]:
    for part in (0, 1):
        for width in (20, 60, 120):
            segments = row_segments(item, part, RowView(width, NOW, "like", selected=True), _AnyStyle())
            assert sum(cell_len(segment.text) for segment in segments) == width
            yield "".join(segment.text for segment in segments)


def _body(reading: Reading) -> Iterator[str]:
    text = sanitize_text(reading.text)
    places = place(reading.item.highlights, reading.text, text)
    phrases = [phrase for highlight in reading.item.highlights for phrase in highlight.phrases]
    drawn = [*paragraphs(text, places, phrases, reading.links, folded=True), *listed(reading.links)]
    for content in drawn:
        yield from (wrapped.plain for wrapped in content.wrap(20))


def _spoken(reading: Reading) -> Iterator[str]:
    yield from spoken.opened(reading)
    yield from spoken.highlights(reading)
    yield from (spoken.link(1, link) for link in reading.links)
    yield from (spoken.related(1, other, NOW) for other in reading.related)
    yield from spoken.announced(1, 2, reading.item, "like", NOW)
    yield spoken.row(1, reading.item, "new")


def _dialogs(reading: Reading) -> Iterator[str]:
    for width in (20, 80):
        for screen in (LinksScreen(reading), RelatedScreen(reading, lambda: NOW)):
            for row in screen.rows(width):
                yield from (each.plain for each in row.split("\n"))


def _cards(item: Item) -> Iterator[str]:
    digest = dataclasses.replace(FakeBackend().current, warnings=(item.title,))
    for card in (end_card(digest, 40, demo=True), message_card(item.title, item.source, 40)):
        yield from (drawn.text for drawn in card)


DRAWN: dict[str, tuple[Callable[[Any], Iterator[str]], Any]] = {
    "row": (_row, ITEM),
    "card": (_cards, ITEM),
    "body": (_body, READING),
    "spoken": (_spoken, READING),
    "dialogs": (_dialogs, READING),
}
CELLS = [
    pytest.param(widget, path, text, id=f"{widget}-{'.'.join(path)}-{name}")
    for widget, (_, value) in DRAWN.items()
    for path in (
        *((field,) for field in fields(type(value))),
        *(
            ((holder, field) for holder, kind in (("links", Link), ("related", Related), ("copies", Copy))
             for field in fields(kind)) if isinstance(value, Reading) else ()
        ),
        *((("item", field) for field in fields(Item)) if isinstance(value, Reading) else ()),
        (("highlights", "text") if isinstance(value, Item) else ("item", "highlights", "text")),
    )
    for name, text in TEXTS.items()
]  # fmt: skip


def _with(value: Any, path: tuple[str, ...], text: str) -> Any:
    """A value in which one field, at any depth, holds the text."""
    if isinstance(value, tuple):
        return tuple(_with(each, path, text) for each in value)
    name, *rest = path
    if rest:
        return dataclasses.replace(value, **{name: _with(getattr(value, name), tuple(rest), text)})
    many = get_type_hints(type(value))[name] == tuple[str, ...]
    return dataclasses.replace(value, **{name: (text,) if many else text})


@pytest.mark.parametrize(("widget", "path", "text"), CELLS)
def test_any_text_in_any_field_is_drawn_and_does_nothing(
    widget: str, path: tuple[str, ...], text: str
) -> None:
    """TUI-01."""
    draw, value = DRAWN[widget]
    for drawn in draw(_with(value, path, text)):
        assert FORBIDDEN.search(drawn.replace("\n", "")) is None


# ---------------------------------------------------------------- every screen of the app

TOUR = (
    ["enter"], ["n"], ["v"], ["O"], ["escape"], ["t"], ["escape"], ["w"], ["j", "j"], ["minus"], ["escape"],
    ["escape"], ["m"], ["w"], ["escape"], ["escape"], ["A"], ["escape"], ["escape"], ["S"],
    ["escape"], ["I"], ["escape"], ["H"], ["escape"], ["question_mark"], ["escape"], ["colon"], ["escape"],
    ["F", "a"], ["escape"], ["slash", "a", "enter"], ["escape"], ["G"], ["l"], ["u"], ["U"],
)  # fmt: skip


def all_screens() -> set[str]:
    """The names of the screens that there are, but for the guided start."""
    found = set()
    for module in pkgutil.iter_modules(screens.__path__, "triage.tui.screens."):
        if module.name.startswith(GUIDED):
            continue
        names = vars(importlib.import_module(module.name)).items()
        found |= {
            name
            for name, value in names
            if isinstance(value, type)
            and issubclass(value, Screen)
            and value.__module__ == module.name
            and not name.startswith("_")
        }
    return found


def poisoned(text: str) -> FakeBackend:
    """A backend whose every answer is poisoned in every field."""
    backend = FakeBackend()
    backend.links = {item.id: READING.links for item in backend.current.items}
    backend.related = {item.id: READING.related for item in backend.current.items}
    backend.current = poison(backend.current, text)
    backend.texts = {item.id: f"{text}\n\n{text}" for item in backend.current.items}
    backend.daemon = text
    for name in ("read", "explain", "mark_shares", "search", "ledger", "journal", "insight", "learned"):
        answer = getattr(backend, name)
        setattr(backend, name, lambda *asked, answer=answer: poison(answer(*asked), text))
    return backend


@pytest.mark.parametrize("size", [(120, 36), pytest.param((20, 10), marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ("controls",) else pytest.mark.slow) for name in TEXTS],
)
async def test_every_screen_survives_any_text(open_app, name, size):
    """TUI-01."""
    visited = set()
    async with open_app(poisoned(TEXTS[name]), size=size) as pilot:
        for names in TOUR:
            await press(pilot, *names)
            visited |= {type(screen).__name__ for screen in pilot.app.screen_stack}
            shown = screen_text(pilot.app, colour=True)
            harmless(shown)
            assert pilot.app.is_running
    if size == (120, 36) and name == "controls":
        assert all_screens() - visited <= {"Dialog", "Picker", "ReadingScreen", "Veil"}, (
            "add them to the tour"
        )
