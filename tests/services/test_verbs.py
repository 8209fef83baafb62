"""Whatever can be said is known everywhere: in the journal, in words, in an export and where it is taken in.

A verb without an example here fails, and so does one that any of these does not know.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from world import NOW, stored_items

from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.moving import exporting, merging
from triage.services.ranker.models import Models
from triage.services.ranker.ranking import RANKER
from triage.services.reader import journal
from triage.store import feedback as event_log
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

MONTH = timedelta(days=30)
OF_AN_ITEM: dict[str, Any] = {"item_id": 1}
A_RULE: dict[str, Any] = {"phrase": "tag:bees"}
EXAMPLES: dict[Verb, tuple[dict[str, Any], str]] = {
    Verb.LIKE: (OF_AN_ITEM, "liked: bees number 0"),
    Verb.LOVE: (OF_AN_ITEM, "loved: bees number 0"),
    Verb.DISLIKE: (OF_AN_ITEM, "disliked: bees number 0"),
    Verb.SAVE: (OF_AN_ITEM, "saved: bees number 0"),
    Verb.LATER: (OF_AN_ITEM, "kept for later: bees number 0"),
    Verb.KNOWN: (OF_AN_ITEM | {"phrase": "refs.bib"}, "liked elsewhere: bees number 0"),
    Verb.SPLIT: (OF_AN_ITEM, "told apart: bees number 0"),
    Verb.TOO_MUCH: (OF_AN_ITEM, "too much: bees number 0"),
    Verb.INTEREST: ({"phrase": "honey", "weight": 2.0}, "an interest (+2): honey"),
    Verb.RULE: (A_RULE | {"weight": 1.0}, "a rule: tag:bees +1"),
    Verb.ALWAYS: (A_RULE, "a rule: always tag:bees"),
    Verb.KEEP: (A_RULE, "a rule: keep tag:bees"),
    Verb.NEVER: (A_RULE, "a rule: never tag:bees"),
    Verb.LANE_PEOPLE: (A_RULE, "a rule: lane people tag:bees"),
    Verb.LANE_FOR_YOU: (A_RULE, "a rule: lane for-you tag:bees"),
    Verb.ALIAS: (
        {"phrase": "mother of the hive = queen bee", "weight": 1.0},
        "an alias: mother of the hive = queen bee",
    ),
    Verb.USE: ({"phrase": "work"}, "profiles in use: work"),
    Verb.SEARCH: ({"phrase": "hives honey"}, "a search: @hives = honey"),
    Verb.UNDO: ({"undoes": 1}, "undone: liked: bees number 0"),
}


def test_every_verb_is_said_in_words_and_is_the_same_on_another_machine(
    paths: Paths, database: Database, tmp_path: Path
) -> None:
    stored_items(database, 4)
    with database.write() as connection:
        for verb in Verb:
            event_log.append(connection, verb=verb, at=NOW, **EXAMPLES[verb][0])
    said = {verb: words for verb, (_, words) in EXAMPLES.items()}
    assert in_the_journal(database) == said

    body = b"".join(exporting.export(database, Models(paths.models, RANKER), "events", NOW, MONTH))
    there = Database(tmp_path / "there.db")
    ensure_schema(there, tmp_path / "backups", NOW)
    merging.merge(there, Models(tmp_path / "models", RANKER), lambda: NOW, body, "a file")
    assert in_the_journal(there) == said
    there.close()


def in_the_journal(database: Database) -> dict[Verb, str]:
    return {entry.verb: entry.says for entry in journal.entries(database, NOW)}
