"""The guided start in plain lines: for dumb terminals, screen readers, and whoever prefers them.

Owns the questions and how answers are read. The steps are those of the full-screen interface.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from triage.cli import diagnostics, output
from triage.cli.opening import current
from triage.cli.start import fetch
from triage.core import words
from triage.core.errors import TriageError
from triage.core.packs import phrases
from triage.core.starting import (
    AFTERWARDS,
    ASKED,
    HINT,
    IMPORTABLE,
    LEFT,
    MAILBOX_ASKED,
    QUESTIONS,
    Stand,
    Step,
    arrow,
    moves,
)
from triage.core.verbs import Verb
from triage.guided_start import GuidedStart
from triage.runtime import Runtime

OFFERED = 8
"""Packs that are listed before somebody asks for all."""
TOP = 5
"""Of the best items, those that are said between two judgements."""


def run(runtime: Runtime) -> int:
    """Asks until the start is over, then shows the digest in lines; returns the exit code.

    Ctrl-C and q leave; the next time it goes on at the same step.
    """
    guide = runtime.guided_start()
    if guide.stand().step is Step.DONE:
        guide.go_back(Step.INTERESTS)
    diagnostics.note(
        "A few questions to your first digest. Enter skips one; q leaves, and next time goes on there."
    )
    steps: dict[Step, Callable[[GuidedStart, Stand], None]] = {
        Step.INTERESTS: _interests,
        Step.PACKS: _packs,
        Step.IMPORTS: _imports,
        Step.FETCH: _fetch,
        Step.MARKS: _marks,
    }
    while (stand := guide.stand()).step is not Step.DONE:
        diagnostics.note("")
        steps[stand.step](guide, stand)
        guide.go_past(stand.step)
    guide.go_past(Step.DONE)
    current(runtime)
    diagnostics.note("Your first digest:")
    diagnostics.note(AFTERWARDS)
    return runtime.run_lines()


def _prompt(text: str) -> str:
    """One answer, without spaces around it; raises KeyboardInterrupt for q, as for Ctrl-C."""
    try:
        answer = str(click.prompt(text, default="", show_default=False, err=True)).strip()
        if answer.lower() in ("q", "quit"):
            raise click.Abort
    except click.Abort:
        diagnostics.note(f"\n{LEFT}")
        raise KeyboardInterrupt from None
    return answer


def _interests(guide: GuidedStart, stand: Stand) -> None:
    diagnostics.note(ASKED)
    diagnostics.note(HINT)
    if stand.interests:
        diagnostics.note(
            f"So far: {', '.join(stand.interests)}. What you write takes their place; Enter keeps them."
        )
    said = phrases(_prompt("Interests"))
    if said:
        guide.say_interests(said)
        diagnostics.note(f"Interests: {', '.join(said)}")


def _packs(guide: GuidedStart, stand: Stand) -> None:
    offers = guide.packs()
    shown = offers[:OFFERED] if stand.interests else offers
    while True:
        diagnostics.note("Starter packs: sources by interest. * fits what you said.")
        for number, offer in enumerate(shown, 1):
            named = ", ".join(source.title for source in offer.pack.sources)
            mark = "*" if offer.suggested else " "
            diagnostics.line(f"{number:>4}{mark} {offer.pack.title}: {named}")
        fitting = [number for number, offer in enumerate(shown, 1) if offer.suggested]
        default = " ".join(map(str, fitting))
        hint = f", f for those that fit ({default})" if default else ""
        answer = _prompt(f"Which? Numbers{hint}, a for all packs, Enter for none").lower()
        if answer in ("a", "all"):
            shown = offers
            continue
        numbers = default.split() if answer == "f" else answer.replace(",", " ").split()
        if all(number.isdecimal() and 1 <= int(number) <= len(shown) for number in numbers):
            break
        diagnostics.note(f"Numbers from 1 to {len(shown)}, please, with spaces between them.")
    names = [shown[int(number) - 1].pack.name for number in dict.fromkeys(numbers)]
    if names:
        diagnostics.note(guide.take(names))


def _imports(guide: GuidedStart, stand: Stand) -> None:
    diagnostics.note("What you read or liked elsewhere can come along:")
    diagnostics.note(f"{IMPORTABLE}.")
    while target := _prompt(
        "File, folder or address; Enter for none"
        if not stand.sources
        else "Anything to import? Enter for none"
    ):
        try:
            found = guide.look_at(target)
            if found.kind == "password":
                diagnostics.note(f"{output.address(target)}: {found.said}")
                diagnostics.note(f"{MAILBOX_ASKED}.")
                command = _prompt("Command; Enter drops the mailbox")
                if not command:
                    continue
                found = guide.look_at(target, command)
            diagnostics.note(f"{output.address(target)}: {found.said}")
            if _prompt("Take it in? y or n").lower() in ("y", "yes"):
                diagnostics.note(guide.add(found))
        except TriageError as error:
            diagnostics.fail(error)


def _fetch(guide: GuidedStart, stand: Stand) -> None:
    diagnostics.note(f"Fetching {words.plural(stand.sources, 'source')} and reading what they bring:")
    fetched = fetch(guide)
    if fetched.failed:
        diagnostics.note(
            f"{fetched.failed} of {fetched.asked} failed; they are tried again later: triage sources"
        )
    if fetched.items:
        diagnostics.note(f"{words.plural(fetched.items, 'item')} here.")
        return
    answer = _prompt(
        "Nothing came; is there a network? r tries again, t shows a demo day meanwhile, Enter goes on"
    )
    if answer.lower() == "t":
        guide.try_demo()
    if answer.lower() in ("r", "t"):
        _fetch(guide, stand)


def _marks(guide: GuidedStart, stand: Stand) -> None:
    diagnostics.note(f"Judge up to {QUESTIONS} items; the order learns after each.")
    passed: list[int] = []
    judged: list[int] = []
    question = guide.question(passed)
    while question.item is not None and question.number <= QUESTIONS:
        item = question.item
        diagnostics.note("")
        diagnostics.note(f"{question.number} of {QUESTIONS}  {output.clean(item.title)}")
        about = f"{output.clean(item.source)}, {words.minutes(item.minutes)}"
        diagnostics.line(f"    {about}. {output.clean(question.said, 300)}")
        answer = _prompt("l like, d dislike, Enter pass, u undo, e enough").lower()
        before = question.top
        if answer == "e":
            break
        if answer == "":
            passed.append(item.id)
            question = guide.question(passed)
            continue
        if answer == "u":
            if not judged:
                diagnostics.note("There is nothing to undo")
                continue
            question = guide.undo(judged.pop(), passed)
        elif answer in ("l", "d"):
            judged.append(item.id)
            verb = Verb.LIKE if answer == "l" else Verb.DISLIKE
            question = guide.answer(item.id, verb, passed)
        else:
            diagnostics.note("l, d, u, e or Enter, please.")
            continue
        diagnostics.note(
            f"{output.clean(question.message)}; {words.plural(question.moved, 'item')} moved. On top now:"
        )
        moved = moves(before, question.top)
        for item in question.top[:TOP]:
            diagnostics.line(f"  {arrow(moved[item.id]):>4}  {output.clean(item.title, 70)}")
    if question.item is None:
        diagnostics.note("There is nothing left to ask about.")
