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
        help="Worth keeping: more like this, and it stays in sight. The search is:saved finds it.",
        group="Say what you think",
        call="mark('save')",
    ),
    Action(
        id="later",
        keys=("s",),
        label="later",
        help="Keep it for later. Teaches nothing: it says when, not whether.",
        group="Say what you think",
        call="mark('later')",
    ),
    Action(
        id="split",
        keys=("x",),
        label="split",
        help="Tells another story than those folded under it: they are shown apart.",
        group="Say what you think",
    ),
    Action(
        id="mute",
        keys=("m",),
        label="mute",
        help="Keeps its source, a person or a topic out of digests: for a day, a week, a month or for good.",
        group="Say what you think",
    ),
    Action(
        id="mark_all",
        keys=("A",),
        label="mark all",
        help="Marks all that is shown, or one part of it, in one step.",
        group="Say what you think",
    ),
    Action(
        id="interests",
        keys=("E",),
        label="interests",
        help="Opens your interests and rules as one sheet in $EDITOR, and ranks anew.",
        group="Say what you think",
    ),
    Action(
        id="undo",
        keys=("u",),
        label="undo",
        help="Takes back the last thing you said, with all that was learned from it; again and again.",
        group="Say what you think",
    ),
    Action(
        id="redo",
        keys=("U", "ctrl+r"),
        label="redo",
        help="Brings back what undo took away, until you say something else.",
        group="Say what you think",
    ),
    # ---- reading
    Action(
        id="open",
        keys=("enter",),
        label="read",
        help="Opens the item; goes to the text where it stands beside the list.",
        group="Read",
        scope="list",
    ),
    Action(
        id="next_highlight",
        keys=("n",),
        label="next highlight",
        help="Jumps to the next passage that counted.",
        group="Read",
        call="highlight(1)",
    ),
    Action(
        id="previous_highlight",
        keys=("N",),
        label="previous highlight",
        help="Jumps to the passage before.",
        group="Read",
        call="highlight(-1)",
    ),
    Action(
        id="next_item",
        keys=("J",),
        label="next item",
        help="The next item, without leaving the text.",
        group="Read",
        call="step(1)",
    ),
    Action(
        id="previous_item",
        keys=("K",),
        label="previous item",
        help="The item before.",
        group="Read",
        call="step(-1)",
    ),
    Action(
        id="why",
        keys=("w",),
        label="why",
        help="Why this item stands here: every share of its score.",
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
        help="The links of the text by number, with their whole addresses: opens or copies one.",
        group="Read",
        call="follow('links')",
    ),
    Action(
        id="related",
        keys=("t",),
        label="thread",
        help="The other messages of a thread, the stories of a newsletter, the newsletter of a story.",
        group="Read",
        call="follow('related')",
    ),
    Action(
        id="fold",
        keys=("v",),
        label="fold quotes",
        help="Shows what is quoted in a mail, or folds it again.",
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
        help="To the first.",
        group="Move",
        scope="list",
        call="top",
    ),
    Action(
        id="bottom",
        keys=("G", "end"),
        label="end",
        help="To the end card, or the end of the text.",
        group="Move",
        scope="list",
        call="bottom",
    ),
    Action(
        id="page_down",
        keys=("space", "pagedown"),
        label="page down",
        help="A page down; at the end of a text, the next item.",
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
        help="Between the list and the text beside it.",
        group="Move",
        call="focus_next",
    ),
    # ---- finding and the rest
    Action(
        id="search",
        keys=("slash",),
        label="search",
        help="Searches everything that was ever fetched, shown or not.",
        group="Find and leave",
    ),
    Action(
        id="filter",
        keys=("F",),
        label="filter",
        help="Narrows the list while you type: words of a title, source, person, kind or mark.",
        group="Find and leave",
    ),
    Action(
        id="palette",
        keys=("colon", "ctrl+p"),
        label="palette",
        help="Every action by its name.",
        group="Find and leave",
        call="command_palette",
    ),
    Action(
        id="back",
        keys=("escape",),
        label="back",
        help="Out of the text, the search or a dialog.",
        group="Find and leave",
    ),
    Action(
        id="refresh",
        keys=("r",),
        label="refresh",
        help="Loads the digest again.",
        group="Find and leave",
    ),
    Action(
        id="ledger",
        keys=("S",),
        label="sources",
        help="What each source took of your time and gave; quiets or pauses those that give nothing.",
        group="Find and leave",
    ),
    Action(
        id="journal",
        keys=("H",),
        label="journal",
        help="What you have said and what each step did; takes any of it back, or brings it back.",
        group="Find and leave",
    ),
    Action(
        id="insight",
        keys=("I",),
        label="insight",
        help="How true the probabilities were, what was learned this week, what you read, what chance found.",
        group="Find and leave",
    ),
    Action(
        id="help",
        keys=("question_mark",),
        label="help",
        help="This page.",
        group="Find and leave",
    ),
    Action(
        id="leave",
        keys=("q",),
        label="quit",
        help="Out of the text; from the digest, out of the program. Marks are written first.",
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
