"""docs/keys.md, from the registry of actions: `python docs/generators/keys.py`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from triage.tui.actions import ACTIONS

PAGE = Path(__file__).parents[1] / "keys.md"
HEAD = """\
# Keys

Made by `python docs/generators/keys.py` from `triage/tui/actions.py`; `?` in the program shows the same, with the
keys that you have chosen. The name of an action is what the table `[keys]` of the settings knows it by:

```toml
[keys]
like = "z"
next_item = ["J", "ctrl+n"]
```

Keys are written as `a`, `A`, `f5`, `ctrl+d` or `space`. A key that two actions would share is refused with both names.
The palette (`:`) finds every action by its name, so nothing needs a key to be reached. A click selects an item, a
second one opens it, the wheel scrolls; `mouse = false` in `[tui]` leaves the mouse to the terminal. `^C` leaves from
everywhere, and `^Z` goes back to the shell until `fg`.
"""
TAIL = """
## In lines

`triage --plain`, and `triage` on a terminal that calls itself dumb, is the same program as a conversation: a prompt,
one word at a time (`next`, `read`, `like`, `why`, `links`, `open 2`, `search WORDS`, `help`) or the same keys, answers
in whole lines, nothing drawn, moved or coloured. It is made for screen readers and knows what the screen can do.
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for group, actions in groupby(ACTIONS, key=lambda action: action.group):
        lines += [f"## {group}\n", "| key | action | does | |", "|---|---|---|---|"]
        for action in actions:
            keys = " ".join(f"`{key}`" for key in action.shown_keys.split(" "))
            lines.append(f"| {keys} | `{action.id}` | {action.label} | {action.help} |")
        lines.append("")
    return "\n".join(lines) + TAIL.lstrip("\n")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
