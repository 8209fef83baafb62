"""Plots in characters: a line of columns, a signed bar, points on a plane. Pure; knows no colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triage.core.words import bar

COLUMNS = "▁▂▃▄▅▆▇█"
_PLAIN = str.maketrans("▁▂▃▄▅▆▇█━╸─●○·┤│└┬→", ".:-=+*#@=-.Oo.|||+>")
"""What each character of a plot becomes where only ASCII can be written; both sides are one cell wide."""


def plain(text: str) -> str:
    """A plot for a terminal that cannot show its characters."""
    return text.translate(_PLAIN)


def columns(values: Sequence[float]) -> str:
    """One character a value, as high as its share of the highest; a blank for nothing."""
    most = max(values, default=0.0)
    return "".join(
        COLUMNS[min(int(len(COLUMNS) * value / most), len(COLUMNS) - 1)] if value > 0 else " "
        for value in values
    )


def signed(value: float, most: float, cells: int) -> str:
    """A bar to the left or the right of the middle of `cells`, which is half as long at most."""
    half = cells // 2
    filled = bar(abs(value) / most if most else 0.0, half)[0]
    return (
        filled.replace("╸", "━").rjust(half) + "│" + " " * half
        if value < 0
        else (" " * half + "│" + filled.ljust(half))
    )


def plane(points: Iterable[tuple[float, float, str]], width: int, height: int) -> list[str]:
    """Points of the unit square with its diagonal, the highest line first.

    Args:
        points: (x, y, character), each in [0, 1]; later ones lie over earlier ones.
        width: Cells of a line.
        height: Lines.
    """
    rows = [[" "] * width for _ in range(height)]

    def put(x: float, y: float, character: str) -> None:
        rows[height - 1 - round(y * (height - 1))][round(x * (width - 1))] = character

    for step in range(width):
        put(step / (width - 1), step / (width - 1), "·")
    for x, y, character in points:
        put(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0), character)
    return ["".join(row) for row in rows]
