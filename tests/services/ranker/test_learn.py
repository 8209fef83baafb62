"""`triage learn`: what it compares, when it promotes, and that nothing else changes."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from world import NOW, Ticking, babble, scores, stored_items

from model.artifacts import Artifact, Judged, Measures
from model.blend import Settings
from model.ranker import Ranker
from model.types import Label, Profile
from triage import config
from triage.core import feedback as said
from triage.core.feedback import Event
from triage.core.health import Daemon
from triage.core.items import Digest
from triage.core.learning import Outcome
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.ranker import learn
from triage.services.ranker.models import Models
from triage.services.ranker.ranking import RANKER, Ranked
from triage.services.ranker.worker import Worker
from triage.services.reader import feedback
from triage.services.reader.profile import profile
from triage.services.upkeep import doctor
from triage.store import scores as score_rows
from triage.store.engine import Database

TIMID = Settings(words=0.25, source=0.25, prior_labels=16.0)
"""Far from what suits a reader who goes by the source."""
MARKS = 45


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def inner(paths: Paths, database: Database) -> Iterator[Worker]:
    """The worker's inside, in this process."""
    started = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())
    yield started
    started.close()


@pytest.fixture
def models(paths: Paths) -> Models:
    return Models(paths.models, RANKER)


def mark(
    database: Database,
    clock: Ticking,
    inner: Worker,
    wanted: Callable[[int, bool], bool],
    count: int = MARKS,
    said: Callable[[int], tuple[str, str]] | None = babble,
) -> list[int]:
    """Marks items of the two sources in turn; `wanted` is asked of place and whether it is of the first."""
    ids = stored_items(database, 96, said)
    ask(inner, "build", minutes=None)
    half = len(ids) // 2
    turns = [item for pair in zip(ids[:half], ids[half:], strict=True) for item in pair][:count]
    for place, item in enumerate(turns):
        verb = Verb.LIKE if wanted(place, item in ids[:half]) else Verb.DISLIKE
        feedback.mark(database, clock, item, verb)
    return turns


def of_the_first_source(_: int, first: bool) -> bool:
    return first


def ask(inner: Worker, op: str, now: datetime = NOW, **more: object) -> dict[str, object]:
    """One request, with everything that it leads to."""
    answer = inner.answer({"op": op, "now": now.isoformat(), **more})
    inner.finish()
    return answer


def learned(inner: Worker, clock: Ticking, *, dry_run: bool = False) -> Outcome:
    return msgspec.convert(ask(inner, "learn", clock(), dry_run=dry_run)["outcome"], Outcome)


def handmade(settings: Settings, parent: str | None = None, created: datetime = NOW) -> Artifact:
    measures = Measures(log_loss=0.5, average_precision=0.5)
    judged = Judged(
        how="not at all",
        labels=0,
        held_back=0,
        fitting_before=measures,
        fitting_after=measures,
        held_back_before=measures,
        held_back_after=measures,
    )
    return Artifact(
        ranker=RANKER,
        encoder="words",
        created=created,
        parent=parent,
        settings=settings,
        rehearsed={},
        judged=judged,
    )


def quiet(*_: object) -> None:
    """Progress that nobody looks at."""


def test_average_precision_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        values, relevant = random.normal(size=30), random.random(30) < 0.3
        relevant[0] = True
        expected = average_precision_score(relevant, values)
        assert learn.average_precision(values, relevant) == pytest.approx(expected)


def test_every_candidate_differs_in_one_setting_and_stays_in_reach() -> None:
    found = list(learn.candidates(Settings()))
    assert len(found) == 2 * len(learn.COORDINATES) == 12
    for name, settings in found:
        changed = {n for n, v in dataclasses.asdict(settings).items() if v != getattr(Settings(), n)}
        assert changed == {name}
    at_the_edge = Settings(source=4.0)
    assert [s.source for name, s in learn.candidates(at_the_edge) if name == "source"] == [2.0]


@pytest.mark.slow
def test_marks_are_foreseen_from_earlier_ones_alone(
    database: Database, inner: Worker, clock: Ticking
) -> None:
    """An independent account of the same life, with the ranker alone."""
    turns = mark(database, clock, inner, lambda place, first: first ^ (place % 7 == 0))
    material = inner._ranking.past(clock())
    outcome = learn.search(material, Settings(), quiet).outcome
    losses: list[float] = []
    labels: list[Label] = []
    wanted = said.labels(material.events)
    for start in range(0, MARKS, 2):
        ranking = Ranker(material.corpus).fit(Profile(labels=tuple(labels)))
        for item in turns[start : start + 2]:
            row = material.corpus.row[str(item)]
            chance = float(ranking.probabilities[row])
            losses.append(-np.log(chance if wanted[item] else 1 - chance))
            at = next(e.at for e in material.events if e.item_id == item).timestamp()
            labels.append(Label(str(item), wanted[item], at, float(ranking.standings[row])))
    assert outcome.fitting is not None
    assert (outcome.labels, outcome.held_back) == (MARKS, 15)
    assert outcome.fitting.log_loss == pytest.approx(np.mean(losses[10:30]))


