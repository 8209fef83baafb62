"""`triage list`, `show`, `open`, `mark`, `mute`, `why`."""

from __future__ import annotations

import dataclasses
import os
from threading import Event

import click

from triage.cli import diagnostics, output, preview, render
from triage.cli.diagnostics import Progress, note
from triage.core import muting, words
from triage.core.errors import PartialError, TriageError, UsageError
from triage.core.items import Change, Item
from triage.core.rules import Rule
from triage.core.verbs import MARKS, Verb
from triage.runtime import Runtime

NO_ITEMS = "No items yet. To begin: triage start; if there are sources: triage sync"
SHOWN_AFTER_MARK = 5
"""Items at the top that are listed after a mark, so that its effect is seen."""


def print_items(
    runtime: Runtime,
    items: list[Item],
    as_json: bool,
    as_jsonl: bool,
    *,
    hits: bool = False,
    none: str = "Nothing found.",
) -> None:
    """A list of items, in the form that was asked for; with `hits`, the words that were looked for marked."""
    if not items:
        note(none)
    if output.listing([item.to_json() for item in items], as_json, as_jsonl):
        return
    now = runtime.clock()
    for item in items:
        for text in render.item_lines(item, now, hits=hits):
            output.line(text)


@click.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@output.json_options
def list_items(limit: int, as_json: bool, as_jsonl: bool) -> None:
    """Lists stored items, those of the highest score first."""
    from triage.services.reader import reading

    with Runtime.open() as runtime:
        found = reading.best(runtime.database, limit)
        print_items(runtime, found, as_json, as_jsonl, none=NO_ITEMS)


