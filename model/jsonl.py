"""JSON lines with fields of known types, read with errors that name the file and the line.

Owns reading and checking; knows nothing of what the rows mean.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.types import InvalidInput


@dataclass(frozen=True, slots=True)
class Row:
    """One object, and where it stands."""

    where: str
    """`tasks.jsonl:12`, or `user.json` for a file of one object."""
    fields: dict[str, Any]

    def error(self, message: str) -> InvalidInput:
        """What to raise about this object."""
        return InvalidInput(f"{self.where}: {message}")

    def text(self, name: str) -> str:
        """The string in the field `name`."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise self.error(f"`{name}` must be a string")
        return value

    def optional_text(self, name: str) -> str | None:
        """The string in the field `name`; None if it is null or missing."""
        return None if self.fields.get(name) is None else self.text(name)

    def texts(self, name: str) -> list[str]:
        """The list of strings in the field `name`."""
        value = self.items(name)
        if not all(isinstance(item, str) for item in value):
            raise self.error(f"`{name}` must be a list of strings")
        return value

    def items(self, name: str) -> list[Any]:
        """The list in the field `name`."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            raise self.error(f"`{name}` must be a list")
        return value


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a plain or gzip-compressed (`.gz`) file; empty lines are skipped.

    Raises:
        InvalidInput: The file cannot be read, or a line is no JSON object.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _row(f"{path}:{number}", line)
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error


def read_object(path: Path) -> Row:
    """The one JSON object that a file holds.

    Raises:
        InvalidInput: The file cannot be read, or holds something else.
    """
    try:
        return _row(str(path), path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error


def _row(where: str, line: bytes) -> Row:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{where}: not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidInput(f"{where}: not a JSON object")
    return Row(where, fields)