@pytest.mark.slow
def test_what_is_said_later_changes_nothing_before_it(
    database: Database, inner: Worker, clock: Ticking
) -> None:
    mark(database, clock, inner, of_the_first_source)
    material = inner._ranking.past(clock())
    turned = {Verb.LIKE: Verb.DISLIKE, Verb.DISLIKE: Verb.LIKE}
    events = [dataclasses.replace(e, verb=turned[e.verb]) if e.id > 30 else e for e in material.events]
    later = learn.search(dataclasses.replace(material, events=events), TIMID, quiet)
    found = learn.search(material, TIMID, quiet)
    assert found.outcome.trials == later.outcome.trials
    assert found.outcome.held_back_before != later.outcome.held_back_before


@pytest.mark.slow
def test_what_was_undone_does_not_count(database: Database, inner: Worker, clock: Ticking) -> None:
    turns = mark(database, clock, inner, of_the_first_source)
    before = learn.search(inner._ranking.past(NOW), TIMID, quiet)
    for item in turns[:3]:
        feedback.mark(database, clock, item, Verb.LIKE)
        feedback.set_interest(database, clock, "bees", 1.0)
        feedback.undo(database, clock)
        feedback.undo(database, clock)
    assert learn.search(inner._ranking.past(NOW), TIMID, quiet) == before


def test_too_little_to_learn_from_is_said(database: Database, inner: Worker, clock: Ticking) -> None:
    """ML-02."""
    mark(database, clock, inner, of_the_first_source)
    material = inner._ranking.past(clock())

    def missing(events: list[Event]) -> str:
        found = learn.search(dataclasses.replace(material, events=events), Settings(), quiet)
        assert (found.outcome.trials, found.judged) == ((), None)
        return found.outcome.message

    def all_from(start: int, verb: Verb) -> list[Event]:
        return [dataclasses.replace(e, verb=verb) if e.id > start else e for e in material.events]

    assert "30 likes and dislikes are needed" in missing(list(material.events[:29]))
    assert "there are 29: 1 to go" in missing(list(material.events[:29]))
    assert "there are 0: 30 to go" in missing([])
    assert "the 15 newest marks hold no dislike" in missing(all_from(30, Verb.LIKE))
    assert "the 15 newest marks hold no like" in missing(all_from(0, Verb.DISLIKE))
    early = [dataclasses.replace(e, verb=Verb.LOVE) if e.id <= 30 else e for e in material.events]
    assert "the 20 marks before those hold no dislike" in missing(early)


def test_a_better_candidate_is_promoted_with_its_reasons(
    database: Database, inner: Worker, clock: Ticking, models: Models
) -> None:
    mark(database, clock, inner, of_the_first_source)
    timid = models.promote(handmade(TIMID))
    outcome = learned(inner, clock)
    assert outcome.best is not None
    assert outcome.fitting is not None
    assert outcome.held_back_before is not None
    assert outcome.held_back_after is not None
    assert outcome.best.fitting.log_loss == min(trial.fitting.log_loss for trial in outcome.trials)
    assert outcome.best.fitting.log_loss < outcome.fitting.log_loss
    assert outcome.held_back_after.not_worse_than(outcome.held_back_before)
    used = models.in_use("words")
    assert used.version == outcome.version
    assert used.settings == dataclasses.replace(TIMID, **{outcome.best.setting: outcome.best.after})
    assert len(used.rehearsed) == MARKS
    newest, oldest = models.history()
    assert (newest.current, newest.parent, oldest.id) == (True, timid, timid)
    assert (newest.before, newest.after) == (outcome.held_back_before, outcome.held_back_after)


@pytest.mark.slow
def test_a_dry_run_promotes_nothing(
    database: Database, inner: Worker, clock: Ticking, models: Models
) -> None:
    mark(database, clock, inner, of_the_first_source)
    timid = models.promote(handmade(TIMID))
    dry = learned(inner, clock, dry_run=True)
    assert dry.promotable
    assert dry.version is None
    assert models.in_use("words").version == timid


