"""`triage notifications`."""

from __future__ import annotations

import dataclasses

import click

from triage.cli import output
from triage.cli.diagnostics import note
from triage.cli.group import Group
from triage.runtime import Runtime


@click.group(cls=Group, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def notifications(ctx: click.Context, as_json: bool) -> None:
    """Lists what the daemon notified you of; too-much makes it stricter."""
    if ctx.invoked_subcommand is not None:
        return
    from triage.services.digest import notifying

    with Runtime.open() as runtime:
        found = notifying.listing(runtime.database)
    if as_json:
        output.document([dataclasses.asdict(each) for each in found])
        return
    if not found:
        note("Nothing was worth an interruption yet.")
    for each in found:
        complaint = "  too much" if each.too_much else ""
        when = f"{each.at.astimezone():%a %d %b %H:%M}"
        output.line(
            f"{each.item:>6}  {when}  {each.probability:4.0%}  {output.clean(each.title, 60)}{complaint}"
        )


@notifications.command("too-much")
@click.argument("item", type=int, required=False)
def too_much(item: int | None) -> None:
    """Says that the notification of ITEM, or the last one, was not worth it: you will get fewer."""
    from triage.services.digest import notifying

    with Runtime.open() as runtime:
        output.line(output.clean(notifying.too_much(runtime.database, runtime.clock, item).message))
