"""The versions of the reader's model: there is always one that ranks, whatever happens to the others."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model import artifacts
from model.artifacts import Artifact, Judged, Measures
from model.blend import Settings
from triage.core.errors import TriageError
from triage.services.ranker.models import KEPT, Models

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
SAME = Measures(log_loss=0.5, average_precision=0.5)
JUDGED = Judged(
    how="a test",
    labels=45,
    held_back=15,
    fitting_before=SAME,
    fitting_after=SAME,
    held_back_before=SAME,
    held_back_after=SAME,
)


def version(number: int, parent: str | None) -> Artifact:
    """The settings tell which one it is."""
    return Artifact(
        ranker="blend-1",
        encoder="words",
        created=NOW + timedelta(hours=number),
        parent=parent,
        settings=Settings(source=1 + number / 64),
        rehearsed={},
        judged=JUDGED,
    )


def number(models: Models) -> int:
    """Of the version in use; 0 for the built-in settings."""
    return round((models.in_use("words").settings.source - 1) * 64)


def promoted(models: Models, *numbers: int) -> list[str]:
    """Promotes versions one over the other; their ids."""
    return [models.promote(version(n, models.in_use("words").version)) for n in numbers]


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "models", "blend-1")


def test_without_a_version_the_built_in_settings_rank(models: Models, tmp_path: Path) -> None:
    used = models.in_use("words")
    assert (used.ranker, used.version, used.settings, used.problem) == ("blend-1", None, Settings(), None)
    assert models.history() == []
    with pytest.raises(TriageError, match="nothing to go back from"):
        models.roll_back("words")
    assert list(tmp_path.iterdir()) == [], "who asks makes no folder"


def test_versions_follow_each_other_and_go_back_one_by_one(models: Models) -> None:
    """ML-13."""
    first, second = promoted(models, 1, 2)
    used = models.in_use("words")
    assert (used.ranker, used.version, number(models)) == (f"blend-1+{second}", second, 2)
    assert [(v.id, v.current, v.parent, v.settings) for v in models.history()] == [
        (second, True, first, {"source": 1 + 2 / 64}),
        (first, False, None, {"source": 1 + 1 / 64}),
    ]
    assert models.roll_back("words") == f"back to version {first}"
    assert number(models) == 1
    assert models.roll_back("words") == "back to the built-in settings"
    assert number(models) == 0
    assert [v.current for v in models.history()] == [False, False]
    assert promoted(models, 1) == [first], "what was found before can be found again"


def test_only_the_model_that_was_judged_against_is_replaced(models: Models) -> None:
    first, second = promoted(models, 1, 2)
    with pytest.raises(TriageError, match="another model was promoted meanwhile"):
        models.promote(version(3, first))
    assert (number(models), len(models.history())) == (2, 2)
    promoted(models, 3)
    assert [v.parent for v in models.history()] == [second, first, None]


def test_the_newest_versions_are_kept(models: Models, tmp_path: Path) -> None:
    leftover = tmp_path / "models" / ".0123456789abcdef.1.part"
    leftover.mkdir(parents=True)
    ids = promoted(models, *range(1, KEPT + 4))
    assert [v.id for v in models.history()] == ids[: -KEPT - 1 : -1]
    assert not leftover.exists()
    said = [models.roll_back("words") for _ in range(KEPT)]
    assert said[:-1] == [f"back to version {each}" for each in ids[-2 : -KEPT - 1 : -1]]
    assert "back to the built-in settings, because no version before it can be used" in said[-1]
    assert (number(models), models.in_use("words").problem) == (0, None)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder, ids: (folder / "current").write_text(""), "current: does not name a version"),
        (lambda folder, ids: (folder / "current").write_text("../../x"), "current: does not name a version"),
        (
            lambda folder, ids: (folder / "current").write_bytes(b"\xff" * 16),
            "current: does not name a version",
        ),
        (lambda folder, ids: (folder / "current").write_text("0" * 16), "0000/model.json: No such file"),
        (lambda folder, ids: (folder / ids[1] / "model.json").unlink(), "model.json: No such file"),
        (lambda folder, ids: (folder / ids[1] / "model.json").write_text("{}"), "model.json: damaged"),
        (
            lambda folder, ids: (folder / ids[1] / "model.safetensors").write_text(""),
            "model.safetensors: damaged",
        ),
    ],
    ids=["empty", "path", "bytes", "unknown", "missing", "foreign", "truncated"],
)
def test_what_cannot_be_used_is_replaced_by_the_built_in_settings(
    models: Models, tmp_path: Path, damage: Callable[[Path, list[str]], object], says: str
) -> None:
    """ML-01."""
    ids = promoted(models, 1, 2)
    damage(tmp_path / "models", ids)
    used = models.in_use("words")
    assert (used.ranker, used.version, used.settings, used.rehearsed) == ("blend-1", None, Settings(), {})
    assert used.problem is not None
    assert used.problem.startswith("Ranked with the built-in settings, not with what triage learn found.")
    assert says in used.problem
    assert ids[0] in [v.id for v in models.history()]
    assert models.roll_back("words").startswith("back to the built-in settings, because")
    assert models.in_use("words").problem is None
    promoted(models, 3)
    assert number(models) == 3


def test_a_version_of_another_encoder_or_ranker_waits(models: Models, tmp_path: Path) -> None:
    """ML-15."""
    promoted(models, 1)
    assert "learned with the encoder words, and tiny@1 is in use" in str(models.in_use("tiny@1").problem)
    successor = Models(tmp_path / "models", "blend-2")
    assert "learned for the ranker blend-1, and blend-2 is in use" in str(successor.in_use("words").problem)
    assert number(models) == 1
    models.promote(dataclasses.replace(version(2, None), encoder="tiny@1"))
    assert models.in_use("tiny@1").problem is None
    assert "with the encoder tiny@1" in str(models.in_use("words").problem)


def test_a_version_that_is_pruned_while_it_is_read_is_followed_by_the_next(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(models, 1)
    read = artifacts.read

    def slow(path: Path, **wanted: str) -> Artifact:
        monkeypatch.setattr(artifacts, "read", read)
        promoted(models, *range(2, KEPT + 3))
        return read(path, **wanted)

    monkeypatch.setattr(artifacts, "read", slow)
    used = models.in_use("words")
    assert (used.problem, number(models)) == (None, KEPT + 2)
    assert used.settings.source == 1 + (KEPT + 2) / 64


PREPARED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_models import Models, number, promoted
folder = Path(sys.argv[1])
models = Models(folder, "blend-1")
"""

