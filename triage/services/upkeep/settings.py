"""Reading and changing the file of settings, so that comments and order stay as the reader wrote them.

Owns the edit; what a setting means, and whether a file is one, is `triage.config`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from triage import config
from triage.core.errors import TriageError, UsageError

Origin = Literal["default", "file", "environment"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is in force."""

    name: str
    """With its table: `digest.minutes`."""
    value: Any
    origin: Origin


def in_force(path: Path, environ: Mapping[str, str] = os.environ) -> list[Setting]:
    """Every setting with its value and who gave it, in the order of the documentation.

    Raises:
        UsageError: The file cannot be used.
    """
    effective = _flat(config.load(path, environ))
    from_file = _flat(config.load(path, {}))
    defaults = _flat(config.Config())
    found: list[Setting] = []
    for name, value in effective.items():
        origin: Origin = "file"
        if value != from_file.get(name, defaults.get(name)):
            origin = "environment"
        elif name in defaults and value == defaults[name]:
            origin = "default"
        found.append(Setting(name, value, origin))
    return found


def text_of(path: Path) -> str:
    """The file as it is; a commented list of all settings if there is none."""
    try:
        return config.text_of(path)
    except FileNotFoundError:
        return template()


def template() -> str:
    """All settings with their defaults, switched off by a `#` before each."""
    lines = ["# Settings of triage. What is commented out is the default."]
    table = ""
    for name, value in _flat(config.Config()).items():
        head, _, key = name.rpartition(".")
        if head != table:
            table = head
            lines += ["", f"[{head}]"]
        lines.append(f"# {key} = {_toml(value)}" if value is not None else f'# {key} = ""')
    return "\n".join(lines) + "\n"


Check = Callable[[config.Config, str], object]
"""Raises UsageError for settings that this module cannot judge; told what the file is going to hold."""


def change(path: Path, name: str, value: str, check: Check) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Sets `name` to `value`, which is TOML or else a text; returns it as it was understood.

    Raises:
        UsageError: There is no such setting, or it cannot have such a value; the file is as it was.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    table, _, key = name.rpartition(".")
    if not table:
        raise UsageError(f"{name} is no setting: they are named with their table", fix="triage config show")
    text = config.text_of(path) if path.exists() else ""
    try:
        document = tomlkit.parse(text)
        place: Any = document
        for part in table.split("."):
            place = place.setdefault(part, tomlkit.table())
        place[key] = understood = _value(name, value)
        changed = tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError) as error:
        raise UsageError(f"{path}: {error}", fix="triage config edit") from error
    try:
        write(path, changed, check)
    except UsageError as error:
        said = re.sub(r"^(?: \(line \d+\))?: ", "", str(error).removeprefix(str(path)))
        raise UsageError(f"{name} stays as it was: {said}", fix="triage config show") from error
    return understood


def write(path: Path, text: str, check: Check) -> None:
    """Replaces the file, if `text` is one that can be used, also by what `check` says.

    Raises:
        UsageError: It cannot be used; the file is as it was.
        TriageError: It cannot be written.
    """
    check(config.parse(text, path), text)
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.touch(mode=0o600)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):  # a part of a file is of no use, and its content may be secret
            partial.unlink()
        raise TriageError(f"cannot write {path}: {error.strerror}") from error


def _value(name: str, text: str) -> Any:  # noqa: ANN401 - whatever TOML holds
    """What was typed, as TOML reads it; for a setting that is a text, or none yet, `7` needs no quotes."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, or a number of thousands of digits, or a deep list
        return text
    is_text = isinstance(_flat(config.Config()).get(name, ""), str | None)
    return text if is_text and not isinstance(value, str) else value


def _toml(value: Any) -> str:  # noqa: ANN401 - whatever TOML holds
    import tomlkit

    return str(tomlkit.item(value).as_string())


def _flat(settings: config.Config) -> dict[str, Any]:
    return dict(_leaves(msgspec.to_builtins(settings), ""))


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