def test_what_is_worse_on_the_marks_held_back_is_not_promoted(
    database: Database, inner: Worker, clock: Ticking, models: Models
) -> None:
    """ML-13. The reader's taste turns round with the part held back, so the timid were right."""
    mark(database, clock, inner, lambda place, first: first ^ (place >= 30))
    timid = models.promote(handmade(TIMID))
    outcome = learned(inner, clock)
    assert outcome.best is not None
    assert outcome.fitting is not None
    assert outcome.best.fitting.log_loss < outcome.fitting.log_loss
    assert not outcome.promotable
    assert "but worse on those held back" in outcome.message
    assert models.in_use("words").version == timid


@pytest.mark.slow
def test_a_taste_that_nothing_explains_changes_nothing(
    database: Database, inner: Worker, clock: Ticking, paths: Paths
) -> None:
    coins = np.random.default_rng(5).random(MARKS) < 0.5
    mark(database, clock, inner, lambda place, first: bool(coins[place]), said=None)
    outcome = learned(inner, clock)
    assert len(outcome.trials) == 12
    assert outcome.version is None
    assert not paths.models.exists()


def test_a_promotion_ranks_anew_under_another_name_and_the_way_back_is_exact(
    database: Database, inner: Worker, clock: Ticking, models: Models
) -> None:
    turns = mark(database, clock, inner, of_the_first_source)
    ask(inner, "rerank")
    before = scores(database)
    version = models.promote(handmade(Settings(words=2.0)))
    ask(inner, "rerank")
    after = scores(database)
    assert after != before
    with database.read() as connection:
        row = score_rows.score(connection, turns[0])
        digest = score_rows.latest_digest(connection)
    assert row is not None
    assert digest is not None
    assert row.model == digest.model == f"{RANKER}+{version} words"

    feedback.mark(database, clock, turns[0], Verb.DISLIKE)
    ask(inner, "rerank")
    assert scores(database) != after
    feedback.undo(database, clock)
    ask(inner, "rerank")
    assert scores(database) == after

    assert ask(inner, "roll_back")["message"] == "back to the built-in settings"
    assert scores(database) == before


def test_standings_of_two_versions_are_never_mixed() -> None:
    events = [
        Event(id=n, at=NOW, verb=Verb.LIKE, item_id=n, standing=float(n), model=model)
        for n, model in ((1, "blend words"), (2, "blend+0123456789abcdef words"), (3, None))
    ]

    def teach(kind: str | None) -> list[float | None]:
        told = profile(events, {1, 2, 3}, NOW, kind, {"1": 10.0, "2": 20.0})
        return [label.standing for label in told.labels]

    assert teach("blend words") == [1.0, 20.0, None]
    assert teach("blend+0123456789abcdef words") == [10.0, 2.0, None]
    assert teach("another words") == [10.0, 20.0, None]
    assert teach(None) == [10.0, 20.0, None]


def test_a_promotion_meanwhile_is_not_overwritten(
    database: Database,
    inner: Worker,
    clock: Ticking,
    models: Models,
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process promotes while this one ranks with what was current."""
    mark(database, clock, inner, of_the_first_source)
    rank = inner._ranking.rank

    def overtaken(as_of: datetime) -> Ranked:
        ranked = rank(as_of)
        monkeypatch.setattr(inner._ranking, "rank", rank)
        models.promote(handmade(Settings(words=2.0)))
        return ranked

    monkeypatch.setattr(inner._ranking, "rank", overtaken)
    answer = ask(inner, "rerank")
    with database.read() as connection:
        digest = score_rows.latest_digest(connection)
    assert digest is not None
    assert digest.model == f"{models.in_use('words').ranker} words"
    assert digest_file.read(paths.digest) == Digest.from_json(answer["digest"])


def test_a_version_that_cannot_be_used_is_said_wherever_the_ranking_is_shown(
    database: Database, inner: Worker, clock: Ticking, models: Models, paths: Paths
) -> None:
    item = mark(database, clock, inner, of_the_first_source)[0]
    ask(inner, "rerank")
    before = scores(database)
    version = models.promote(handmade(Settings(words=2.0)))
    damaged = paths.models / version / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    digest = Digest.from_json(ask(inner, "rerank")["digest"])
    says = "Ranked with the built-in settings, not with what triage learn found."
    explained = ask(inner, "explain", item=item)["explained"]
    assert isinstance(explained, dict)
    for warnings in (digest.warnings, explained["warnings"]):
        assert len(warnings) == 2
        assert warnings[0].startswith("Ranked by words only")
        assert warnings[1].startswith(says)
        assert str(damaged) in warnings[1]
    assert scores(database) == before
    checks = doctor.examine(paths, config.load(paths.config_file), NOW, Daemon("well", "ranking"))
    (check,) = [check for check in checks if check.name == "model"]
    assert (check.verdict, check.says) == ("warning", digest.warnings[1])
    ask(inner, "roll_back")
    assert not any(says in warning for warning in Digest.from_json(ask(inner, "rerank")["digest"]).warnings)
