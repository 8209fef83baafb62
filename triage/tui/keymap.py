"""Which key does what: the keys of the registry, and those that the reader has put in their place.

Owns how people write keys, and that no key means two things at one place. Where the reader's keys are written
down is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual.keys import _character_to_key  # there is no public name for it

from triage.tui.actions import ACTIONS, BY_ID, KEY_NAMES, MOVES, Action, key_name

if TYPE_CHECKING:
    from textual.app import App

    from triage.tui.app import TriageApp

NAMED = (
    *("enter", "escape", "space", "tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("backspace", "delete", "insert", *(f"f{number}" for number in range(1, 13))),
)
MODIFIERS = ("ctrl", "alt", "shift")
ALWAYS = {"ctrl+c": "leaves", "ctrl+q": "leaves"}
"""Keys that cannot be had for anything else, because whoever is lost presses them."""
_SPELLINGS = {name.lower(): key for key, name in KEY_NAMES.items() if len(name) > 1}


class WrongKeyError(Exception):
    """A key that the reader chose cannot be used; `action` is what it was chosen for."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(message)
        self.action = action


class Keymap:
    """The keys of every action."""

    def __init__(self, chosen: Mapping[str, Sequence[str]] | None = None) -> None:
        """Creates it.

        Args:
            chosen: Action id -> keys that stand in the place of its own, as Textual names them.
        """
        self._chosen = {name: tuple(keys) for name, keys in (chosen or {}).items()}

    @classmethod
    def read(cls, chosen: Mapping[str, str | Sequence[str]]) -> Keymap:
        """Reads keys as people write them: `x`, `+`, `ctrl+d`, `^d`, `PgDn`, one or several an action.

        Raises:
            WrongKeyError: There is no such action or key, or a key would mean two things.
        """
        found: dict[str, tuple[str, ...]] = {}
        for name, keys in chosen.items():
            if name not in BY_ID:
                hint = _nearest(name, BY_ID) or f"known here: {', '.join(BY_ID)}"
                raise WrongKeyError(name, f"there is no action {name}; {hint}")
            written = [keys] if isinstance(keys, str) else list(keys)
            if not written:
                raise WrongKeyError(name, f"{name} needs at least one key")
            found[name] = tuple(dict.fromkeys(_key(name, each) for each in written))
        keymap = cls(found)
        keymap._refuse_conflicts()
        return keymap

    def keys(self, action: Action) -> tuple[str, ...]:
        """Its keys, as Textual names them."""
        return self._chosen.get(action.id, action.keys)

    def first(self, action: Action) -> str:
        """Its first key, as people write it."""
        return key_name(self.keys(action)[0])

    def shown(self, action: Action) -> str:
        """All its keys, as people write them."""
        return " ".join(key_name(key) for key in self.keys(action))

    def for_textual(self) -> dict[str, str]:
        """What differs from the registry, as a keymap of Textual."""
        return {name: ",".join(keys) for name, keys in self._chosen.items()}

    def _refuse_conflicts(self) -> None:
        for name, keys in self._chosen.items():
            for key in keys:
                for other in ACTIONS:
                    if other.id != name and key in self.keys(other) and _together(BY_ID[name], other):
                        raise WrongKeyError(
                            name, f"{key_name(key)} is the key of {other.id} already; give {other.id} another"
                        )


def of(app: App[Any]) -> Keymap:
    """The keys of the app that runs."""
    return cast("TriageApp", app).keymap


def _nearest(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def _together(one: Action, other: Action) -> bool:
    """Whether there is a place where both can be done."""
    everywhere = "app" in (one.scope, other.scope) or one.id in MOVES or other.id in MOVES
    return everywhere or one.scope == other.scope


def _key(action: str, written: str) -> str:
    """A key as Textual names it, of how a person wrote it."""
    *modifiers, name = written.lower().split("+") if len(written) > 1 else [written]
    if len(written) == 2 and written[0] == "^":
        modifiers, name = ["ctrl"], written[1].lower()
    if len(written) == 1 and written.isprintable() and not written.isspace():
        return _character_to_key(written)
    name = _SPELLINGS.get(name, name)
    if len(name) == 1 and name.isprintable() and modifiers:
        name = _character_to_key(name)
    elif name not in NAMED:
        hint = _nearest(name, [*NAMED, *_SPELLINGS]) or "write a character, or a name as ctrl+d, F5 or PgDn"
        raise WrongKeyError(action, f'there is no key "{written}"; {hint}')
    if wrong := [modifier for modifier in modifiers if modifier not in MODIFIERS]:
        raise WrongKeyError(
            action, f'there is no key "{written}"; {wrong[0]} is none of {", ".join(MODIFIERS)}'
        )
    key = "+".join([*modifiers, name])
    if key in ALWAYS:
        raise WrongKeyError(action, f"{key_name(key)} always {ALWAYS[key]}")
    return key
