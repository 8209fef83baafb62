"""`triage sources` and its parts, `triage sync`."""

from __future__ import annotations

import asyncio
import dataclasses
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from triage.cli import diagnostics, output, render
from triage.cli.group import Group
from triage.cli.items import say_learned
from triage.cli.opening import read_rest
from triage.core import schedule, words
from triage.core.errors import PartialError, TriageError, UsageError
from triage.paths import Paths
from triage.runtime import Runtime

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from triage.services.fetching.looking import CheckReport
    from triage.services.fetching.sources import SourceView
    from triage.services.fetching.writing import SourceReport


class SourceName(click.ParamType[str]):
    """A source as its number or a part of its name; shells complete the numbers and show the names."""

    name = "source"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The sources whose number or name begins like this; nothing where there is no database yet."""
        from click.shell_completion import CompletionItem

        from triage.store import glance

        return [
            CompletionItem(str(number), help=output.clean(title, 60))
            for number, title in glance.sources(Paths.of().database)
            if str(number).startswith(incomplete) or title.casefold().startswith(incomplete.casefold())
        ]


SOURCE = SourceName()


@contextmanager
def _opened(source: str) -> Iterator[tuple[Runtime, SourceView]]:
    """A run of the program, and the source that `source` means."""
    from triage.services.fetching import sources as service

    with Runtime.open() as runtime:
        yield runtime, service.find(service.listing(runtime.database, runtime.clock()), source)


@click.group(cls=Group, invoke_without_command=True)
@click.option("--tag", help="Only those with this tag.")
@click.option("--failing", is_flag=True, help="Only those that fail or are paused.")
@output.json_options
@click.pass_context
def sources(ctx: click.Context, tag: str | None, failing: bool, as_json: bool, as_jsonl: bool) -> None:
    """Lists your sources: items, what you kept, last success, last error, next try.

    SOURCE in the commands below is a number of this list, or a part of a name that no other source has.
    """
    if ctx.invoked_subcommand is not None:
        return
    from triage.services.fetching import sources as service

    with Runtime.open() as runtime:
        found = service.listing(runtime.database, runtime.clock())
        now = runtime.clock()
    shown = [
        view
        for view in found
        if (tag is None or tag.casefold() in map(str.casefold, view.tags))
        and (not failing or view.failures or view.paused)
    ]
    if output.listing([_row(view) for view in shown], as_json, as_jsonl):
        return
    if not found:
        diagnostics.note("There are no sources yet. Add one: triage add URL-OR-PATH")
    elif not shown:
        diagnostics.note("No source matches.")
    for view in shown:
        for line in _lines(view, now):
            output.line(line)


def _row(view: SourceView) -> dict[str, Any]:
    """A source as JSON: the names of its fields are stable."""
    row = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in dataclasses.asdict(view).items()
    }
    return row | {"target": output.address(view.target)}


def _lines(view: SourceView, now: datetime) -> list[str]:
    tags = f"  [{', '.join(map(output.clean, view.tags))}]" if view.tags else ""
    lines = [f"{view.id:>5}  {view.kind:<6}{output.clean(view.title)}{tags}"]
    facts = [
        words.plural(view.items, "item"),
        f"{view.keeps} kept" if view.keeps else "",
        _fetched(view, now),
    ]
    facts.append("" if view.paused else _next(view, now))
    lines.append("       " + " · ".join(fact for fact in facts if fact))
    lines.append("       " + render.clip(output.address(view.target), 7))
    if view.paused:
        lines.append(f"       ! paused: {output.clean(view.paused)} (triage sources resume {view.id})")
    if view.last_error:
        times = f" {words.plural(view.failures, 'time')}" if view.failures > 1 else ""
        since = f" since {view.failing_since.astimezone():%d %B}" if times and view.failing_since else ""
        what = f"failed{times}{since}" if view.failures else "note"
        lines.append(f"       ! {what}: {output.clean(view.last_error)}")
    return lines


def _fetched(view: SourceView, now: datetime) -> str:
    age = words.age(view.last_success, now)
    if not age:
        return "never fetched"
    return "fetched now" if age == "now" else f"fetched {age} ago"


def _next(view: SourceView, now: datetime) -> str:
    if view.next_try <= now:
        return "due"
    when = view.next_try.astimezone()
    return (
        f"next {when:%H:%M}" if (view.next_try - now).total_seconds() < 12 * 3600 else f"next {when:%a %H:%M}"
    )


@sources.command()
@click.argument("source", type=SOURCE)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(source: str, as_json: bool) -> None:
    """Shows all that is known of SOURCE, with its settings and its latest items."""
    from triage.services.reader import reading

    with _opened(source) as (runtime, view):
        now = runtime.clock()
        latest = reading.latest_of(runtime.database, view.id, 5)
    if as_json:
        output.document(_row(view) | {"latest": [{"id": item.id, "title": item.title} for item in latest]})
        return
    for line in _lines(view, now):
        output.line(line)
    output.line()
    for name, value in (
        ("read by", view.ingestor),
        ("added", f"{view.added.astimezone():%Y-%m-%d %H:%M}"),
        ("last asked", view.last_attempt and f"{view.last_attempt.astimezone():%Y-%m-%d %H:%M}"),
        ("server says wait", view.wait_until and f"until {view.wait_until.astimezone():%Y-%m-%d %H:%M}"),
        ("moved here from", ", ".join(view.former)),
        ("local addresses", "allowed" if view.allow_local else None),
        *((key, _value(value)) for key, value in view.settings.items()),
    ):
        if value:
            output.line(f"  {name:<18}{output.clean(value)}")
    if latest:
        output.line()
    for item in latest:
        output.line(f"{item.id:>7}  {output.clean(item.title)}")


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@sources.command()
@click.argument("wanted", nargs=-1, metavar="[SOURCE|TARGET]...", type=SOURCE)
@click.option("--allow-local", is_flag=True, help="Permit loopback and private addresses for TARGET.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check(wanted: tuple[str, ...], allow_local: bool, as_json: bool) -> None:
    """Tries sources, or targets that you have not added, and says what would come. Stores nothing.

    Without arguments: all sources. Those whose server asked to be left alone are not asked.
    """
    from triage.services.fetching import looking

    with Runtime.open() as runtime:
        subjects, skipped = looking.subjects(runtime.database, runtime.clock(), wanted, allow_local)
        with diagnostics.Progress() as progress:
            reports = asyncio.run(
                looking.check(
                    runtime.database,
                    runtime.clock,
                    runtime.config,
                    subjects,
                    lambda done, total: progress("checking", done, total),
                )
            )
        now = runtime.clock()
    if as_json:
        output.document([_report_row(report) for report in reports])
    else:
        for report in reports:
            for line in _report_lines(report, now):
                output.line(line)
    for note in skipped:
        diagnostics.note(note)
    failed = [report for report in reports if not report.ok]
    if failed:
        message = f"{words.plural(len(failed), 'source')} of {len(reports)} cannot be read"
        raise (TriageError if len(failed) == len(reports) else PartialError)(message)


def _report_row(report: CheckReport) -> dict[str, Any]:
    row = dataclasses.asdict(report) | {"target": output.address(report.target)}
    row["url"] = report.url and output.address(report.url)
    return row | {"newest": report.newest and report.newest.isoformat()}


def _report_lines(report: CheckReport, now: datetime) -> list[str]:
    number = f"{report.id:>5}" if report.id is not None else "    -"
    lines = [f"{number}  {'ok   ' if report.ok else 'BAD  '}{output.clean(report.title)}"]
    answer = [f"status {report.status}" if report.status else "", report.format]
    answer.append(f"{report.bytes / 1000:.0f} kB" if report.bytes is not None else "")
    if report.ok:
        age = words.age(report.newest, now)
        answer.append(words.plural(report.items, "item") + (" and more to come" if report.more else ""))
        answer.append(f"newest {age} old" if age not in ("", "now") else "")
    lines.append("       " + " · ".join(fact for fact in answer if fact))
    if report.url and report.url != report.target:
        lines.append(f"       answered by {render.clip(output.address(report.url), 19)}")
    if report.error:
        lines.append(f"       ! {output.clean(report.error)}")
    if report.ok:
        lines += [f"       {line}" for line in _manners(report)]
    lines += [f"       ! {output.clean(refusal)}" for refusal in report.refusals[:3]]
    return [line for line in lines if line.strip()]


def _manners(report: CheckReport) -> list[str]:
    """What the server asks for, and what is missing."""
    found = []
    if report.interval_s:
        found.append(f"asks for {words.duration(report.interval_s)} between fetches")
    if report.status and not report.validators:
        found.append("sends no ETag or Last-Modified: every fetch brings the whole document")
    if report.truncated:
        found.append(
            f"{words.plural(report.truncated, 'text')} of {report.items} cut short: "
            "triage sources set SOURCE full_text=always"
        )
    return found


@sources.command()
@click.argument("source", type=SOURCE)
def remove(source: str) -> None:
    """Stops polling SOURCE. Its items and your marks stay.

    Adding it again continues where it was, with its name, tags and settings. triage undo does not bring it
    back: it is for what you say of items, interests and rules.
    """
    from triage.services.fetching import sources as service

    with _opened(source) as (runtime, view):
        service.remove(runtime.database, runtime.clock, view.id)
    output.line(f"removed: {output.clean(view.title)}")
    again = f"triage add --no-check {shlex.quote(output.address(view.target))}"
    diagnostics.note(f"To bring it back, with its name, tags and settings: {again}")
    diagnostics.note("triage undo does not: it would take back what you said before.")


@sources.command()
@click.argument("source", type=SOURCE)
@click.argument("title", default="")
def rename(source: str, title: str) -> None:
    """Calls SOURCE by TITLE from now on; without TITLE it names itself again."""
    from triage.services.fetching import sources as service

    with _opened(source) as (runtime, view):
        name = service.rename(runtime.database, view, title)
    output.line(f"{view.id:>5}  {output.clean(name)}")
    if not title.strip():
        diagnostics.note("It takes its own name with the next fetch.")


@sources.command()
@click.argument("source", type=SOURCE)
@click.argument("tags", nargs=-1)
@click.option("--remove", "-r", "gone", multiple=True, help="A tag to take away. May be given again.")
def tag(source: str, tags: tuple[str, ...], gone: tuple[str, ...]) -> None:
    """Adds TAGS to SOURCE, for rules such as tag:news."""
    from triage.services.fetching import sources as service

    if not tags and not gone:
        raise UsageError("say which tag", fix="triage sources tag SOURCE news, or --remove news")
    with _opened(source) as (runtime, view):
        left = service.retag(runtime.database, view, tags, gone)
    output.line(f"{view.id:>5}  {output.clean(view.title)}: {output.clean(', '.join(left)) or 'no tags'}")


@sources.command()
@click.argument("source", type=SOURCE)
@click.option("--reason", help="A note to yourself, shown with the source.")
def pause(source: str, reason: str | None) -> None:
    """Stops polling SOURCE until it is resumed."""
    from triage.services.fetching import sources as service

    with _opened(source) as (runtime, view):
        service.pause(runtime.database, view.id, reason or service.BY_READER)
    output.line(f"paused: {output.clean(view.title)}")
    diagnostics.note(f"To take that back: triage sources resume {view.id}")


@sources.command()
@click.argument("source", type=SOURCE)
def resume(source: str) -> None:
    """Polls SOURCE again, beginning with the next sync."""
    from triage.services.fetching import sources as service

    with _opened(source) as (runtime, view):
        service.resume(runtime.database, runtime.clock, view.id)
    output.line(f"resumed: {output.clean(view.title)}")


@sources.command("set")
@click.argument("source", type=SOURCE)
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
def set_(source: str, settings: tuple[str, ...]) -> None:
    """Sets things for SOURCE, such as full_text=always; an empty value takes one back.

    full_text: auto, always or never. interval_minutes: how often a feed is asked, at most every 30.
    allow_local: yes or no. For mailboxes: folders and addresses, names with commas between them; days, how
    far the first fetch goes back; sent, the folder of sent mail. password_command or password_env, and the
    same for token and key: where a secret is found.
    """
    from triage.services.fetching import source_settings
    from triage.services.fetching import sources as service

    changes = source_settings.read(settings)
    with _opened(source) as (runtime, view):
        service.set_options(runtime.database, view, changes)
    for name, value in changes.items():
        shown = "yes" if value is True else "no" if value is False else _value(value)
        output.line(f"{view.id:>5}  {name} = {'default' if value is None else output.clean(shown)}")


@sources.command()
@click.option("--yes", is_flag=True, help="Do not ask, however many sources are taken out.")
def edit(yes: bool) -> None:
    """Opens all sources as a sheet in $VISUAL or $EDITOR; what you change there is done as a whole."""
    from triage.cli.source_sheet import edit as run

    run(yes=yes)


@sources.command()
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def ledger(days: int, as_json: bool) -> None:
    """Shows what each source took of your time and gave, and which might be quieted or dropped.

    Nothing is done by itself, and every suggestion names its command and what takes it back.
    """
    from triage.cli.ledger import lines
    from triage.services.reader import ledger as service

    with Runtime.open() as runtime:
        found = service.ledger(runtime.database, runtime.clock(), days)
        now = runtime.clock()
    if as_json:
        output.document(found.to_json())
        return
    if not found.accounts:
        diagnostics.note("There are no sources yet. Add one: triage add URL-OR-PATH")
    for line in lines(found, now):
        output.line(line)


@sources.command()
@click.argument("source", type=SOURCE)
@click.option("--undo", is_flag=True, help="Take that back.")
def quiet(source: str, undo: bool) -> None:
    """Ranks what comes from SOURCE lower, by a soft rule that your marks can revise."""
    from triage.services.reader import ledger as service

    with _opened(source) as (runtime, view):
        step = service.unquiet if undo else service.quiet
        recorded = step(runtime.database, runtime.clock, view.id)
        say_learned(runtime, recorded.message)
    if not undo:
        diagnostics.note(f"To take that back: triage sources quiet --undo {view.id}")


@click.command()
@click.argument("source_ids", type=int, nargs=-1)
@click.option("--now", "ask_now", is_flag=True, help="Also sources that are not due (not within 5 minutes).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def sync(source_ids: tuple[int, ...], ask_now: bool, as_json: bool) -> None:
    """Fetches all sources that are due, or the given ones, then ranks what is new."""
    from triage.services.fetching import ingest

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
                    on_portion=lambda report: progress(_so_far(report), 0, 0),
                )
            )
            now = runtime.clock()
            digest = runtime.first_page()
            late = schedule.edition_due(digest.built_at if digest else None, now, runtime.config.digest.hour)
            if late or ingest.anything_new(database, digest, now):
                runtime.worker.build(now, progress)
            texts = runtime.fetch_texts(progress)
        _say(reports, as_json, asked=ask_now or bool(source_ids))
        if digest is None and runtime.first_page() is not None:
            diagnostics.note("Your first digest is ready: triage")
        if texts:
            it = "it" if texts == 1 else "them"
            diagnostics.note(f"{words.plural(texts, 'full text')} fetched; the digest is ranked with {it}.")
        read_rest(runtime)
    failed = [report for report in reports if report.error]
    if failed:
        message = f"{words.plural(len(failed), 'source')} of {len(reports)} failed; everything else is stored"
        raise (TriageError if len(failed) == len(reports) else PartialError)(message, fix="triage sources")


def _so_far(report: SourceReport) -> str:
    return f"fetching {output.clean(report.title, 40)}, {words.plural(report.new, 'item')} so far"


def _say(reports: Sequence[SourceReport], as_json: bool, *, asked: bool) -> None:
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
