"""The only writer of standard output: data, in plain text or JSON. Narration goes to `diagnostics`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from triage.core.text import sanitize_line, without_password

F = TypeVar("F", bound=Callable[..., Any])


def _write(text: str, end: str = "\n") -> None:
    """At once: what is broken off in the middle has shown what it had."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def line(text: str = "") -> None:
    """One line of text."""
    _write(text)


def text(document: str) -> None:
    """A whole document, as it is."""
    _write(document, end="")


def clean(text: str, limit: int | None = None) -> str:
    """A stranger's text, safe for one line of a terminal."""
    return sanitize_line(text, limit)


def address(target: str) -> str:
    """The target of a source, safe for one line, and without the password that it may hold."""
    return clean(without_password(target))


def document(data: Any) -> None:  # noqa: ANN401 - any JSON value
    """One JSON document; times in it become RFC 3339."""
    _write(json.dumps(data, ensure_ascii=False, indent=2, default=_moment))


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def stream(rows: Iterable[Any]) -> None:
    """JSON Lines: one value a line."""
    for row in rows:
        _write(json.dumps(row, ensure_ascii=False))


def listing(rows: list[Any], as_json: bool, as_jsonl: bool) -> bool:
    """Writes rows as JSON if that was asked for; returns whether it was."""
    if as_jsonl:
        stream(rows)
    elif as_json:
        document(rows)
    return as_json or as_jsonl


def json_options(command: F) -> F:
    """Adds `--json` and `--jsonl` to a command."""
    import click

    command = click.option("--jsonl", "as_jsonl", is_flag=True, help="JSON Lines: one item a line.")(command)
    decorated: F = click.option("--json", "as_json", is_flag=True, help="One JSON document.")(command)
    return decorated
