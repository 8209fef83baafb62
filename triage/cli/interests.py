"""`triage interests`: phrases in the reader's own words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from triage.cli import diagnostics, output
from triage.cli.group import Group
from triage.cli.items import say_learned
from triage.core.rules import write_term
from triage.runtime import Runtime


@click.group(cls=Group, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def interests(ctx: click.Context, as_json: bool) -> None:
    """Lists your interests, their weights, and what each brought into your digests in 30 days."""
    if ctx.invoked_subcommand is not None:
        return
    from triage.services.reader import profiles

    with Runtime.open() as runtime:
        found = profiles.listing(runtime.database, runtime.clock())
    if as_json:
        output.document(
            [dataclasses.asdict(row) | {"until": row.until and row.until.isoformat()} for row in found]
        )
        return
    if not found:
        diagnostics.note('Nothing yet. Say it in your words: triage interests add "cycling in cities"')
    for row in found:
        of = f"  [{row.profile}{'' if row.used else ', not in use'}]" if row.profile else ""
        ends = f"  {write_term(row.until)}" if row.until else ""
        came = f"  · brought {row.hits}, of which you liked {row.liked}" if row.hits else ""
        output.line(f"{row.weight:+5g}  {output.clean(row.phrase)}{of}{ends}{came}")


@interests.command()
@click.argument("phrase")
@click.option(
    "--weight", type=float, default=1.0, show_default=True, help="-10 to 10; negative means less of this."
)
@click.option("--profile", metavar="NAME", help="Counts only while this profile is in use.")
def add(phrase: str, weight: float, profile: str | None) -> None:
    """Adds PHRASE, or changes its weight; the digest is re-ranked at once."""
    _set(phrase, weight, profile)


@interests.command()
@click.argument("phrase")
@click.option("--profile", metavar="NAME", help="Only from this profile.")
def remove(phrase: str, profile: str | None) -> None:
    """Removes PHRASE."""
    _set(phrase, 0.0, profile)


@interests.command()
@click.argument("names", nargs=-1, metavar="[PROFILE]...")
def use(names: tuple[str, ...]) -> None:
    """Uses only the interests of the named profiles; without a name, those of all profiles again."""
    from triage.services.reader import profiles

    with Runtime.open() as runtime:
        wanted = [name for each in names for name in each.split(",") if name.strip()]
        say_learned(runtime, profiles.use(runtime.database, runtime.clock, wanted).message)


@interests.command()
@click.option("--yes", is_flag=True, help="Do not ask, whatever a rule hides.")
def edit(yes: bool) -> None:
    """Edits interests, profiles, aliases and rules in $EDITOR, on one sheet; one undo reverts it."""
    from triage.cli import interest_sheet

    interest_sheet.edit(yes=yes)


@interests.command()
def show() -> None:
    """Prints the sheet that edit opens; apply reads it again."""
    from triage.cli import interest_sheet

    interest_sheet.show()


@interests.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--yes", is_flag=True, help="Do not ask, whatever a rule hides.")
def apply(file: Path, yes: bool) -> None:
    """Replaces interests, profiles, aliases and rules by those in FILE (- is standard input)."""
    from triage.cli import interest_sheet

    interest_sheet.apply(file, yes=yes)


@interests.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Imports FILE as liked documents: BibTeX, RIS, JSON lines of {title, text}, or titles, one a line.

    They teach as marks do and are never shown in a digest; undo takes the whole list back.
    """
    from triage.services.reader.interests import import_liked

    with Runtime.open() as runtime:
        recorded = import_liked(runtime.database, runtime.clock, file)
        say_learned(runtime, recorded.message)


def _set(phrase: str, weight: float, profile: str | None) -> None:
    from triage.services.reader import feedback

    with Runtime.open() as runtime:
        recorded = feedback.set_interest(runtime.database, runtime.clock, phrase, weight, profile)
        say_learned(runtime, recorded.message)
