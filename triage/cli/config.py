"""`triage config`: the settings as they are in force, and their change."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triage.cli import diagnostics, output
from triage.cli.group import Group
from triage.core.errors import UsageError
from triage.paths import Paths

if TYPE_CHECKING:
    from triage.services.upkeep.settings import Check


@click.group(cls=Group)
def config() -> None:
    """Shows, checks and changes the settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(as_json: bool) -> None:
    """Shows every setting in force, and whether it comes from the file or the environment."""
    from triage.services.upkeep import settings

    where = Paths.of().config_file
    found = settings.in_force(where)
    if as_json:
        output.document([dataclasses.asdict(setting) for setting in found])
        return
    width = max(len(setting.name) for setting in found)
    for setting in found:
        value = "" if setting.value is None else output.clean(str(setting.value))
        origin = "" if setting.origin == "default" else f"  ({setting.origin})"
        output.line(f"{setting.name:<{width}}  {value}{origin}".rstrip())
    diagnostics.note(f"The file: {where}" + ("" if where.exists() else " (there is none yet)"))


@config.command()
def check() -> None:
    """Checks the settings file, and names the line that is wrong."""
    from triage.config import load
    from triage.runtime import read_keymap

    where = Paths.of().config_file
    read_keymap(load(where), where)
    output.line(f"{where}: " + ("no mistakes" if where.exists() else "no such file, so the defaults apply"))


@config.command(name="set")
@click.argument("name")
@click.argument("value")
def set_value(name: str, value: str) -> None:
    """Sets NAME, such as digest.minutes, to VALUE; comments in the file stay."""
    from triage.services.upkeep import settings

    where = Paths.of().config_file
    understood = settings.change(where, name, value, _check(where))
    output.line(f"{name} = {output.clean(str(understood))}")


@config.command()
def edit() -> None:
    """Edits the settings in $VISUAL or $EDITOR; settings with a mistake are not saved."""
    from triage.services.upkeep import settings

    where = Paths.of().config_file
    before = text = settings.text_of(where)
    while True:
        edited = click.edit(text, extension=".toml")
        if edited is None or edited == before:
            output.line("nothing was changed")
            return
        try:
            settings.write(where, edited, _check(where))
        except UsageError as error:
            if not sys.stdin.isatty():
                raise
            diagnostics.fail(error)
            text = edited
            click.confirm("Edit it again?", default=True, abort=True, err=True)
            continue
        output.line(f"saved: {where}")
        return


def _check(where: Path) -> Check:
    """What the keys are, only the interface knows."""
    from triage.runtime import read_keymap

    return lambda settings, text: read_keymap(settings, where, text)
