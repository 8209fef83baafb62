"""Text cut to an exact number of terminal cells, between whole characters as people see them."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size, split_graphemes

from triage.core.text import sanitize_line


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells; what is cut off is shown by an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    used, end = 0, 0
    for _start, stop, cells in split_graphemes(text)[0]:
        if used + cells > width - 1:
            break
        used, end = used + cells, stop
    return text[:end].rstrip() + "…"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells, clipped or padded, on the left if `right`."""
    clipped = clip(text, width)
    if right:
        return " " * (width - cell_len(clipped)) + clipped
    return set_cell_size(clipped, width)


def line(text: str, limit: int = 512) -> str:
    """A stranger's text as one line that is safe to draw; `limit` bounds the work, in characters."""
    return sanitize_line(text[: 4 * limit], limit)
