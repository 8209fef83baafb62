"""What can be wrong with a sheet that a reader edits as a whole, in which case nothing is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SheetError:
    """What is wrong with a line, counted from one."""

    line: int
    message: str


class SheetRefused(Exception):
    """The sheet is wrong in these lines, so nothing was changed."""

    def __init__(self, errors: list[SheetError]) -> None:
        super().__init__("; ".join(f"line {error.line}: {error.message}" for error in errors))
        self.errors = errors