KILLED_AT_EVERY_STEP = """
promoted(models, *range(1, 7))
step = 0
while True:
    step += 1
    child = os.fork()
    if not child:
        left = step
        def watch(event, arguments):
            global left
            steps = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")
            if event in steps and str(folder) in str(arguments[0]):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(watch)
        promoted(models, 7)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(step, status, number(models), models.in_use("words").problem is None, flush=True)
    if not status:
        break
    if number(models) == 7:
        models.roll_back("words")
"""


def test_killed_before_any_step_of_a_promotion_a_whole_version_ranks(tmp_path: Path) -> None:
    """DB-03, ML-03."""
    command = [sys.executable, "-c", PREPARED + KILLED_AT_EVERY_STEP, str(tmp_path / "models")]
    done = subprocess.run([*command, str(Path(__file__).parent)], capture_output=True, text=True, check=True)
    steps = [line.split() for line in done.stdout.splitlines()]
    assert len(steps) > 10
    assert [status for _, status, *_ in steps] == ["9"] * (len(steps) - 1) + ["0"]
    assert {ranks for *_, ranks in steps} == {"True"}
    numbers = [found for *_, found, _ in steps]
    assert set(numbers) == {"6", "7"}
    assert numbers[0] == "6"
    assert numbers[-1] == "7"
    folder = tmp_path / "models"
    kept = [path.name for path in folder.iterdir() if artifacts.is_id(path.name)]
    assert sorted({path.name for path in folder.iterdir()} - set(kept)) == ["current", "lock"]
    assert len(kept) == KEPT


PROMOTED_IN_A_HURRY = """
promoted(models, 1)
print("begun", flush=True)
promoted(models, *range(2, 41))
"""


def test_readers_beside_promotions_always_have_a_whole_version(models: Models, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PREPARED + PROMOTED_IN_A_HURRY, str(tmp_path / "models")]
    seen = [0]
    with subprocess.Popen([*command, str(Path(__file__).parent)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"begun\n"
        while writer.poll() is None:
            used = models.in_use("words")
            assert used.problem is None
            seen.append(number(models))
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert 0 not in seen[1:]
    assert number(models) == 40
