"""The colours: two calm themes with one accent each, and none at all where NO_COLOR asks for that."""

from __future__ import annotations

import os
from collections.abc import Callable

from textual import constants
from textual.app import App
from textual.theme import Theme

DARK = Theme(
    name="triage-dark",
    primary="#7fa7a0",
    secondary="#5d7f86",
    accent="#e0af68",
    foreground="#d5d3cb",
    background="#16191d",
    surface="#1c2025",
    panel="#262b31",
    success="#8fb573",
    warning="#e0af68",
    error="#d97b6c",
)
LIGHT = Theme(
    name="triage-light",
    primary="#2f6f68",
    secondary="#4d7178",
    accent="#9a5b00",
    foreground="#1f1e1c",
    background="#faf8f3",
    surface="#f2efe7",
    panel="#e6e1d5",
    success="#3f7a2e",
    warning="#9a5b00",
    error="#b03a2b",
    dark=False,
)
BRIGHT = ("7", *map(str, range(9, 16)))
"""The backgrounds, of the 16 colours, that dark text belongs on."""


def of_terminal(described: str) -> Theme:
    """The theme that suits a terminal by its COLORFGBG: `0;15` is black on white, `15;default;0` the reverse.

    The terminal is not asked itself (OSC 11): over a slow line its answer could come late, and would then be
    typed into the list, where a `d` is a mark.
    """
    return LIGHT if described.rpartition(";")[2] in BRIGHT else DARK


def apply(app: App[int], wanted: str | None = None) -> None:
    """Registers the themes and chooses one.

    NO_COLOR has its way, then TEXTUAL_THEME, then what is wanted, then what suits the terminal.
    """
    for theme in (DARK, LIGHT):
        app.register_theme(theme)
    # The theme of the terminal's own colours is the only one that Textual draws without any colour code.
    chosen = "ansi-dark" if app.no_color else constants.DEFAULT_THEME
    if chosen == "textual-dark":
        chosen = wanted or ""
    if chosen not in app.available_themes:
        chosen = of_terminal(os.environ.get("COLORFGBG", "")).name
    # Textual took TEXTUAL_THEME over before ours were registered, so naming it again would change nothing.
    app.set_reactive(App.theme, "textual-dark")
    app.theme = chosen


def remember(app: App[int], keep: Callable[[str], object]) -> None:
    """Has the name of every theme kept that is chosen from now on."""
    kept = app.theme

    def changed(to: Theme) -> None:
        nonlocal kept
        if to.name != kept:
            kept = to.name
            keep(kept)

    app.theme_changed_signal.subscribe(app, changed)
