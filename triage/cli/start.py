"""`triage start`: the guided start, full-screen, in plain lines, or by options alone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from triage.cli import diagnostics, output
from triage.cli.opening import full_screen, read_rest, show
from triage.core import words
from triage.core.errors import PartialError, TriageError, UsageError
from triage.core.starting import Progress, Step
from triage.runtime import Runtime

if TYPE_CHECKING:
    from triage.core.starting import Fetched
    from triage.guided_start import GuidedStart

EXAMPLES = """\b
triage start                                            asks, step by step; Esc skips a step
triage start --interest "climate, cycling" --yes        takes the packs that fit, fetches, shows the digest
triage start --pack climate --import feeds.opml --yes   the same with what you name
"""


@click.command(epilog=EXAMPLES)
@click.option("--interest", "interests", multiple=True, help="What you want to keep up with, in your words.")
@click.option("--pack", "packs", multiple=True, metavar="NAME", help="Take this starter pack.")
@click.option("--import", "targets", multiple=True, metavar="FILE", help="Import this: OPML, .bib, mailbox …")
@click.option("--password-command", metavar="COMMAND", default="", help="Prints the password of a mailbox.")
@click.option("--yes", is_flag=True, help="Ask nothing; without --pack, take the packs that fit best.")
@click.option("--packs", "list_packs", is_flag=True, help="List the starter packs and stop.")
@click.option("--again", is_flag=True, help="Start again from the first step; nothing is lost.")
@click.option("--plain", is_flag=True, help="Plain lines instead of the full-screen interface.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document; asks nothing.")
def start(
    interests: tuple[str, ...],
    packs: tuple[str, ...],
    targets: tuple[str, ...],
    password_command: str,
    yes: bool,
    list_packs: bool,
    again: bool,
    plain: bool,
    as_json: bool,
) -> int:
    """Sets you up step by step: your interests, sources, and ten items to judge.

    Every step can be skipped. If you leave in the middle, it continues there the next time.
    """
    if list_packs:
        _say_packs(as_json)
        return 0
    with Runtime.open() as runtime:
        guide = runtime.guided_start()
        if again:
            guide.go_back(Step.INTERESTS)
        if interests or packs or targets or yes or as_json:
            _by_options(runtime, guide, interests, packs, targets, password_command, yes=yes, as_json=as_json)
            return 0
        return ask(runtime, plain=plain)


def ask(runtime: Runtime, *, plain: bool) -> int:
    """The guided start with questions, where somebody is there to answer; returns the exit code.

    Raises:
        UsageError: Nobody is.
    """
    if full_screen() and not plain:
        return runtime.run_tui(start=True)
    if not diagnostics.somebody_is_there():
        raise UsageError(
            "nobody is here to answer the questions of a start",
            fix='triage start --interest "what you care about" --yes',
        )
    from triage.cli.start_lines import run

    return run(runtime)


def _by_options(
    runtime: Runtime,
    guide: GuidedStart,
    interests: tuple[str, ...],
    names: tuple[str, ...],
    targets: tuple[str, ...],
    password_command: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    from triage.core.packs import phrases
    from triage.services.fetching import packs

    packs.named(names)  # a name that there is not is said before anything is done
    found = []
    for target in targets:
        one = guide.look_at(target, password_command)
        if one.kind == "password":
            raise UsageError(
                f"where is the password for {output.address(target)}?",
                fix="--password-command 'pass show it'",
            )
        diagnostics.note(f"{output.address(target)}: {one.said}")
        found.append(one)
    said = [phrase for answer in interests for phrase in phrases(answer)]
    if interests and not said:
        raise UsageError("an interest needs at least one word")
    if said:
        guide.say_interests([*guide.stand().interests, *said])
    taken = list(names)
    if yes and not names:
        taken = [offer.pack.name for offer in guide.packs() if offer.suggested]
    if taken:
        diagnostics.note(f"{', '.join(taken)}: {guide.take(taken)}")
    for one in found:
        diagnostics.note(f"{output.address(one.target)}: {guide.add(one)}")
    stand = guide.stand()
    if not stand.sources:
        unfit = "no starter pack fits what you said, which is kept; " if said and yes and not names else ""
        raise UsageError(f"{unfit}there is no source to fetch", fix="triage start --packs, then --pack NAME")
    fetched = fetch(guide)
    digest = runtime.first_page()
    if as_json:
        document: dict[str, Any] = {
            "interests": list(stand.interests),
            "packs": taken,
            "imported": [dataclasses.asdict(one) for one in found],
            "fetched": dataclasses.asdict(fetched),
            "digest": digest.to_json() if digest is not None else None,
        }
        output.document(document)
    elif digest is not None and digest.items:
        show(runtime, digest)
        read_rest(runtime)
    guide.go_past(Step.DONE)
    if fetched.failed:
        message = (
            f"{words.plural(fetched.failed, 'source')} of {fetched.asked} failed; everything else is stored"
        )
        kind = TriageError if fetched.failed == fetched.asked else PartialError
        raise kind(message, fix="triage sources")


def fetch(guide: GuidedStart) -> Fetched:
    """Fetches with a line for each source and progress for the rest."""
    with diagnostics.Progress() as shown:

        def on_progress(progress: Progress) -> None:
            if progress.line:
                shown.line(f"  {output.clean(progress.line)}")
            shown(progress.what.lower(), progress.done, progress.total)

        return guide.fetch(on_progress)


def _say_packs(as_json: bool) -> None:
    from triage.services.fetching.packs import catalogue

    if as_json:
        output.document([dataclasses.asdict(pack) for pack in catalogue()])
        return
    for pack in catalogue():
        language = "" if pack.language == "en" else f" ({pack.language})"
        output.line(f"{pack.name:<22}{pack.title}{language}")
        for source in pack.sources:
            output.line(f"    {source.title}: {source.reason} · {source.target}")
