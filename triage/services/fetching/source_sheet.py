"""The sources as a sheet to be edited: a line each, in the form of a `urls` file with numbers in front.

Owns the form of the sheet and what a change of it means. What was not changed on the sheet is not touched
in the database, so a fetch that goes on meanwhile loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ingestors.quoting import quote, split_line
from triage.config import Clock
from triage.core.errors import UsageError
from triage.core.sheet import SheetError, SheetRefused
from triage.core.text import sanitize_line
from triage.services.fetching import source_settings
from triage.services.fetching.sources import (
    BY_READER,
    MAX_TITLE,
    SourceView,
    add_claimed,
    claim_target,
    clean_tags,
)
from triage.store import sources
from triage.store.engine import Database
from triage.store.sources import SourceRow

HEAD = """\
# Your sources, a line each:   NUMBER ADDRESS "tag" "~Name" setting=value
# Take a line out to stop polling a source; its items stay.
# Write a line without a number to add a source.
# Settings: full_text=auto|always|never   allow_local=yes   paused=yes
"""
SHOWN = ("full_text", "allow_local", "paused")
"""The settings that a sheet shows; for all others there is `triage sources set`."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a sheet, read. Settings that are not there have their defaults."""

    line: int
    id: int | None
    target: str
    tags: tuple[str, ...] = ()
    title: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


def write(views: Sequence[SourceView]) -> str:
    """The sheet of these sources."""
    width = max((len(str(view.id)) for view in views), default=1)
    lines = []
    for view in views:
        words = [f"{view.id:>{width}}", _word(view.target), *map(quote, view.tags), quote(f"~{view.title}")]
        words += [f"full_text={view.settings['full_text']}"] if "full_text" in view.settings else []
        words += ["allow_local=yes"] if view.allow_local else []
        words += ["paused=yes"] if view.paused else []
        lines.append(" ".join(words))
    return HEAD + "\n" + "".join(f"{line}\n" for line in lines)


