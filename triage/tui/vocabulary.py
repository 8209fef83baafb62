"""The words of the interface in lines: what each does, and what the help says of it.

They are the ids, labels and keys of `triage.tui.actions`, so that whoever knows one interface knows the
other, and a few of its own. Knows no backend and no item.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping

from triage.tui.actions import ACTIONS, Action

Command = Callable[[str], object]
"""Takes what was typed behind the word."""

SEEN_ONLY = frozenset(
    ("page_down", "page_up", "half_down", "half_up", "other_pane", "palette", "filter", "fold")
)
"""Actions that are about a screen, and have no meaning where there is none."""

EXTRA = {
    "list": "The items, numbered. A number alone goes to one of them.",
    "more": "The next part of the text. An empty line does the same, or goes to the next item.",
}
"""Words that only this interface has."""
ALIASES = {
    "read": "open",
    "next": "next_item",
    "down": "next_item",
    "up": "previous_item",
    "previous": "previous_item",
    "open": "open_link",
    "copy": "copy_link",
    "thread": "related",
    "highlight": "next_highlight",
    "fetch": "full_text",
    "sources": "ledger",
    "end": "bottom",
    "quit": "leave",
    "exit": "leave",
}
"""Other words for actions; they go before ids that read the same."""


class Vocabulary:
    """All words that mean something.

    Args:
        actions: What each action does that has a meaning here, by its id.
        extra: What each word of `EXTRA` does.
    """

    def __init__(self, actions: Mapping[str, Command], extra: Mapping[str, Command]) -> None:
        self._actions = [action for action in ACTIONS if action.id in actions]
        self._commands: dict[str, Command] = {}
        for action in self._actions:
            spelled = (action.id, action.label, *(key for key in action.keys if len(key) == 1))
            self._commands |= {name: actions[action.id] for name in spelled if " " not in name}
        signs = {"/": "search", "?": "help", "+": "like", "-": "dislike"}
        self._commands |= {word: actions[name] for word, name in (signs | ALIASES).items()}
        self._commands |= extra

    def find(self, word: str) -> Command | None:
        """What a word does: an alias, an id or a label, a key, or the beginning of only one of them."""
        exact = self._commands.get(word) or self._commands.get(word.lower())
        if exact is not None or len(word) < 2:
            return exact
        begun = {name: do for name, do in self._commands.items() if name.startswith(word.lower())}
        return next(iter(begun.values())) if len({id(do) for do in begun.values()}) == 1 else None

    def unknown(self, word: str) -> str:
        """What to say of a word that does nothing."""
        if word in SEEN_ONLY:
            return f"{word} is about a screen, and there is none here."
        near = difflib.get_close_matches(word.lower(), self._commands, n=1)
        return f"There is no word {word}." + (f" Did you mean {near[0]}?" if near else " Say help.")

    def help(self, word: str) -> Iterator[str]:
        """A line on every word, or on one."""
        for action in self._actions:
            if not word or word in (action.id, action.label, *action.keys):
                yield _explained(action)
        for name, meaning in EXTRA.items():
            if not word or word == name:
                yield f"{name}: {meaning}"


def _explained(action: Action) -> str:
    """An action as the help says it: its words, then what it does."""
    names = [alias for alias, name in ALIASES.items() if name == action.id]
    names += [key for key in action.keys if len(key) == 1 and key not in names]
    spelled = action.id if action.id not in ALIASES else names.pop(0)
    also = f", or {', '.join(names)}" if names else ""
    return f"{spelled}{also}: {action.help}"
