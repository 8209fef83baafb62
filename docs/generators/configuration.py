"""docs/configuration.md, from the types of the settings: `python docs/generators/configuration.py`."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import msgspec

from triage import config

PAGE = Path(__file__).parents[1] / "configuration.md"
HEAD = """\
# Configuration

Made by `python docs/generators/configuration.py` from `triage/config.py`. The settings are one TOML file that need not
exist. `triage config show` prints every setting and where it comes from, `triage config set digest.minutes 20` changes
one and keeps your comments, `triage config edit` opens the file, and `triage config check` says whether it can be used.
A name that is not known is refused with its line and the nearest known one. A running daemon reads the file
again on SIGHUP (`systemctl --user reload triage`).
"""
TAIL = """
## Environment

| variable | |
|---|---|
| `TRIAGE_HOME` | Moves everything, settings and data, under one folder. Without it, `triage paths` says where the platform puts them. |
| `TRIAGE_NOW` | The clock of one command, as RFC 3339: `2026-03-02T07:00:00Z`. |
| `TRIAGE_LOG_FORMAT` | The form of the daemon's log: `plain` or `json`. `triage daemon run --log-format` goes before it. |
| `TRIAGE_NAME_URL` | The base address of the service NAME for one run: `TRIAGE_OPENALEX_URL`. |
| `HTTP_PROXY` `HTTPS_PROXY` `ALL_PROXY` `NO_PROXY` | Honoured as everywhere. |
| `NO_COLOR` `COLORFGBG` `COLUMNS` `BROWSER` `VISUAL` `EDITOR` | Honoured as everywhere. |

An environment variable goes before the file, and the file before the default. No password is ever written to the file:
it holds the name of a variable (`…_env`) or a command that prints the secret (`…_command`).
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for name, struct in tables():
        lines += [
            f"## [{name}]",
            "",
            *_about(struct),
            "| setting | default | |",
            "|---|---|---|",
            *_rows(struct),
            "",
        ]
    lines += ["## [keys]", "", f"{_docstrings(config.Config)['keys']} See [keys](keys.md).", ""]
    return "\n".join(lines) + TAIL


def tables(
    struct: type[msgspec.Struct] = config.Config, prefix: str = ""
) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Every TOML table by its name, those inside another one after it."""
    for field in msgspec.structs.fields(struct):
        if found := _struct_in(field.type):
            name = f"{prefix}{field.encode_name}" + (".NAME" if get_origin(field.type) is dict else "")
            yield name, found
            yield from tables(found, f"{name}.")


def _about(struct: type[msgspec.Struct]) -> list[str]:
    """What a table's docstring says beyond its name."""
    _, _, said = " ".join(inspect.cleandoc(struct.__doc__ or "").split()).partition("]")
    said = said.lstrip(".:, ")
    return [said[0].upper() + said[1:], ""] if said else []


def _rows(struct: type[msgspec.Struct]) -> Iterator[str]:
    documented = _docstrings(struct)
    for field in msgspec.structs.fields(struct):
        if _struct_in(field.type) is None:
            yield f"| `{field.encode_name}` | {_default(field)} | {documented[field.name]} |"


def _struct_in(kind: object) -> type[msgspec.Struct] | None:
    """The table that a field holds, alone or by name."""
    last = get_args(kind)[-1] if get_origin(kind) is dict else kind
    return last if isinstance(last, type) and issubclass(last, msgspec.Struct) else None


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return "not set" if value is None else f"`{json.dumps(value)}`"


def _docstrings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Field -> the string below it in the source."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(ast.literal_eval(after.value)).split())
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
