"""docs/performance.md: prose that is written by hand, and figures that benchmarks put between marks.

    <!-- figures: NAME -->
    whatever the last run of the benchmark found
    <!-- end of NAME -->

Owns the marks. Knows no benchmark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

_BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n)(.*?)(<!-- end of \2 -->)", re.DOTALL)


def blocks(text: str) -> dict[str, str]:
    """Name of a block -> what stands in it."""
    return {found[2]: found[3] for found in _BLOCK.finditer(text)}


def replaced(text: str, figures: Mapping[str, str]) -> str:
    """The page with new figures, whole lines, in some of its blocks; everything else stays as it is.

    Raises:
        ValueError: It has no such block.
    """
    if unknown := figures.keys() - blocks(text).keys():
        raise ValueError(f"{PAGE.name} has no block of figures named {', '.join(sorted(unknown))}")

    def put(found: re.Match[str]) -> str:
        new = figures.get(found[2])
        return found[0] if new is None else f"{found[1]}{new}{found[4]}"

    return _BLOCK.sub(put, text)


def write(figures: Mapping[str, str]) -> None:
    """Puts figures into the page."""
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")
