"""What a rule would have done, in lines: its numbers, the titles that it would have hidden, and conflicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from triage.cli import output

if TYPE_CHECKING:
    from triage.services.reader.preview import Preview

NAMED = 5
"""Titles that a preview names of each kind; `--json` has all of them."""


def show(preview: Preview, say: Callable[[str], None]) -> None:
    """Says it with `say`, a line at a time."""
    say(output.clean(f"{preview.rule}: {preview.sentence}"))
    only_liked = [title for title in preview.liked if title not in preview.opened]
    for said, titles in (("opened", preview.opened), ("liked", only_liked)):
        for title in titles[:NAMED]:
            say(f"  {said:<6}  {title.id:>5}  {output.clean(title.title, 80)}")
        if len(titles) > NAMED:
            say(f"  {said:<6}  and {len(titles) - NAMED} more")
    for conflict in preview.conflicts:
        say(f"  ! {output.clean(conflict)}")
    if preview.nothing is not None:
        say(f"  ! {output.clean(preview.nothing, 200)}")
