"""`triage rules`: what the reader knows beforehand, and which names mean the same."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING

import click

from triage.cli import diagnostics, output
from triage.cli import preview as previews
from triage.cli.group import Group
from triage.cli.items import say_learned
from triage.core import rule_parser, words
from triage.core.rules import write_term
from triage.runtime import Runtime

if TYPE_CHECKING:
    from triage.services.reader.rule_book import RuleRow

GRAMMAR = """\b
Effect:    +2 or -1 (from -5 to +5); boost is +1
           always (first in its lane), keep (never left out), never or mute (in no digest)
           lane people, lane for-you
Tests:     source:"The Wire"  author:Jane  tag:cs.IR  kind:mail
           title:word  mentions:"word*"  older than 3d  newer than 2w  @saved-search
Together:  and, or, not, (...), all(..., ...), any(..., ...)
Ends:      for 7d, until 2026-12-01

\b
Examples:  triage rules add 'author:"Jane Doe" +2'
           triage rules add 'never source:wire and not mentions:python'
"""


@click.group(cls=Group, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def rules(ctx: click.Context, as_json: bool) -> None:
    """Lists your rules, how many items of the last 30 days match, and what became of those.

    +2 or -1 is added to the score of what a rule matches, until your marks teach otherwise. always, keep,
    never and lane decide whatever the score is. Search and list still find what is in no digest.
    """
    if ctx.invoked_subcommand is not None:
        return
    from triage.services.reader import rule_book

    with Runtime.open() as runtime:
        book = rule_book.book(runtime.database, runtime.clock())
    if as_json:
        aliases = [{"number": number, "alias": alias} for number, alias in book.aliases]
        found = [
            dataclasses.asdict(row) | {"until": row.until and row.until.isoformat()} for row in book.rules
        ]
        output.document({"rules": found, "aliases": aliases, "items": book.items})
        return
    if not book.rules and not book.aliases:
        diagnostics.note(f"No rules yet. For example: {rule_parser.EXAMPLE}")
    for row in book.rules:
        effect = row.effect if isinstance(row.effect, str) else f"{row.effect:+g}"
        ends = f"  {write_term(row.until)}" if row.until else ""
        output.line(f"{row.number:>3}  {effect:<6}  {output.clean(row.condition)}{ends}")
        output.line(f"             {_outcome(row, book.items)}")
        for conflict in row.conflicts:
            output.line(f"             ! {output.clean(conflict)}")
    for number, alias in book.aliases:
        output.line(f"{number:>3}  alias   {output.clean(alias)}")


def _outcome(row: RuleRow, items: int) -> str:
    """What a rule meets, and what marks have made of it."""
    does = "hides" if row.effect == "never" else "meets"
    said = f"{does} {row.matched} of {words.plural(items, 'item')} of the last 30 days"
    if row.opened or row.liked:
        said += f", of which you opened {row.opened} and liked {row.liked}"
    if row.value is None or abs(row.labels) < 0.05:
        return said
    return f"{said} · you said {row.effect:+g}, your marks say {row.labels:+.1f}: counts {row.value:+.1f}"


@rules.command(context_settings={"ignore_unknown_options": True}, epilog=GRAMMAR)
@click.option("--yes", is_flag=True, help="Do not ask, whatever it hides.")
@click.argument("rule", nargs=-1, required=True, type=click.UNPROCESSED)
def add(rule: tuple[str, ...], yes: bool) -> None:
    """Adds a rule, or changes its effect, after it says what that does. The digest is ranked anew at once."""
    from triage.services.reader import rule_book
    from triage.services.reader import rules as service

    with Runtime.open() as runtime:
        text = rule_parser.from_arguments(rule)
        found = rule_book.preview(runtime.database, runtime.clock(), text)
        previews.show(found, diagnostics.line)
        diagnostics.confirm(found.doubt, yes=yes, fix=f"triage rules add --yes {shlex.quote(found.rule)}")
        say_learned(runtime, service.add(runtime.database, runtime.clock, text).message)


@rules.command(context_settings={"ignore_unknown_options": True}, epilog=GRAMMAR)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.argument("rule", nargs=-1, required=True, type=click.UNPROCESSED)
def preview(rule: tuple[str, ...], as_json: bool) -> None:
    """Says what a rule would have done in the last 30 days, and does nothing."""
    from triage.services.reader import rule_book

    with Runtime.open() as runtime:
        text = rule_parser.from_arguments(rule)
        found = rule_book.preview(runtime.database, runtime.clock(), text)
    if as_json:
        output.document(dataclasses.asdict(found) | {"doubt": found.doubt})
        return
    previews.show(found, output.line)
    if found.doubt is not None:
        diagnostics.note("triage rules add would ask first.")


@rules.command()
@click.option("--yes", is_flag=True, help="Do not ask, whatever a rule hides.")
def edit(yes: bool) -> None:
    """Edits interests, profiles, aliases and rules in $EDITOR; the same as triage interests edit."""
    from triage.cli import interest_sheet

    interest_sheet.edit(yes=yes)


@rules.command()
@click.argument("form")
@click.argument("other")
def alias(form: str, other: str) -> None:
    """Makes two names one. What you say of items with FORM then speaks for those with OTHER, and back."""
    from triage.services.reader import rules as service

    with Runtime.open() as runtime:
        say_learned(runtime, service.alias(runtime.database, runtime.clock, form, other).message)


@rules.command()
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Removes a rule or an alias. NUMBER is that of the list; triage undo brings it back."""
    from triage.services.reader import rules as service

    with Runtime.open() as runtime:
        say_learned(runtime, service.remove(runtime.database, runtime.clock, number).message)
