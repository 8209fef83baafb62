"""Long lists of values, cut into what one statement takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

CHUNK = 500
"""Values in one IN list: far below the 32,766 at which SQLite refuses a statement."""


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in their order, `CHUNK` at a time."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
