"""What of an item can be muted, and for how long: each is a hard rule that ends by itself.

Pure. Nothing is deleted by a mute: search and lists still have what it keeps out of digests.
"""

from __future__ import annotations

from datetime import timedelta

from triage.core.errors import UsageError
from triage.core.items import Item
from triage.core.rules import AllOf, Condition, Field, Has
from triage.core.text import sanitize_line

DURATIONS = {
    "a day": timedelta(days=1),
    "a week": timedelta(days=7),
    "a month": timedelta(days=30),
    "for good": None,
}
"""How long a mute holds."""
MAX_WORDS = 120
"""Characters of a name; of a longer one, its beginning is looked for."""


def condition(field: Field, words: str) -> Condition:
    """What meets all of some words in one field, whatever they are: names come from strangers.

    Raises:
        UsageError: There is no letter and no digit in them.
    """
    words = sanitize_line(words)
    if len(words) > MAX_WORDS:
        words = words[:MAX_WORDS].rpartition(" ")[0] or words[:MAX_WORDS] + "*"
    # A rule has quotes around its values and no way to write one inside of them.
    parts = [part.strip() for part in words.split('"') if any(char.isalnum() for char in part)]
    if not parts:
        raise UsageError(f'"{words}" has no word to look for')
    tests = tuple(Has(field, part) for part in parts)
    return tests[0] if len(tests) == 1 else AllOf(tests)


def person(name: str) -> str:
    """The name of somebody without an address: `Jane Doe <jane@example.org>` is Jane Doe."""
    return name.partition(" <")[0].strip() or name


def subjects(item: Item) -> list[tuple[str, str, Condition]]:
    """What of an item can be muted without typing: `source` or `person`, the name, and what meets it."""
    found: list[tuple[str, str, Condition]] = []
    named: list[tuple[str, Field, str]] = [("source", "source", item.source)]
    named += [("person", "author", person(name)) for name in item.people]
    for kind, field, name in named:
        if any(char.isalnum() for char in name):
            found.append((kind, name, condition(field, name)))
    return found
