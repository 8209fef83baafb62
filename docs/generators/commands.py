"""docs/commands.md, from the commands themselves: `python docs/generators/commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from triage.cli.commands import COMMANDS, cli
from triage.cli.man import EXIT_CODES

PAGE = Path(__file__).parents[1] / "commands.md"
HEAD = """\
# Commands

Made by `python docs/generators/commands.py` from the commands. Every one explains itself with `--help`. Listings take
`--json` or `--jsonl`; data goes to standard output and everything else to standard error, so that
`triage list --jsonl` can be piped. `triage` without a command shows the digest: full-screen at a terminal, as plain
lines elsewhere.
"""
TAIL = """
## Exit codes

| exit code | means |
|---|---|
@@CODES@@

## Completion

The shell completes commands, options, and the names of your sources:

| shell | the line, for its start-up file |
|---|---|
| bash | `eval "$(_TRIAGE_COMPLETE=bash_source triage)"` |
| zsh | `eval "$(_TRIAGE_COMPLETE=zsh_source triage)"` |
| fish | `_TRIAGE_COMPLETE=fish_source triage \\| source` |

In zsh, `autoload -Uz compinit && compinit` has to stand before it, if your start-up file does not have it yet.
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| command | |", "|---|---|"]
    lines += [f"| `triage {name}` | {text} |" for name, (_, text) in COMMANDS.items()]
    lines += ["", "## With commands of their own", "", "| command | |", "|---|---|", *_inner()]
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return "\n".join(lines) + "\n" + TAIL.replace("@@CODES@@", codes)


def _inner() -> Iterator[str]:
    context = click.Context(cli)
    for name in COMMANDS:
        group = cli.get_command(context, name)
        if isinstance(group, click.Group):
            for inner, command in group.commands.items():
                about = command.get_short_help_str(limit=200).replace("|", "\\|")
                yield f"| `triage {name} {inner}` | {about} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
