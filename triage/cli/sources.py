"""`triage add`, `triage sources`, `triage sync`."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import click

from triage.cli import diagnostics, output
from triage.cli.digest import read_rest
from triage.core import words
from triage.core.errors import PartialError, TriageError
from triage.runtime import Runtime

if TYPE_CHECKING:
    from triage.services.ingest import SourceReport


@click.command()
@click.argument("target")
@click.option("--allow-local", is_flag=True, help="Permit loopback and private addresses for this source.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def add(target: str, allow_local: bool, as_json: bool) -> None:
    """Adds TARGET: the URL of a feed, the path of an mbox file, Maildir or OPML file, or arxiv:cs.IR."""
    from triage.services import sources

    with Runtime.open() as runtime:
        report = sources.add(runtime.database, runtime.clock, target, allow_local=allow_local)
    if as_json:
        output.document(dataclasses.asdict(report))
        return
    for source in report.added:
        known = "" if source.new else " (known already)"
        output.line(f"{source.id:>5}  {source.kind:<6}{output.clean(source.title)}{known}")
    for refusal in report.refusals:
        diagnostics.note(f"refused {refusal.name}: {refusal.reason}")
    if any(source.new for source in report.added):
        diagnostics.note("To fetch it now: triage sync")


@click.group(invoke_without_command=True)
@output.json_options
@click.pass_context
def sources(ctx: click.Context, as_json: bool, as_jsonl: bool) -> None:
    """Lists the sources: items, last success, last error, next try."""
    if ctx.invoked_subcommand is not None:
        return
    from triage.services import sources as service

    with Runtime.open() as runtime:
        found = service.listing(runtime.database)
        now = runtime.clock()
    rows = [
        dataclasses.asdict(view)
        | {
            "last_success": view.last_success and view.last_success.isoformat(),
            "next_try": view.next_try.isoformat(),
        }
        for view in found
    ]
    if output.listing(rows, as_json, as_jsonl):
        return
    if not found:
        diagnostics.note("There are no sources yet. Add one: triage add URL-OR-PATH")
    for view in found:
        age = words.age(view.last_success, now)
        fetched = (
            f"fetched {age} ago" if age not in ("", "now") else ("fetched now" if age else "never fetched")
        )
        output.line(f"{view.id:>5}  {view.kind:<6}{output.clean(view.title)}")
        wait = "due" if view.next_try <= now else f"next at {view.next_try.astimezone():%a %H:%M}"
        output.line(
            f"       {words.plural(view.items, 'item')} · {fetched} · {wait} · {output.clean(view.target)}"
        )
        if view.last_error:
            what = "failed" if view.failures else "note"
            output.line(f"       ! {what}: {output.clean(view.last_error)}")


@sources.command()
@click.argument("source_id", type=int)
def remove(source_id: int) -> None:
    """Stops polling a source. Its items and your marks stay; adding it again continues where it was."""
    from triage.services import sources as service

    with Runtime.open() as runtime:
        view = service.remove(runtime.database, runtime.clock, source_id)
    output.line(f"removed: {output.clean(view.title)}")
    diagnostics.note(f"To take that back: triage add {view.target}")


@click.command()
@click.argument("source_ids", type=int, nargs=-1)
@click.option("--now", "ask_now", is_flag=True, help="Also sources that are not due (not within 5 minutes).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def sync(source_ids: tuple[int, ...], ask_now: bool, as_json: bool) -> None:
    """Fetches all sources that are due, or the given ones, then ranks what is new."""
    from triage.services import ingest

    with Runtime.open() as runtime, runtime.ingesting("triage sync") as database:
        ingest.require_sources(database)
        with diagnostics.Progress() as progress:
            reports = asyncio.run(
                ingest.sync(
                    database,
                    runtime.config,
                    runtime.clock,
                    only=source_ids or None,
                    ask_now=ask_now or bool(source_ids),
                    on_report=lambda _, done, total: progress("fetching", done, total),
                )
            )
            now = runtime.clock()
            if ingest.anything_new(database, runtime.first_page(), now):
                runtime.worker.build(now, progress)
        _say(reports, as_json, asked=ask_now or bool(source_ids))
        read_rest(runtime)
    failed = [report for report in reports if report.error]
    if failed:
        message = f"{words.plural(len(failed), 'source')} of {len(reports)} failed; everything else is stored"
        raise (TriageError if len(failed) == len(reports) else PartialError)(message, fix="triage sources")


def _say(reports: list[SourceReport], as_json: bool, *, asked: bool) -> None:
    if as_json:
        output.document([dataclasses.asdict(report) for report in reports])
        return
    for report in reports:
        if report.error:
            result = f"failed: {output.clean(report.error)}"
        elif report.postponed:
            result = f"not asked: {output.clean(report.postponed)}"
        elif report.not_modified:
            result = "nothing changed"
        else:
            revised = f", {report.revised} revised" if report.revised else ""
            result = f"{report.new} new{revised}"
        output.line(f"{report.id:>5}  {output.clean(report.title, 50)}: {result}")
        for refusal in report.refusals:
            output.line(f"       refused {output.clean(refusal.name)}: {output.clean(refusal.reason)}")
    if not reports and asked:
        diagnostics.note("Every source was asked in the last minutes, or its server wants to be left alone.")
    elif not reports:
        diagnostics.note("No source is due; to ask them all the same: triage sync --now")
