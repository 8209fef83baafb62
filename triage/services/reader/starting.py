"""The guided start's own business: where a reader stands in it, and what they hand in.

Owns the small file that remembers the steps behind a reader, and the looking at what is to be imported before
anything of it is stored. Fetching and learning are those of every day.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

from triage.config import Clock, Config
from triage.core import feedback, words
from triage.core.errors import UsageError
from triage.core.starting import Found, Stand, Step, step_of
from triage.core.text import sanitize_line
from triage.core.verbs import MARKS
from triage.services.fetching import looking, sources, subscriptions
from triage.services.fetching.looking import Choice
from triage.services.reader import feedback as said
from triage.services.reader import interests
from triage.store import feedback as event_log
from triage.store import sources as source_rows
from triage.store.engine import Database

MAX_SHOWN = 80
LIKED = (".bib", ".bibtex", ".ris", ".jsonl", ".txt")
"""Files of what was liked elsewhere; one with an address a line is a list of subscriptions."""


# ---------------------------------------------------------------- where a reader stands


def past(file: Path) -> frozenset[str] | None:
    """The steps that are behind the reader; None if they never began. A damaged file begins anew."""
    try:
        steps = json.loads(file.read_bytes())["past"]
        return frozenset(str(step) for step in steps)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def remember(file: Path, steps: frozenset[str]) -> None:
    """Writes which steps are behind the reader, in one piece."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.part")
    partial.write_text(json.dumps({"past": sorted(steps)}), encoding="utf-8")
    partial.replace(file)


def is_under_way(file: Path) -> bool:
    """Whether a start was begun and not finished. Costs a look at one small file."""
    steps = past(file)
    return steps is not None and Step.DONE not in steps


def is_empty(database: Database) -> bool:
    """Whether nothing was added and nothing was said yet."""
    with database.read() as connection:
        return not source_rows.active(connection) and event_log.last_id(connection) == 0


def stand(database: Database, file: Path) -> Stand:
    """Where a reader stands, by what there is and by the steps behind them."""
    with database.read() as connection:
        log = event_log.events(connection)
        active = source_rows.active(connection)
        counts = source_rows.item_counts(connection)
    marks = sum(event.verb in MARKS for event in feedback.effective(log))
    wanted = tuple(phrase for phrase, weight in feedback.interests(log).items() if weight > 0)
    items = sum(counts.get(source.id, 0) for source in active)  # what was handed in is nothing to judge
    step = step_of(past(file) or (), sources=len(active), items=items, marks=marks)
    return Stand(step, wanted, len(active), items, marks)


def say_interests(database: Database, clock: Clock, phrases: Sequence[str]) -> None:
    """Makes these phrases the interests of positive weight: adds what is new, removes what is gone."""
    before = said.interests(database)
    clean = list(dict.fromkeys(sanitize_line(phrase, said.MAX_PHRASE) for phrase in phrases))
    for phrase in clean:
        if before.get(phrase, 0.0) <= 0:
            said.set_interest(database, clock, phrase, 1.0)
    for phrase, weight in before.items():
        if weight > 0 and phrase not in clean:
            said.set_interest(database, clock, phrase, 0.0)


# ---------------------------------------------------------------- what is handed in


class Imports:
    """Looks at what a reader hands in, and takes it in when they have seen what it is.

    What was fetched to look at a source is kept, so that it is not fetched twice.
    """

    def __init__(self) -> None:
        self._choices: dict[str, Choice] = {}

    def look(
        self, database: Database, clock: Clock, config: Config, target: str, password_command: str = ""
    ) -> Found:
        """What a target is, and how much of it there is.

        Args:
            database: Where known sources are.
            clock: The present.
            config: For the base URLs of services.
            target: A file, folder or address, as typed.
            password_command: Prints the password of a mailbox.

        Raises:
            UsageError: It cannot be read; the message says why.
        """
        target = target.strip().strip("'\"")
        if not target:
            raise UsageError("there is nothing to look at", fix="a path or an address")
        shown = sanitize_line(target, MAX_SHOWN)
        path = subscriptions.local_path(target)
        if path is not None and subscriptions.as_list(target) is not None:
            listed, refused = subscriptions.in_list(subscriptions.read_file(path), shown)
            left_out = f", {len(refused)} refused" if refused else ""
            return Found(target, "list", f"{words.plural(len(listed), 'subscription')}{left_out}")
        if path is not None and path.is_file() and path.suffix.lower() in LIKED:
            documents, left_out_count = interests.documents_of(path)
            left_out = f", {left_out_count} cannot be read" if left_out_count else ""
            said_of = f"{words.plural(len(documents), 'document')} that you liked{left_out}"
            return Found(target, "liked", said_of)
        if (missing := subscriptions.missing(target)) is not None:
            raise UsageError(f"there is no file or folder {missing}")
        return self._look_at_source(database, clock, config, target, password_command)

    def _look_at_source(
        self, database: Database, clock: Clock, config: Config, target: str, password_command: str
    ) -> Found:
        claim = sources.claim_target(target)
        if sources.is_known(database, claim):
            return Found(target, "source", "known already")
        if not looking.is_quick(claim):
            self._choices[target] = Choice(claim, "", None)
            return Found(target, "source", "a mailbox on this machine; it is only ever read")
        on_server = claim.kind == "mail"
        if on_server and not password_command:
            return Found(target, "password", "a mailbox on a server; it is only ever read")
        options = {"password_command": password_command} if on_server else {}
        seen = asyncio.run(looking.look(database, clock, claim, config, allow_local=False, options=options))
        if seen.error is not None:
            raise UsageError(seen.error, fix=seen.fix)
        best = seen.choices[0]
        self._choices[target] = best
        count = len(best.result.entries) if best.result is not None else 0
        more = " and more to come" if best.result is not None and best.result.more else ""
        said_of = f"{sanitize_line(best.title, MAX_SHOWN)}: {words.plural(count, 'item')}{more}"
        return Found(target, "source", said_of, password_command)

    def add(self, database: Database, clock: Clock, found: Found) -> str:
        """Takes in what `look` has found; what came of it, in words."""
        path = Path(found.target).expanduser()
        if found.kind == "list":
            report = subscriptions.import_list(
                database, clock, subscriptions.read_file(path), sanitize_line(found.target, MAX_SHOWN)
            )
            new = sum(one.new for one in report.added)
            refused = f", {len(report.refusals)} refused" if report.refusals else ""
            return f"{words.plural(new, 'source')} added{refused}"
        if found.kind == "liked":
            return interests.import_liked(database, clock, path).message
        choice = self._choices.pop(found.target, None)
        if choice is None:
            return "known already"
        options = {"password_command": found.password_command} if found.password_command else {}
        added = looking.keep(database, clock, choice, allow_local=False, title=None, tags=[], options=options)
        return f"added: {added.title}" if added.new else f"known already: {added.title}"
