"""`triage stories`: which items tell the same, and the way to split a wrong group."""

from __future__ import annotations

from datetime import timedelta

import click

from triage.cli import output, render
from triage.cli.diagnostics import note
from triage.cli.group import Group
from triage.cli.items import say_learned
from triage.runtime import Runtime


@click.group(cls=Group, invoke_without_command=True)
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="How far back.")
@output.json_options
@click.pass_context
def stories(ctx: click.Context, days: int, as_json: bool, as_jsonl: bool) -> None:
    """Lists stories that several items tell, the newest first; the first item represents the others."""
    if ctx.invoked_subcommand is not None:
        return
    from triage.services.reader import reading

    with Runtime.open() as runtime:
        found = reading.stories(runtime.database, runtime.clock() - timedelta(days=days))
        if output.listing([[item.to_json() for item in told] for told in found], as_json, as_jsonl):
            return
        if not found:
            note(f"No story of the last {days} days is told by more than one item.")
        now = runtime.clock()
        for first, *others in found:
            for text in render.item_lines(first, now):
                output.line(text)
            for item in others:
                output.line(render.copy_line(item.id, item.source, item.title))


@stories.command()
@click.argument("item_id", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: the digest as it now stands.")
def split(item_id: int, as_json: bool) -> None:
    """Says that item ID tells a story of its own; `triage undo` takes it back."""
    from triage.services.reader import feedback

    with Runtime.open() as runtime:
        recorded = feedback.split(runtime.database, runtime.clock, item_id)
        say_learned(runtime, recorded.message, as_json)
