"""Which item a new reader is asked about next. Runs in the model worker only.

Owns which items may be asked about at all; which of them teaches most is decided in `model.asking`.
"""

from __future__ import annotations

from collections.abc import Collection

from model.asking import most_telling as choose
from triage.core.items import Item
from triage.core.text import sanitize_line
from triage.services.ranker.ranking import Ranked
from triage.services.reader import views

TOP = 30
"""Items whose places are shown: a tall screen of them."""
SAID = 400
"""Characters of a text that are enough to judge it by."""


def most_telling(ranked: Ranked, passed: Collection[int]) -> int | None:
    """The item whose mark would teach most; None when there is none left.

    Of items that tell the same story one stands for all; letters from people, and what a rule keeps out, are
    not asked about.

    Args:
        ranked: The items as they stand.
        passed: Ids of others that are not to be asked about.
    """
    said = set(ranked.states) | set(passed)
    told = {ranked.stories.story(item_id) for item_id in said} - {None}
    open_ids = [
        item_id
        for item_id, row in ranked.rows.items()
        if item_id not in said
        and row.title
        and not row.personal
        and ranked.decision(item_id) != "never"
        and ranked.stories.story(item_id) not in told
    ]
    known = {row for item_id in said if (row := ranked.ranking.corpus.row.get(str(item_id))) is not None}
    rows = [ranked.ranking.corpus.row[str(item_id)] for item_id in open_ids]
    chosen = choose(ranked.ranking, rows, sorted(known))
    return None if chosen is None else int(ranked.ranking.corpus.documents[chosen].id)


def top(ranked: Ranked, handed_in: Collection[int]) -> list[Item]:
    """The best `TOP` items, best first; of those that tell the same story, the best.

    What the reader has handed in teaches the order and is no part of it, as in a digest.
    """
    stories: set[int] = set()
    found = []
    for item_id in sorted(ranked.rows.keys() - set(handed_in), key=lambda i: (-ranked.logits[i], i)):
        story = ranked.stories.story(item_id)
        if story in stories or ranked.decision(item_id) == "never":
            continue
        if story is not None:
            stories.add(story)
        found.append(views.item(ranked.rows[item_id], state=ranked.states.get(item_id, "new")))
        if len(found) == TOP:
            break
    return found


def beginning(ranked: Ranked, item: Item) -> str:
    """What an item says, in a few lines: the passage that speaks most for it, else its beginning."""
    strongest = max(item.highlights, key=lambda found: abs(found.contribution), default=None)
    text = strongest.text if strongest is not None else ranked.texts[item.id]
    return sanitize_line(text[: SAID * 2], SAID)
