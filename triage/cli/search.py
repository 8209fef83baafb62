"""`triage search`: finding items, and the searches that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from triage.cli import output
from triage.cli.diagnostics import Progress, note
from triage.cli.items import NO_ITEMS, print_items
from triage.core import query as language
from triage.core.errors import TriageError, UsageError
from triage.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

EXAMPLE = "triage search --save jane 'from:\"Jane Doe\" is:paper'"
GRAMMAR = """\b
Words:     all of them must occur; wor* cut short; "a phrase"; -word, -"a phrase" must not
Where:     title:word  text:word  from:person-or-source  source:name  tag:word
What:      is:liked, loved, disliked, saved, later, new, settled, opened,
           is:paper, mail, feed
When:      before:2026-11-01  after:2026-11  after:7d (h, d, w, mo, y)  after:yesterday
Not:       a - before any of them: -source:wire -is:disliked
Kept:      @name stands for a saved search, also in a rule: triage rules add 'never @name'

\b
Examples:  triage search harbour is:new after:7d
           triage search --save jane 'from:"Jane Doe" is:paper'
           triage search @jane title:harbour
"""


class _Query(click.ParamType[str]):
    """A part of a search, which the shell can complete."""

    name = "query"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Filters, what `is:` and `kind:` know, and the names of saved searches."""
        from click.shell_completion import CompletionItem

        from triage.services.reader import searching

        offered: Sequence[str] = language.OFFERED
        if incomplete.startswith("@"):
            try:
                with Runtime.open() as runtime:
                    if not runtime.paths.database.exists():
                        return []
                    offered = [f"@{name}" for name in searching.saved(runtime.database)]
            except TriageError:
                return []  # a shell is no place for errors
        return [CompletionItem(each) for each in offered if each.startswith(incomplete)]


@click.command(context_settings={"ignore_unknown_options": True}, epilog=GRAMMAR)
@click.argument("query", nargs=-1, type=_Query())
@click.option(
    "--words", "words_only", is_flag=True, help="By words only: faster, as the model is not needed."
)
@click.option("--save", metavar="NAME", help="Save QUERY under a name; from then on @NAME stands for it.")
@click.option("--saved", is_flag=True, help="List the saved searches.")
@click.option("--forget", metavar="NAME", help="Delete a saved search. triage undo brings it back.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@output.json_options
def search(
    query: tuple[str, ...],
    words_only: bool,
    save: str | None,
    saved: bool,
    forget: str | None,
    limit: int,
    as_json: bool,
    as_jsonl: bool,
) -> None:
    """Finds items by words and by meaning, best match first; by filters alone, the newest first.

    It finds what contains the words of QUERY (the last one may be incomplete) and what is close in meaning.
    Filters apply to both. Hits are shown between ⟦ and ⟧.
    """
    from triage.services.reader import searching

    text = language.from_arguments(query) if query else ""
    if sum((save is not None, saved, forget is not None)) > 1 or bool(text) == (saved or forget is not None):
        raise UsageError("a search needs a word or a filter, or else --saved or --forget NAME", fix=EXAMPLE)
    with Runtime.open() as runtime:
        database, clock = runtime.database, runtime.clock
        if saved:
            kept = searching.saved(database)
            rows: list[Any] = [{"name": name, "query": query} for name, query in kept.items()]
            if not output.listing(rows, as_json, as_jsonl):
                for name, searched in kept.items():
                    output.line(f"@{output.clean(name)}  {output.clean(searched)}")
                if not kept:
                    note(f"No search is kept yet. For example: {EXAMPLE}")
            return
        if forget is not None:
            output.line(output.clean(searching.forget(database, clock, forget).message))
            return
        if save is not None:
            note(output.clean(searching.save(database, clock, save, text).message))
        asked = searching.understood(database, text)
        if searching.is_empty(database):
            print_items(runtime, [], as_json, as_jsonl, none=NO_ITEMS)
            return
        near: list[tuple[int, float]] = []
        if asked.meaning and not words_only:
            with Progress() as progress:
                near, problem = runtime.worker.nearest(
                    searching.expanded(database, text), limit, clock(), progress
                )
            if problem:
                note(f"! Found by words only. {problem}")
        found = searching.find(database, clock, text, limit, near)
        print_items(runtime, found, as_json, as_jsonl, hits=True)