@click.command()
@click.argument("item_id", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with the text.")
def show(item_id: int, as_json: bool) -> None:
    """Shows one item: its whole text, highlights between ⟦ and ⟧."""
    from triage.services.reader import reading

    with Runtime.open() as runtime:
        opened = reading.read(runtime.database, item_id, runtime.first_page())
        if as_json:
            copies = [dataclasses.asdict(copy) for copy in opened.copies]
            leads_to = [dataclasses.asdict(link) for link in opened.links]
            related = [dataclasses.asdict(each) for each in opened.related]
            more = {"told_by": copies, "links": leads_to, "related": related}
            output.document({**opened.item.to_json(), **render.text_json(opened), **more})
        else:
            for text in render.reading_lines(opened, runtime.clock()):
                output.line(text)
        runtime.opened(item_id)


@click.command("open")
@click.argument("item_id", metavar="ID", type=int)
@click.argument("number", metavar="[N]", type=int, required=False)
def open_item(item_id: int, number: int | None) -> None:
    """Opens the link of item ID in your browser, or the Nth link in its text, as `triage show` numbers them.

    Only http and https. Where nothing can open it, its address is printed.
    """
    from triage.services.reader import reading
    from triage.tui.links import checked_url, open_link

    with Runtime.open() as runtime:
        opened = reading.read(runtime.database, item_id, None)
        links = opened.links
        if number is not None and not 1 <= number <= len(links):
            there = words.plural(len(links), "link") if links else "no links"
            raise UsageError(
                f"item {item_id} has no link {number}: its text has {there}", fix=f"triage show {item_id}"
            )
        url = opened.item.url if number is None else links[number - 1].url
        if not url:
            raise UsageError(
                f"item {item_id} has no link of its own",
                fix=f"triage open {item_id} 1" if links else f"triage show {item_id}",
            )
        try:
            address = checked_url(url)
        except TriageError as error:
            raise TriageError(str(error), fix=f"triage show {item_id}") from error
        try:
            open_link(address, os.environ)
        except TriageError as error:
            output.line(address)
            note(f"{error}. To choose what opens links, set $BROWSER.")
        runtime.opened(item_id)


@click.command()
@click.argument("item_ids", metavar="ID...", type=int, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: what came of each.")
def fetch(item_ids: tuple[int, ...], as_json: bool) -> None:
    """Fetches the full text behind the link of item ID, also of a paper, and keeps it.

    This asks the site for the page. `triage sync` does it by itself for summaries that are likely to be
    shown, if the page is on the same site as the feed.
    """
    with Runtime.open() as runtime, Progress() as progress:
        done = runtime.fetch_asked(item_ids, progress, Event())
    if as_json:
        output.document([dataclasses.asdict(fetched) for fetched in done])
    else:
        for fetched in done:
            what = "" if fetched.got else "summary only: "
            output.line(f"{fetched.id:>5}  {what}{output.clean(fetched.message)}")
    missing = [fetched for fetched in done if not fetched.got]
    if missing:
        message = f"{words.plural(len(missing), 'text')} of {len(done)} could not be fetched"
        fix = f"triage show {missing[0].id}"
        raise (TriageError if len(missing) == len(done) else PartialError)(message, fix=fix)


class VerbAnywhere(click.Command):
    """Takes `mark like 12` as `mark 12 like`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts a verb that comes first behind the ids."""
        if len(args) > 1 and args[0] in set(MARKS):
            args = [*args[1:], args[0]]
        return super().parse_args(ctx, args)


@click.command(cls=VerbAnywhere)
@click.argument("item_ids", metavar="ID...", type=int, nargs=-1, required=True)
@click.argument("verb", type=click.Choice([verb.value for verb in MARKS]))
@click.option("--json", "as_json", is_flag=True, help="One JSON document: the digest as it now stands.")
def mark(item_ids: tuple[int, ...], verb: str, as_json: bool) -> None:
    """Marks item ID; the digest is re-ranked at once.

    Several IDs are one step, which one undo takes back. `love` counts twice. `save` counts like `like`, and
    the search is:saved lists it. `later` keeps the item for later digests; the order learns nothing
    from it.
    """
    from triage.services.reader import feedback

    with Runtime.open() as runtime:
        if len(item_ids) == 1:
            recorded = feedback.mark(runtime.database, runtime.clock, item_ids[0], Verb(verb))
        else:
            recorded = feedback.mark_all(runtime.database, runtime.clock, item_ids, Verb(verb))
        say_learned(runtime, recorded.message, as_json)


@click.command()
@click.argument("item_id", metavar="ID", type=int)
@click.option("--source", "what", flag_value="source", help="Everything from its source.")
@click.option("--person", "what", flag_value="person", help="Everything by the first of its people.")
@click.option("--words", help="Everything that mentions these words.")
@click.option(
    "--for", "duration", default="a week", show_default=True, type=click.Choice(list(muting.DURATIONS))
)
def mute(item_id: int, what: str | None, words: str | None, duration: str) -> None:
    """Keeps the source of item ID, a person or a topic out of digests, for a while or for good.

    A mute is a rule: `triage rules` lists it, and `triage undo` takes it back. Search and list still
    find what is muted.
    """
    from triage.services.reader import reading, rule_book
    from triage.services.reader import rules as service

    if (what is None) == (words is None):
        raise UsageError(
            "say what to mute: --source, --person or --words", fix=f"triage mute {item_id} --source"
        )
    with Runtime.open() as runtime:
        item = reading.read(runtime.database, item_id, None).item
        if words is not None:
            condition = muting.condition("mentions", words)
        else:
            subject = next((found for kind, _, found in muting.subjects(item) if kind == what), None)
            if subject is None:
                raise UsageError(f"item {item_id} names no {what}", fix=f'triage mute {item_id} --words "…"')
            condition = subject
        rule = Rule(condition, "never", muting.DURATIONS[duration])
        preview.show(rule_book.preview(runtime.database, runtime.clock(), str(rule)), diagnostics.line)
        say_learned(runtime, service.add(runtime.database, runtime.clock, str(rule)).message)


def say_learned(runtime: Runtime, message: str, as_json: bool = False) -> None:
    """Re-ranks after an event that is stored, and says what moved; without a digest, says the event."""
    from triage.services.reader import feedback

    shown = runtime.first_page()
    if shown is None:
        output.line(output.clean(message))
        return
    try:
        with Progress() as progress:
            change = runtime.learn(progress)
    except TriageError as error:
        message = f"{message} (stored, but not learned yet: {error})"
        change = Change(feedback.with_states(runtime.database, shown), 0)
    if as_json:
        output.document({"message": message, "moved": change.moved, "digest": change.digest.to_json()})
        return
    moved = (
        f"{change.moved} of {words.plural(len(change.digest.items), 'item')} moved"
        if change.moved
        else "nothing moved"
    )
    output.line(f"{output.clean(message)} · {moved}")
    now = runtime.clock()
    for item in [i for i in change.digest.items if i.lane == "for-you"][:SHOWN_AFTER_MARK]:
        output.line(next(render.item_lines(item, now)))


@click.command()
@click.argument("item_id", metavar="ID", type=int)
@click.option(
    "--marks", is_flag=True, help="Also show which of your marks move it most, by ranking without each."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def why(item_id: int, marks: bool, as_json: bool) -> None:
    """Shows why item ID is where it is: positive and negative parts that add up to its score."""
    with Runtime.open() as runtime:
        explained = runtime.worker.explain(item_id, runtime.clock(), marks=marks)
        if as_json:
            rows = [dataclasses.asdict(reason) for reason in explained.reasons]
            told = {"why": rows, "calibration": explained.calibration, "warnings": explained.warnings}
            shares = [dataclasses.asdict(mark) for mark in explained.marks]
            output.document({**explained.item.to_json(), **told, **({"marks": shares} if marks else {})})
            return
        for warning in explained.warnings:
            note(f"! {warning}")
        for text in render.explained_lines(explained):
            output.line(text)
        if marks:
            for text in render.mark_lines(explained):
                output.line(text)