def read(text: str) -> tuple[list[Row], list[SheetError]]:
    """The lines of a sheet, and what cannot be understood."""
    rows: list[Row] = []
    errors: list[SheetError] = []
    seen: dict[int, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = split_line(line)
        if not words:
            continue
        source_id = None
        if not words[0].quoted and words[0].text.isascii() and words[0].text.isdigit():
            source_id = int(words.pop(0).text[:18])
        if not words:
            errors.append(SheetError(number, "there is a number and no address"))
            continue
        target = words.pop(0).text
        try:
            row = Row(number, source_id, target, *_rest(words))
        except UsageError as error:
            errors.append(SheetError(number, str(error)))
            continue
        if source_id in seen:
            errors.append(
                SheetError(number, f"the number {source_id} stands in line {seen[source_id]} already")
            )
            continue
        if source_id is not None:
            seen[source_id] = number
        rows.append(row)
    return rows, errors


def _rest(words: list[Any]) -> tuple[tuple[str, ...], str, dict[str, Any]]:
    """Tags, name and settings."""
    tags: list[str] = []
    title = ""
    said: list[str] = []
    paused = False
    for word in words:
        name = word.text.partition("=")[0]
        if word.text.startswith("~"):
            title = word.text[1:]
        elif word.quoted or "=" not in word.text:
            tags.append(word.text)
        elif name == "paused":
            if word.text not in ("paused=yes", "paused=no"):
                raise UsageError("paused must be yes or no")
            paused = word.text == "paused=yes"
        elif name not in SHOWN:
            raise UsageError(f"{name} is no setting of this sheet; put a tag with = into quotes")
        else:
            said.append(word.text)
    return tuple(clean_tags(tags)), title, {**source_settings.read(said), "paused": paused}


def stopped(before: str, after: str) -> list[str]:
    """The names of the sources whose lines were taken out."""
    left = {row.id for row in read(after)[0]}
    return [row.title for row in read(before)[0] if row.id not in left]


def apply(database: Database, clock: Clock, before: str, after: str) -> list[str]:
    """Makes the sources what the edited sheet says: all of it, or nothing where a line is wrong.

    Args:
        database: Where the sources are.
        clock: The present.
        before: The sheet as it was written.
        after: The sheet as it was left.

    Returns:
        What was changed, a line each.

    Raises:
        SheetRefused: A line is wrong; nothing was changed.
    """
    old = {row.id: row for row in read(before)[0]}
    rows, errors = read(after)
    if not errors and old and not rows:
        errors = [SheetError(1, "no source is left; to stop them all, use triage sources remove")]
    if errors:
        raise SheetRefused(errors)
    now = clock()
    done: list[str] = []
    with database.write() as connection:
        known = {row.id: row for row in sources.active(connection)}
        for source_id in old.keys() - {row.id for row in rows}:
            if source_id in known:
                sources.remove(connection, source_id, now)
                done.append(f"stopped: {known[source_id].title}")
        for row in rows:
            try:
                if row.id is None:
                    done.append(_add(connection, row, now))
                elif row.id not in old or row.id not in known:
                    raise UsageError(f"there is no source {row.id}; a new one has no number")
                else:
                    done += _change(connection, known[row.id], old[row.id], row, now)
            except UsageError as error:
                errors.append(SheetError(row.line, str(error)))
        if errors:
            raise SheetRefused(errors)  # takes back what was written
    return done


def _add(connection: Connection, row: Row, now: datetime) -> str:
    options = {
        name: v for name, v in row.settings.items() if name in source_settings.SETTINGS and v is not None
    }
    added = add_claimed(
        connection,
        claim_target(row.target),
        now,
        allow_local=bool(options.pop("allow_local", False)),
        title=row.title,
        tags=row.tags,
        options=options,
    )
    if row.settings["paused"]:
        sources.pause(connection, added.id, BY_READER)
    return f"added: {added.title}" if added.new else f"known already: {added.title}"


def _change(connection: Connection, known: SourceRow, old: Row, row: Row, now: datetime) -> list[str]:
    """Writes what differs between two versions of a line; says what did."""
    done: list[str] = []
    values: dict[str, Any] = {}
    if row.target != old.target:
        claim = claim_target(row.target)
        if claim.ingestor != known.ingestor:
            raise UsageError("that is another kind of source; take its number away to add it as a new one")
        if any(
            other.id != known.id and (other.ingestor, other.target) == (claim.ingestor, claim.target)
            for other in sources.active(connection)
        ):
            raise UsageError(f"{claim.target} is a source already")
        values["target"] = claim.target
        done.append(f"{known.title}: is at {claim.target} now")
    if row.tags != old.tags:
        values["tags"] = list(row.tags)
        done.append(f"{known.title}: tags {', '.join(row.tags) or 'none'}")
    options = dict(known.options)
    if row.title != old.title:
        name = sanitize_line(row.title, MAX_TITLE)
        options[sources.NAME] = name
        if not name:
            del options[sources.NAME]  # from the next fetch on it names itself
        values |= {"title": name or None, "options": options}
        done.append(f"{known.title}: is called {name or 'what it calls itself'} now")
    for name in SHOWN[:-1]:
        value = row.settings.get(name)
        if value == old.settings.get(name):
            continue
        done.append(f"{known.title}: {name}={value or 'default'}")
        if name == "allow_local":
            values["allow_local"] = bool(value)
        else:
            options = {key: v for key, v in {**options, name: value}.items() if v is not None}
            values["options"] = options
    if values:
        sources.change(connection, known.id, **values)
    if row.settings["paused"] != old.settings["paused"]:
        if row.settings["paused"]:
            sources.pause(connection, known.id, BY_READER)
        else:
            sources.resume(connection, known.id, now)
        done.append(f"{known.title}: {'paused' if row.settings['paused'] else 'resumed'}")
    return done


def _word(text: str) -> str:
    """An address, quoted only if it would fall apart."""
    return quote(text) if not text or any(char in text for char in ' \t"') or text.startswith("#") else text
