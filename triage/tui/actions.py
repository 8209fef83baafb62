"""What can be done with a key: one registry behind the bindings, the key bar, the palette and the help.

It owns ids, keys and words. What an action does is an `action_*` method of the app, the list or the reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType
from textual.keys import key_to_character

Scope = Literal["app", "list", "reader", "modal"]
"""Where a binding lives: everywhere but under a dialog, on the list, on the text, or in a dialog."""

KEY_NAMES = {
    "plus": "+",
    "minus": "-",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "asterisk": "*",
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
"""How Textual's key names are written for people; a letter stands for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that a reader can do."""

    id: str
    """Stable: keymaps name it."""
    keys: tuple[str, ...]
    """Textual key names; the first one is shown in the key bar."""
    label: str
    """One or two words, for the key bar and the palette."""
    help: str
    group: str
    scope: Scope = "app"
    call: str = ""
    """The action string, where it is not the id itself."""

    @property
    def action(self) -> str:
        """The action string of Textual."""
        return self.call or self.id

    @property
    def shown_keys(self) -> str:
        """The keys of the registry as people write them; a reader may have others (`triage.tui.keymap`)."""
        return " ".join(key_name(key) for key in self.keys)


def key_name(key: str) -> str:
    """How a Textual key name is written for people: `ctrl+d` is `^d`."""
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return KEY_NAMES.get(key) or key_to_character(key) or key


