"""`triage add`: looks at a target, says what it is, and takes it in."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from triage.cli import diagnostics, output
from triage.core import words
from triage.core.errors import PartialError, TriageError, UsageError
from triage.runtime import Runtime

if TYPE_CHECKING:
    from ingestors.base import Claim
    from triage.services.fetching.looking import Choice
    from triage.services.fetching.sources import Added


@dataclass(slots=True)
class _Wishes:
    """What the options of one command line ask for."""

    title: str | None
    tags: tuple[str, ...]
    allow_local: bool
    options: dict[str, Any]
    check: bool
    take_best: bool
    take_first: bool
    ask: bool


@dataclass(slots=True)
class _Outcome:
    """What came of all targets."""

    added: list[Added] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


class SeveralFeedsError(UsageError):
    """A page offers several feeds, and nobody is there to ask."""

    def __init__(self, target: str, choices: Sequence[Choice]) -> None:
        super().__init__(
            f"{output.address(target)} offers {len(choices)} feeds",
            fix="add the address of one, or take the best with --yes",
        )
        self.choices = choices


EXAMPLES = """\b
triage add https://example.org          a site: its feeds are looked for
triage add imaps://me@host/INBOX        a mailbox; ~/mail/inbox.mbox or a Maildir
triage add arxiv:cs.IR                  a category or query of papers
triage add feeds.opml ~/.newsboat/urls  lists of subscriptions: all of them
"""
REFERENCES = "--password-command 'pass show it' or --password-env NAME"
SHORT_LIST = 10
"""New sources of a list that are named one by one."""


@click.command(epilog=EXAMPLES)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--title", help="A name of your own for it.")
@click.option("--tag", "tags", multiple=True, help="A tag; rules can look for it. May be given again.")
@click.option(
    "--full-text",
    type=click.Choice(["auto", "always", "never"]),
    help="Whether to fetch the full article behind a summary.",
)
@click.option(
    "--yes", "take_best", is_flag=True, help="If a site has several feeds, take the best without asking."
)
@click.option(
    "--first", "take_first", is_flag=True, help="Take the first feed that is found, and look no further."
)
@click.option("--no-check", is_flag=True, help="Add it without looking at it first.")
@click.option("--allow-local", is_flag=True, help="Permit loopback and private addresses for this source.")
@click.option("--password-command", metavar="COMMAND", help="Prints the password of a mailbox or feed.")
@click.option("--password-env", metavar="VARIABLE", help="Names a variable with the password.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document; never asks.")
def add(
    targets: tuple[str, ...],
    title: str | None,
    tags: tuple[str, ...],
    full_text: str | None,
    take_best: bool,
    take_first: bool,
    no_check: bool,
    allow_local: bool,
    password_command: str | None,
    password_env: str | None,
    as_json: bool,
) -> None:
    """Adds sources: a site or feed, a mailbox, papers, or a list of them.

    It looks at each target first, and keeps what it fetched for that. Without a terminal it asks nothing.
    """
    if title is not None and len(targets) > 1:
        raise UsageError("--title names one source", fix="give one target, or rename them afterwards")
    given = {"full_text": full_text, "password_command": password_command, "password_env": password_env}
    wishes = _Wishes(
        title=title,
        tags=tags,
        allow_local=allow_local,
        options={name: value for name, value in given.items() if value},
        check=not no_check,
        take_best=take_best,
        take_first=take_first,
        ask=diagnostics.somebody_is_there() and not as_json,
    )
    outcome = _Outcome()
    failed: list[TriageError] = []
    with Runtime.open() as runtime:
        for target in targets:
            try:
                _add(runtime, target, wishes, outcome, quiet=as_json)
            except UsageError as error:
                failed.append(error)
                outcome.problems.append(_problem(target, error))
                if len(targets) > 1 and not as_json:
                    diagnostics.fail(error)
                if isinstance(error, SeveralFeedsError) and not as_json:
                    _say_choices(error.choices, runtime.clock())
    if as_json:
        output.document(
            {
                "added": [added_row(one) for one in outcome.added],
                "refusals": outcome.refusals,
                "problems": outcome.problems,
            }
        )
    elif any(one.new for one in outcome.added):
        diagnostics.note("To fetch and rank what is new: triage sync")
    if failed and len(targets) == 1:
        raise failed[0]
    if failed:
        message = f"{words.plural(len(failed), 'target')} of {len(targets)} could not be added"
        raise (UsageError if len(failed) == len(targets) else PartialError)(message)


def _add(runtime: Runtime, target: str, wishes: _Wishes, outcome: _Outcome, *, quiet: bool) -> None:
    from triage.services.fetching import looking, sources, subscriptions

    if subscriptions.as_list(target) is not None:
        path = subscriptions.local_path(target)
        assert path is not None
        report = subscriptions.import_list(
            runtime.database,
            runtime.clock,
            subscriptions.read_file(path),
            target,
            allow_local=wishes.allow_local,
            tags=wishes.tags,
            options=wishes.options,
        )
        outcome.added += report.added
        outcome.refusals += [dataclasses.asdict(refusal) for refusal in report.refusals]
        if not quiet:
            say_import(report)
        return
    if (path := subscriptions.missing(target)) is not None:
        raise UsageError(f"there is no file or folder {path}")
    claim = sources.claim_target(target)
    _check_options(target, claim, wishes)
    unseen = [looking.Choice(claim, "", None)]
    look = wishes.check and looking.is_quick(claim) and not sources.is_known(runtime.database, claim)
    chosen = _look(runtime, claim, target, wishes) if look else unseen
    now = runtime.clock()
    for choice in chosen:
        added = looking.keep(
            runtime.database,
            runtime.clock,
            choice,
            allow_local=wishes.allow_local,
            title=wishes.title if len(chosen) == 1 else None,
            tags=wishes.tags,
            options=wishes.options,
        )
        outcome.added.append(added)
        if not quiet:
            found = _found(choice, now) if added.new else "known already"
            output.line(f"{added.id:>5}  {added.kind:<6}{output.clean(added.title)}")
            output.line(f"       {found} · {output.address(added.target)}")


def _check_options(target: str, claim: Claim, wishes: _Wishes) -> None:
    """Refuses what makes no sense together."""
    named = [name for name in wishes.options if name.startswith("password")]
    if named and (claim.kind not in ("mail", "feed") or "://" not in claim.target):
        option = "--" + named[0].replace("_", "-")
        raise UsageError(f"{option} is for mailboxes and feeds on a server, not for {output.address(target)}")
    if claim.kind == "mail" and "://" in claim.target and wishes.check and not named:
        raise UsageError(
            f"where is the password for {output.address(target)}?",
            fix=f"{REFERENCES}; for a token --no-check, then triage sources set SOURCE token_command=...",
        )


def _look(runtime: Runtime, claim: Claim, target: str, wishes: _Wishes) -> list[Choice]:
    """Asks the target, and the reader where it is several things."""
    from triage.services.fetching import looking

    with diagnostics.Progress() as progress:
        progress(f"looking at {output.clean(output.address(target), 60)}", 0, 1)
        found = asyncio.run(
            looking.look(
                runtime.database,
                runtime.clock,
                claim,
                runtime.config,
                allow_local=wishes.allow_local,
                options=wishes.options,
                first=wishes.take_first,
            )
        )
    if found.error is not None:
        unseen = f"triage add --no-check {output.address(target)}, to add it unseen"
        raise UsageError(found.error, fix=found.fix or unseen)
    if len(found.choices) == 1 or wishes.take_best or wishes.take_first:
        return [found.choices[0]]
    if not wishes.ask:
        raise SeveralFeedsError(target, found.choices)
    diagnostics.note(f"{output.address(target)} offers {len(found.choices)} feeds:")
    _say_choices(found.choices, runtime.clock())
    answer = click.prompt(
        "Which? Numbers, a for all, q for none", default="1", err=True, value_proc=_reader_of(found.choices)
    )
    return list(answer)


def _reader_of(choices: Sequence[Choice]) -> Any:  # noqa: ANN401  what click calls with an answer
    def read(answer: str) -> list[Choice]:
        text = answer.strip().lower()
        if text in ("a", "all"):
            return list(choices)
        if text in ("q", "n", "none"):
            return []
        known = {str(number): choice for number, choice in enumerate(choices, 1)}
        numbers = text.replace(",", " ").split()
        if not numbers or not known.keys() >= set(numbers):
            raise click.UsageError(f"1 to {len(choices)}, several with spaces between them, a or q")
        return [known[number] for number in dict.fromkeys(numbers)]

    return read


def _say_choices(choices: Sequence[Choice], now: datetime) -> None:
    for number, choice in enumerate(choices, 1):
        diagnostics.line(f"{number:>4}  {choice.title}" + (f" ({choice.label})" if choice.label else ""))
        diagnostics.line(f"      {_found(choice, now)} · {output.address(choice.claim.target)}")


def _found(choice: Choice, now: datetime) -> str:
    """What a first answer held, in a few words."""
    if choice.result is None:
        return "not read yet"
    age = words.age(choice.newest, now)
    newest = f", newest {age} old" if age not in ("", "now") else ""
    more = " and more to come" if choice.result.more else ""
    return f"{words.plural(len(choice.result.entries), 'item')}{newest}{more}"


def _problem(target: str, error: TriageError) -> dict[str, Any]:
    found = [
        {"title": choice.title, "target": output.address(choice.claim.target), "label": choice.label}
        for choice in (error.choices if isinstance(error, SeveralFeedsError) else ())
    ]
    return {"target": output.address(target), "message": str(error), "fix": error.fix, "choices": found}


def added_row(added: Added) -> dict[str, Any]:
    """An added source as JSON."""
    return dataclasses.asdict(added) | {"target": output.address(added.target)}


def say_import(report: Any) -> None:  # noqa: ANN401  an `ImportReport`, which is not imported for this
    """What a list came to: a line for the sum, one for each new source of a short list, all refusals."""
    new = [one for one in report.added if one.new]
    known = len(report.added) - len(new)
    output.line(
        f"{words.plural(len(report.added), 'source')}: {len(new)} added"
        + (f", {known} known already" if known else "")
    )
    for one in new[:SHORT_LIST]:
        output.line(f"{one.id:>5}  {one.kind:<6}{output.clean(one.title)}")
    if len(new) > SHORT_LIST:
        output.line(f"       and {len(new) - SHORT_LIST} more: triage sources")
    for refusal in report.refusals:
        diagnostics.note(f"refused {refusal.name}: {refusal.reason}")
