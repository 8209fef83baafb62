"""`triage interests`: phrases in the reader's own words."""

from __future__ import annotations

import click

from triage.cli import diagnostics, output
from triage.cli.items import say_learned
from triage.runtime import Runtime


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def interests(ctx: click.Context, as_json: bool) -> None:
    """Lists what you care about, with its weight."""
    if ctx.invoked_subcommand is not None:
        return
    from triage.services import feedback

    with Runtime.open() as runtime:
        found = feedback.interests(runtime.database)
    if as_json:
        output.document([{"phrase": phrase, "weight": weight} for phrase, weight in found.items()])
        return
    if not found:
        diagnostics.note('Nothing yet. Say it in your words: triage interests add "cycling in cities"')
    for phrase, weight in found.items():
        output.line(f"{weight:+5g}  {output.clean(phrase)}")


@interests.command()
@click.argument("phrase")
@click.option(
    "--weight", type=float, default=1.0, show_default=True, help="-10 to 10; negative means less of this."
)
def add(phrase: str, weight: float) -> None:
    """Adds PHRASE, or changes its weight; the digest is ranked anew at once."""
    _set(phrase, weight)


@interests.command()
@click.argument("phrase")
def remove(phrase: str) -> None:
    """Removes PHRASE."""
    _set(phrase, 0.0)


def _set(phrase: str, weight: float) -> None:
    from triage.services import feedback

    with Runtime.open() as runtime:
        recorded = feedback.set_interest(runtime.database, runtime.clock, phrase, weight)
        say_learned(runtime, recorded.message)