ACTIONS: tuple[Action, ...] = (
    # ---- marks
    Action(
        id="like",
        keys=("l", "plus"),
        label="like",
        help="More like this. The order learns at once.",
        group="Say what you think",
        call="mark('like')",
    ),
    Action(
        id="love",
        keys=("L",),
        label="love",
        help="Much more like this; counts twice.",
        group="Say what you think",
        call="mark('love')",
    ),
    Action(
        id="dislike",
        keys=("d", "minus"),
        label="dislike",
        help="Less like this. The item stays where search finds it.",
        group="Say what you think",
        call="mark('dislike')",
    ),
    Action(
        id="save",
        keys=("asterisk", "a"),
        label="save",
        help="Save it: more like this. The search is:saved lists what you saved.",
        group="Say what you think",
        call="mark('save')",
    ),
    Action(
        id="later",
        keys=("s",),
        label="later",
        help="Keep it for later. The order learns nothing from it. The search is:later lists what you kept.",
        group="Say what you think",
        call="mark('later')",
    ),
    Action(
        id="split",
        keys=("x",),
        label="split",
        help="Splits a story: shows the items folded under this one apart from it.",
        group="Say what you think",
    ),
    Action(
        id="mute",
        keys=("m",),
        label="mute",
        help="Mutes its source, a person or a topic: in no digest for a day, a week, a month or for good.",
        group="Say what you think",
    ),
    Action(
        id="mark_all",
        keys=("A",),
        label="mark all",
        help="Marks everything shown, or one section of it, in one step.",
        group="Say what you think",
    ),
    Action(
        id="interests",
        keys=("E",),
        label="interests",
        help="Opens your interests and rules in $EDITOR, then ranks again.",
        group="Say what you think",
    ),
    Action(
        id="undo",
        keys=("u",),
        label="undo",
        help="Undoes your last mark, rule or interest and all that was learned from it. Can be repeated.",
        group="Say what you think",
    ),
    Action(
        id="redo",
        keys=("U", "ctrl+r"),
        label="redo",
        help="Redoes what you undid last, until you make a new mark.",
        group="Say what you think",
    ),
    # ---- reading
    Action(
        id="open",
        keys=("enter",),
        label="read",
        help="Opens the item; where its text is beside the list, moves to the text.",
        group="Read",
        scope="list",
    ),
    Action(
        id="next_highlight",
        keys=("n",),
        label="next highlight",
        help="Jumps to the next highlighted passage.",
        group="Read",
        call="highlight(1)",
    ),
    Action(
        id="previous_highlight",
        keys=("N",),
        label="previous highlight",
        help="Jumps to the previous highlighted passage.",
        group="Read",
        call="highlight(-1)",
    ),
    Action(
        id="next_item",
        keys=("J",),
        label="next item",
        help="Goes to the next item without leaving the text.",
        group="Read",
        call="step(1)",
    ),
    Action(
        id="previous_item",
        keys=("K",),
        label="previous item",
        help="Goes to the previous item without leaving the text.",
        group="Read",
        call="step(-1)",
    ),
    Action(
        id="why",
        keys=("w",),
        label="why",
        help="Shows why this item is here: every part of its score.",
        group="Read",
    ),
    Action(
        id="full_text",
        keys=("f",),
        label="full text",
        help="Fetches the full text behind the link, also of a paper, and keeps it.",
        group="Read",
    ),
    Action(
        id="open_link",
        keys=("o",),
        label="open link",
        help="Opens the link in $BROWSER or the browser of the desktop.",
        group="Read",
    ),
    Action(
        id="copy_link",
        keys=("y",),
        label="copy link",
        help="Copies the link, over SSH too (OSC 52).",
        group="Read",
    ),
    Action(
        id="links",
        keys=("O",),
        label="links",
        help="Lists the links of the text by number, with full addresses, to open or copy.",
        group="Read",
        call="follow('links')",
    ),
    Action(
        id="related",
        keys=("t",),
        label="thread",
        help="Lists the other messages of the thread, or the stories of the newsletter.",
        group="Read",
        call="follow('related')",
    ),
    Action(
        id="fold",
        keys=("v",),
        label="fold quotes",
        help="Shows or folds quoted text in a mail.",
        group="Read",
    ),
    # ---- moving
    Action(
        id="down",
        keys=("j", "down"),
        label="down",
        help="One item or line down.",
        group="Move",
        scope="list",
        call="move(1)",
    ),
    Action(
        id="up",
        keys=("k", "up"),
        label="up",
        help="One item or line up.",
        group="Move",
        scope="list",
        call="move(-1)",
    ),
    Action(
        id="top",
        keys=("g", "home"),
        label="top",
        help="To the top.",
        group="Move",
        scope="list",
        call="top",
    ),
    Action(
        id="bottom",
        keys=("G", "end"),
        label="end",
        help="To the end of the list or of the text.",
        group="Move",
        scope="list",
        call="bottom",
    ),
    Action(
        id="page_down",
        keys=("space", "pagedown"),
        label="page down",
        help="A page down; at the end of a text, to the next item.",
        group="Move",
        scope="list",
        call="page(1.0)",
    ),
    Action(
        id="page_up",
        keys=("pageup", "b"),
        label="page up",
        help="A page up.",
        group="Move",
        scope="list",
        call="page(-1.0)",
    ),
    Action(
        id="half_down",
        keys=("ctrl+d",),
        label="half down",
        help="Half a page down.",
        group="Move",
        scope="list",
        call="page(0.5)",
    ),
    Action(
        id="half_up",
        keys=("ctrl+u",),
        label="half up",
        help="Half a page up.",
        group="Move",
        scope="list",
        call="page(-0.5)",
    ),
    Action(
        id="other_pane",
        keys=("tab",),
        label="other pane",
        help="Moves between the list and the text beside it.",
        group="Move",
        call="focus_next",
    ),
    # ---- finding and the rest
    Action(
        id="search",
        keys=("slash",),
        label="search",
        help="Searches everything that was ever fetched, also what no digest showed.",
        group="Find and leave",
    ),
    Action(
        id="filter",
        keys=("F",),
        label="filter",
        help="Filters the list as you type: by title, source, person, kind or mark.",
        group="Find and leave",
    ),
    Action(
        id="palette",
        keys=("colon", "ctrl+p"),
        label="palette",
        help="Lists every action by name.",
        group="Find and leave",
        call="command_palette",
    ),
    Action(
        id="back",
        keys=("escape",),
        label="back",
        help="Goes back: from the text, a search or a dialog.",
        group="Find and leave",
    ),
    Action(
        id="refresh",
        keys=("r",),
        label="refresh",
        help="Reloads the digest.",
        group="Find and leave",
    ),
    Action(
        id="ledger",
        keys=("S",),
        label="sources",
        help="Shows how much time each source cost you and what you kept of it; quiets or pauses a source.",
        group="Find and leave",
    ),
    Action(
        id="journal",
        keys=("H",),
        label="journal",
        help="Lists your marks and changes with what each did to the digest; undoes or redoes any of them.",
        group="Find and leave",
    ),
    Action(
        id="insight",
        keys=("I",),
        label="insight",
        help="Shows how accurate the ranking was, what it learned this week, and what you read.",
        group="Find and leave",
    ),
    Action(
        id="help",
        keys=("question_mark",),
        label="help",
        help="Shows this page.",
        group="Find and leave",
    ),
    Action(
        id="leave",
        keys=("q",),
        label="quit",
        help="Leaves the text; from the digest, quits. Your marks are saved.",
        group="Find and leave",
    ),
)
"""Everything that has a key, in the order of the help screen."""

BY_ID = {action.id: action for action in ACTIONS}
MOVES = ("down", "up", "top", "bottom", "page_down", "page_up", "half_down", "half_up")
"""What the list, the text and the dialogs do alike, each in its own way."""


def bindings(scope: Scope) -> list[BindingType]:
    """The bindings of one scope. Their ids are the action ids, so that a Textual keymap can move them."""
    chosen = [action for action in ACTIONS if action.scope == scope]
    if scope in ("reader", "modal"):
        chosen += [BY_ID[move] for move in MOVES]
    return [
        Binding(
            ",".join(action.keys), action.action, action.label, show=False, id=action.id, tooltip=action.help
        )
        for action in chosen
    ]
