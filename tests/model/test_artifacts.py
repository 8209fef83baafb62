"""Artefacts: what is written is read again, and nothing else is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from model import artifacts
from model.artifacts import Artifact, ArtifactError, Judged, Measures
from model.blend import Settings

BEFORE, AFTER = (Measures(log_loss=loss, average_precision=0.5) for loss in (0.4, 0.3))
JUDGED = Judged(
    how="a test",
    labels=45,
    held_back=15,
    fitting_before=BEFORE,
    fitting_after=AFTER,
    held_back_before=BEFORE,
    held_back_after=AFTER,
)
LEARNED = Artifact(
    ranker="blend-1",
    encoder="tiny@1",
    created=datetime(2026, 3, 2, 7, tzinfo=UTC),
    parent=None,
    settings=Settings(source=2.0),
    rehearsed={"12": 1.5, "7": -0.25},
    judged=JUDGED,
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """The folder of a whole artefact."""
    return tmp_path / artifacts.write(tmp_path, LEARNED)


def forge(stored: Path, document: dict[str, Any] | bytes, tensors: bytes | None = None) -> Path:
    """An artefact with other contents, every hash of which is right."""
    content = (stored / artifacts.TENSORS).read_bytes() if tensors is None else tensors
    if isinstance(document, dict):
        document = json.dumps(document | {"tensors_sha256": hashlib.sha256(content).hexdigest()}).encode()
    folder = stored.parent / hashlib.sha256(document).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    (folder / artifacts.DOCUMENT).write_bytes(document)
    (folder / artifacts.TENSORS).write_bytes(content)
    return folder


def document_of(stored: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stored / artifacts.DOCUMENT).read_bytes())
    return found


def test_what_is_written_is_read_again(stored: Path) -> None:
    assert artifacts.read(stored, encoder="tiny@1", ranker="blend-1") == LEARNED
    assert artifacts.write(stored.parent, LEARNED) == stored.name, "the same artefact is stored once"
    assert [path.name for path in stored.parent.iterdir()] == [stored.name]
    assert {path.stat().st_mode & 0o077 for path in [stored, *stored.iterdir()]} == {0}
    assert forge(stored, document_of(stored)).name != stored.name, "our own form is not the only one"


def test_the_tensors_can_be_read_without_this_program(stored: Path) -> None:
    arrays = load((stored / artifacts.TENSORS).read_bytes())
    assert list(arrays["settings"]) == pytest.approx(list(dataclasses.asdict(LEARNED.settings).values()))
    assert list(arrays["rehearsed"]) == [1.5, -0.25]
    assert arrays["projections"].shape == (3, 0, 0)
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}


@settings(max_examples=25)
@given(data=st.data())
def test_one_flipped_bit_anywhere_is_noticed(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """ML-01."""
    folder = tmp_path_factory.getbasetemp() / "flipped"
    folder.mkdir(exist_ok=True)
    path = folder / artifacts.write(folder, LEARNED)
    file = path / data.draw(st.sampled_from([artifacts.DOCUMENT, artifacts.TENSORS]))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"damaged(, changed| or changed)"):
        artifacts.read(path)
    assert artifacts.write(folder, LEARNED) == path.name, "a damaged one is replaced"
    assert artifacts.read(path) == LEARNED


@pytest.mark.parametrize("name", [artifacts.DOCUMENT, artifacts.TENSORS])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda file: file.unlink(), "No such file"),
        (lambda file: (file.unlink(), file.mkdir()), "Is a directory"),
        (lambda file: file.write_bytes(b""), "damaged"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "damaged"),
        (lambda file: file.write_bytes(file.read_bytes() + b"\n"), "damaged"),
        (lambda file: file.write_bytes(b"hello"), "damaged"),
        (lambda file: file.write_bytes(bytes(artifacts.MAX_BYTES + 1)), "longer than"),
    ],
    ids=["missing", "folder", "empty", "truncated", "longer", "foreign", "huge"],
)
def test_a_damaged_file_is_refused_by_name(
    stored: Path, name: str, damage: Callable[[Path], object], says: str
) -> None:
    damage(stored / name)
    with pytest.raises(ArtifactError, match=says) as refused:
        artifacts.read(stored)
    assert str(stored / name) in str(refused.value)


def test_a_folder_of_another_name_or_none_is_refused(stored: Path) -> None:
    other = stored.with_name("0123456789abcdef")
    shutil.copytree(stored, other)
    with pytest.raises(ArtifactError, match="does not fit its folder's name"):
        artifacts.read(other)
    with pytest.raises(ArtifactError, match="No such file"):
        artifacts.read(stored.with_name("fedcba9876543210"))


def test_another_encoder_or_ranker_is_refused(stored: Path) -> None:
    with pytest.raises(ArtifactError, match=r"with the encoder tiny@1, and words is in use"):
        artifacts.read(stored, encoder="words")
    with pytest.raises(ArtifactError, match=r"for the ranker blend-1, and blend-2 is in use"):
        artifacts.read(stored, ranker="blend-2")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format_version": 2}, "of format version 2, this program has 1"),
        ({"format_version": "1"}, "Expected `int`"),
        ({"kind": "somebody-elses"}, "of the kind 'somebody-elses'"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"encoder": None}, "Expected `str`"),
        ({"created": "2026-03-02T07:00:00"}, "no time zone"),
        ({"created": "yesterday"}, "Invalid RFC3339"),
        ({"parent": "../../etc"}, "`parent` is no id"),
        ({"rehearsed": ["12", "12"]}, "names a document twice"),
        ({"rehearsed": ["12"]}, r"shape \(2,\), wanted float32 of \(1,\)"),
        ({"judged": {}}, "missing required field `how`"),
    ],
)
def test_a_document_that_is_not_ours_is_refused(stored: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        artifacts.read(forge(stored, document_of(stored) | changes))


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"kind": ' * 100_000])
def test_what_is_no_document_is_refused(stored: Path, document: bytes) -> None:
    with pytest.raises(ArtifactError, match=artifacts.DOCUMENT):
        artifacts.read(forge(stored, document))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": 4.01}, "the setting source = 4.01 lies beyond a factor of 4 around 1.0"),
        ({"source": 0.0}, "source = 0.0 lies beyond"),
        ({"source": -1.0}, "source = -1.0 lies beyond"),
        ({"sharpness": 1.0}, "sharpness = 1.0 lies beyond a factor of 4 around 0.0"),
        ({"source": 3.0}, "`settings` are not those of model.json"),
        ({"source": None}, "Expected `float`"),
        ({"flavour": 1.0}, "not those of this program: flavour"),
    ],
)
def test_settings_out_of_range_or_unknown_are_refused(
    stored: Path, changes: dict[str, float], says: str
) -> None:
    document = document_of(stored)
    document["settings"] |= changes
    with pytest.raises(ArtifactError, match=says):
        artifacts.read(forge(stored, document))


def test_a_number_that_json_has_not_is_refused(stored: Path) -> None:
    for odd in ("NaN", "Infinity", "1e999"):
        document = (
            (stored / artifacts.DOCUMENT).read_bytes().replace(b'"source": 2.0', f'"source": {odd}'.encode())
        )
        with pytest.raises(ArtifactError, match=artifacts.DOCUMENT):
            artifacts.read(forge(stored, document))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"rehearsed": np.array([1.5, np.nan], dtype=np.float32)},
            "`rehearsed` holds a number that is not finite",
        ),
        (
            {"rehearsed": np.array([1.5, np.inf], dtype=np.float32)},
            "`rehearsed` holds a number that is not finite",
        ),
        ({"rehearsed": np.array([1.5, 1e6], dtype=np.float32)}, "`rehearsed` holds a number beyond 1000"),
        ({"rehearsed": np.array([1.5, 2.0])}, "`rehearsed` is float64"),
        (
            {"rehearsed": np.array([[1.5, 2.0]], dtype=np.float32)},
            r"shape \(1, 2\), wanted float32 of \(2,\)",
        ),
        ({"settings": np.zeros(3, dtype=np.float32)}, r"`settings` is float32 of shape \(3,\)"),
        (
            {"projections": np.zeros((3, 2, 2), dtype=np.float32)},
            r"shape \(3, 2, 2\), wanted float32 of \(3, 0, 0\)",
        ),
        ({"extra": np.zeros(1, dtype=np.float32)}, "holds extra, projections"),
    ],
)
def test_tensors_of_another_kind_are_refused(
    stored: Path, changes: dict[str, np.ndarray[Any, Any]], says: str
) -> None:
    """ML-01."""
    arrays = load((stored / artifacts.TENSORS).read_bytes()) | changes
    with pytest.raises(ArtifactError, match=says):
        artifacts.read(forge(stored, document_of(stored), save(arrays)))


class _Trap:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("sprung"),)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, pickle.dumps(_Trap()), b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_safetensors_file_is_refused_and_never_run(
    stored: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ML-01."""
    monkeypatch.chdir(stored.parent)
    with pytest.raises(ArtifactError, match=artifacts.TENSORS):
        artifacts.read(forge(stored, document_of(stored), content))
    assert not Path("sprung").exists()


