"""What can be set for a source, and how the words of a reader are read as such a setting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from triage.core import fulltext
from triage.core.errors import UsageError
from triage.services.fetching.polling import INTERVAL, LEAST_MINUTES, MOST_MINUTES

MAX_SETTING = 1_000
"""Characters."""


def _one_of(*values: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return text

    return read


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return text == "yes"


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most):
            raise ValueError(f"must be a number from {least} to {most}")
        return int(text)

    return read


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _text(text: str) -> str:
    return text


SECRETS = ("password", "token", "key")
"""What is never stored itself: a setting says where it is."""

SETTINGS: Mapping[str, Callable[[str], Any]] = {
    "full_text": _one_of(*fulltext.SETTINGS),
    "allow_local": _yes_or_no,
    INTERVAL: _number(LEAST_MINUTES, MOST_MINUTES),
    "days": _number(1, 36_500),
    "sent": _text,
    "addresses": _names,
    "folders": _names,
    **{f"{secret}_{how}": _text for secret in SECRETS for how in ("command", "env")},
}
"""What can be set for a source, and how its words are read. Secrets are named, never held."""


def read(words: Iterable[str]) -> dict[str, Any]:
    """`name=value` words as options; an empty value becomes None, which takes a setting back.

    Raises:
        UsageError: A name that there is not, or a value that makes no sense.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name, value = name.strip(), value.strip()
        if not equals:
            raise UsageError(f"{word!r} is no setting; write it as {name}=value")
        if name in SECRETS:
            raise UsageError(
                f"a {name} itself is not stored; say where it is: {name}_env=VARIABLE "
                f"or {name}_command='pass show it'"
            )
        if name not in SETTINGS:
            raise UsageError(f"there is no setting {name!r}; there are {', '.join(SETTINGS)}")
        if len(value) > MAX_SETTING or not value.isprintable():
            raise UsageError(f"{name} must be printable and at most {MAX_SETTING} characters long")
        try:
            found[name] = SETTINGS[name](value) if value else None
        except ValueError as error:
            raise UsageError(f"{name} {error}") from error
    return found
