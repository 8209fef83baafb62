"""Manual pages, made from the commands themselves: `python -m triage.cli.man FOLDER`.

Owns the roff. The pages are kept in docs/man, and a test compares them with the commands.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from triage import __version__
from triage.cli.commands import COMMANDS, cli

FILES = """\
The settings, the data, the cache and the log lie where the platform wants them; `triage paths` prints the
places. TRIAGE_HOME moves everything under one folder, TRIAGE_NOW (RFC 3339) sets the clock of one command,
and TRIAGE_NAME_URL moves the paper service NAME."""
EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "wrong usage, or settings that cannot be used",
    3: "some sources failed, everything else is done",
    4: "another process ingests or holds the database, or the database is of a newer version",
    130: "interrupted",
}


def pages() -> dict[str, str]:
    """File name -> page: one for the program and one for each of its commands."""
    context = click.Context(cli, info_name="triage")
    found = {"triage.1": _page("triage", "a daily digest of feeds, mail and papers", cli, context)}
    for name, (_, about) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        found[f"triage-{name}.1"] = _page(f"triage-{name}", about, command, inner)
    return found


def _page(name: str, about: str, command: click.Command, context: click.Context) -> str:
    lines = [f'.TH "{name.upper()}" "1" "" "triage {__version__}" "triage"', ".SH NAME"]
    lines += [f"{_text(name)} \\- {_text(about)}", ".SH SYNOPSIS", f".B {_text(context.command_path)}"]
    lines += [_text(" ".join(command.collect_usage_pieces(context)))]
    lines += [".SH DESCRIPTION", *_paragraphs(command.help or about)]
    lines += _options(command, context, ".SH OPTIONS")
    if command is cli:
        lines.append(".SH COMMANDS")
        for each, (_, text) in COMMANDS.items():
            lines += [".TP", f".BR triage-{_text(each)} (1)", _text(text)]
    elif isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            if inner is not None and not inner.hidden:
                lines += _inner(inner, click.Context(inner, info_name=each, parent=context))
    if command.epilog:
        lines += [".SH EXAMPLES", *_paragraphs(command.epilog)]
    if command is cli:
        lines += [".SH FILES AND ENVIRONMENT", *_paragraphs(FILES), ".SH EXIT STATUS"]
        for code, meaning in EXIT_CODES.items():
            lines += [".TP", f".B {code}", _text(meaning)]
    else:
        lines += [".SH SEE ALSO", ".BR triage (1)"]
    return "\n".join(lines) + "\n"


def _inner(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f".SS {_text(context.command_path)} {_text(' '.join(command.collect_usage_pieces(context)))}"
    yield from _paragraphs(command.help or "")
    yield from _options(command, context, None)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _inner(inner, click.Context(inner, info_name=name, parent=context))


def _options(command: click.Command, context: click.Context, title: str | None) -> list[str]:
    records = [
        record
        for parameter in command.get_params(context)
        if "--help" not in parameter.opts and (record := parameter.get_help_record(context)) is not None
    ]
    lines = [title] if title and records else []
    for names, text in records:
        lines += [".TP", f".B {_text(names)}", _text(text) or "\\&"]
    return lines


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs are filled; those that click is told to leave alone stay as they are."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
        lines = block.split("\n")
        if number:
            yield ".PP"
        if lines[0].strip() == "\b":
            yield from (".nf", *(_text(line) for line in lines[1:]), ".fi")
        else:
            yield _text(" ".join(line.strip() for line in lines))


def _text(text: str) -> str:
    """Roff takes a backslash, and a dot or an apostrophe at the beginning of a line, for its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(
        r"[^\n -~]", lambda found: f"\\[u{ord(found.group()):04X}]", text
    )  # not all readers know UTF-8
    return re.sub(r"^([.'])", r"\\&\1", text.strip(), flags=re.MULTILINE)


def write(folder: Path) -> None:
    """Writes all pages into a folder, and removes those of commands that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in folder.glob("*.1"):
        if old.name not in made:
            old.unlink()
    for name, page in made.items():
        (folder / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