def test_a_type_that_numpy_has_not_is_refused(stored: Path) -> None:
    head = json.dumps({"rehearsed": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    content = len(head).to_bytes(8, "little") + head + bytes(4)
    with pytest.raises(ArtifactError, match="no safetensors file that can be read: 'BF16'"):
        artifacts.read(forge(stored, document_of(stored), content))


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": Settings(source=float("nan"))},
        {"settings": Settings(source=100.0)},
        {"rehearsed": {"1": float("inf")}},
        {
            "judged": dataclasses.replace(
                JUDGED, held_back_after=Measures(log_loss=float("nan"), average_precision=0)
            )
        },
        {"created": datetime(2026, 3, 2)},  # noqa: DTZ001 - that is what is wrong with it
    ],
)
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError):
        artifacts.write(tmp_path, dataclasses.replace(LEARNED, **wrong))
    assert list(tmp_path.iterdir()) == []


KILLED_AT_EVERY_STEP = """
import os, signal, sys
from pathlib import Path
from model import artifacts
folder = Path(sys.argv[1])
sys.path.insert(0, sys.argv[2])
from test_artifacts import LEARNED
step = 0
while True:
    step += 1
    child = os.fork()
    if not child:
        left = step
        def watch(event, arguments):
            global left
            steps = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")
            if event in steps and "artefacts" in str(arguments[0]):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(watch)
        artifacts.write(folder, LEARNED)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    whole = [path for path in folder.iterdir() if artifacts.is_id(path.name)]
    for path in whole:
        assert artifacts.read(path) == LEARNED
    print(step, status, len(whole), flush=True)
    if not status:
        break
"""


def test_killed_before_any_step_there_is_a_whole_artefact_or_none(tmp_path: Path) -> None:
    """DB-03."""
    folder = tmp_path / "artefacts"
    folder.mkdir()
    command = [sys.executable, "-c", KILLED_AT_EVERY_STEP, str(folder), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    steps = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(steps) > 5
    assert [status for _, status, _ in steps] == [9] * (len(steps) - 1) + [0]
    assert [whole for *_, whole in steps][:3] == [0, 0, 0]
    assert steps[-1][2] == 1


def test_readers_beside_a_writer_see_whole_artefacts_only(tmp_path: Path) -> None:
    made = [dataclasses.replace(LEARNED, rehearsed={"1": n / 8}) for n in range(40)]

    def write() -> None:
        for artifact in made:
            artifacts.write(tmp_path, artifact)

    writer = threading.Thread(target=write)
    writer.start()
    seen: dict[str, Artifact] = {}
    while writer.is_alive() or len(seen) < len(made):
        for path in tmp_path.iterdir():
            if artifacts.is_id(path.name):
                seen[path.name] = artifacts.read(path)
    writer.join()
    assert sorted(a.rehearsed["1"] for a in seen.values()) == [a.rehearsed["1"] for a in made]
