"""Model artefacts: the few numbers of a ranker that can be learned, on disk, trusted only when whole.

Owns the form of an artefact, writing one atomically, and refusing whatever is damaged, foreign or out of
range. Knows nothing of which artefact is in use, nor of how its numbers were found.

An artefact is a folder named by its content:

    <id>/model.json           what it is, whose, where from, its settings, and how it was judged
    <id>/model.safetensors    settings     float32 (settings,), the numbers of model.json once more
                              rehearsed    float32 (documents,), in the order of `rehearsed` in model.json
                              projections  float32 (3, 0, 0), the place of W^Q, W^K, W^V: empty = identity

The id is the beginning of the SHA-256 of model.json, which holds the SHA-256 of model.safetensors, so one
flipped bit anywhere is noticed. Both files are data only: nothing in them is ever executed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from model.blend import Settings
from model.types import ModelError

FORMAT = 1
KIND = "triage-ranker"
DOCUMENT, TENSORS = "model.json", "model.safetensors"

REACH = 4.0
"""A setting lies between a `REACH`-th of its built-in value and `REACH` times it: no artefact can silence an
expert, or let one decide alone. What is 0 stays 0."""

LARGEST_STANDING = 1e3
"""Of a rehearsed document: more standard deviations than any corpus has."""

MAX_BYTES = 16 * 2**20
"""Of either file: hundreds of times what thousands of labels take."""

_ID = re.compile(r"[0-9a-f]{16}")
_IDENTITY = np.zeros((3, 0, 0), dtype=np.float32)


class ArtifactError(ModelError):
    """An artefact cannot be used; the message names the file and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How well labels were foreseen before they were given."""

    log_loss: float
    """In nats."""
    average_precision: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an artefact was judged on, how, and with which result; for people to read."""

    how: str
    labels: int
    held_back: int
    """How many of them it was not chosen by."""
    fitting_before: Measures
    """Of its parent, on the others."""
    fitting_after: Measures
    held_back_before: Measures
    held_back_after: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What was learned, and where it comes from."""

    ranker: str
    """Names the construction of the ranker that the settings belong to."""
    encoder: str
    """The id of the encoder that they were judged with."""
    created: datetime
    """With a time zone."""
    parent: str | None
    """The id of the artefact that it was promoted over; None = the built-in settings."""
    settings: Settings
    rehearsed: Mapping[str, float]
    """Document -> how high it would have stood when it was marked (`Label.standing`), had these settings
    ranked from the first label on: without this, calibration would begin anew with every promotion."""
    judged: Judged


class _Head(msgspec.Struct):
    """What every version of the format has."""

    kind: str
    format_version: int


class _Document(_Head, forbid_unknown_fields=True):
    """model.json."""

    ranker: str
    encoder: str
    created: datetime
    parent: str | None
    settings: dict[str, float]
    rehearsed: tuple[str, ...]
    judged: Judged
    tensors_sha256: str


def is_id(name: str) -> bool:
    """Whether a name has the form of an id, so that it is safe as the name of a folder."""
    return _ID.fullmatch(name) is not None


def write(folder: Path, artifact: Artifact) -> str:
    """Stores an artefact in a folder of artefacts, whole or not at all, and durably.

    Returns:
        Its id; the same artefact is stored once.

    Raises:
        ArtifactError: It could not be read again: a number is not finite or out of its range.
        OSError: The disk is full, or the folder cannot be written to.
    """
    settings = dataclasses.asdict(artifact.settings)
    tensors = save(
        {
            "settings": np.array(list(settings.values()), dtype=np.float32),
            "rehearsed": np.array(list(artifact.rehearsed.values()), dtype=np.float32),
            "projections": _IDENTITY,
        }
    )
    document = msgspec.json.format(
        msgspec.json.encode(
            _Document(
                kind=KIND,
                format_version=FORMAT,
                ranker=artifact.ranker,
                encoder=artifact.encoder,
                created=artifact.created,
                parent=artifact.parent,
                settings=settings,
                rehearsed=tuple(artifact.rehearsed),
                judged=artifact.judged,
                tensors_sha256=hashlib.sha256(tensors).hexdigest(),
            )
        )
    )
    name = _id_of(document)
    install(folder, name, document, tensors)
    return name


def content(path: Path) -> tuple[bytes, bytes]:
    """The two files of an artefact, model.json and model.safetensors, with everything checked.

    Raises:
        ArtifactError: It is missing, damaged or foreign.
    """
    document, tensors = _content(path / DOCUMENT), _content(path / TENSORS)
    _parsed(path, document, tensors)
    return document, tensors


def check(name: str, document: bytes, tensors: bytes) -> None:
    """Raises ArtifactError unless the two files are an artefact with this id."""
    if max(len(document), len(tensors)) > MAX_BYTES:
        raise ArtifactError(f"{name}: longer than {MAX_BYTES} bytes, so not ours")
    _parsed(Path(name), document, tensors)


def install(folder: Path, name: str, document: bytes, tensors: bytes) -> None:
    """Stores the two files of an artefact in a folder of artefacts; see `write`.

    Raises:
        ArtifactError: They are not an artefact with this id.
        OSError: The disk is full, or the folder cannot be written to.
    """
    target, partial = folder / name, folder / f".{name}.{os.getpid()}.part"
    _parsed(target, document, tensors)
    if _is_whole(target):
        return
    partial.mkdir(mode=0o700, exist_ok=True)
    try:
        for file, content in ((TENSORS, tensors), (DOCUMENT, document)):
            _write_durably(partial / file, content)
        sync(partial)
        if target.exists():  # damaged, or it would have been whole
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    sync(folder)


def read(path: Path, *, encoder: str | None = None, ranker: str | None = None) -> Artifact:
    """Reads an artefact, with everything checked.

    Args:
        path: Its folder.
        encoder: The id of the encoder that it must belong to; None for any.
        ranker: The construction of the ranker that it must belong to; None for any.

    Raises:
        ArtifactError: It is missing, damaged, foreign, or of another encoder or ranker.
    """
    artifact = _parsed(path, _content(path / DOCUMENT), _content(path / TENSORS))
    if encoder is not None and artifact.encoder != encoder:
        raise ArtifactError(
            f"{path / DOCUMENT}: learned with the encoder {artifact.encoder}, and {encoder} is in use"
        )
    if ranker is not None and artifact.ranker != ranker:
        raise ArtifactError(
            f"{path / DOCUMENT}: learned for the ranker {artifact.ranker}, and {ranker} is in use"
        )
    return artifact


def sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _id_of(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()[:16]


def _is_whole(path: Path) -> bool:
    try:
        read(path)
    except ArtifactError:
        return False
    return True


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ArtifactError(f"{path}: longer than {MAX_BYTES} bytes, so not ours")
    return content


def _parsed(path: Path, document: bytes, tensors: bytes) -> Artifact:
    """The artefact of a folder from the bytes of its files; raises ArtifactError for anything odd."""
    at = path / DOCUMENT
    if _id_of(document) != path.name:
        raise ArtifactError(f"{at}: damaged, changed or not ours: its content does not fit its folder's name")
    try:
        head = msgspec.json.decode(document, type=_Head)
        if head.kind != KIND:
            raise ArtifactError(f"{at}: of the kind {head.kind!r}, wanted {KIND!r}")
        if head.format_version != FORMAT:
            raise ArtifactError(f"{at}: of format version {head.format_version}, this program has {FORMAT}")
        found = msgspec.json.decode(document, type=_Document)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise ArtifactError(f"{at}: {error}") from error
    if found.created.tzinfo is None:
        raise ArtifactError(f"{at}: `created` has no time zone")
    if found.parent is not None and not is_id(found.parent):
        raise ArtifactError(f"{at}: `parent` is no id: {found.parent!r}")
    if len(set(found.rehearsed)) < len(found.rehearsed):
        raise ArtifactError(f"{at}: `rehearsed` names a document twice")
    if hashlib.sha256(tensors).hexdigest() != found.tensors_sha256:
        raise ArtifactError(f"{path / TENSORS}: damaged or changed: its hash is not the one in {DOCUMENT}")
    settings = _settings(at, found.settings)
    arrays = _arrays(path / TENSORS, tensors, len(found.settings), len(found.rehearsed))
    if not np.array_equal(arrays["settings"], np.array(list(found.settings.values()), dtype=np.float32)):
        raise ArtifactError(f"{path / TENSORS}: `settings` are not those of {DOCUMENT}")
    return Artifact(
        ranker=found.ranker,
        encoder=found.encoder,
        created=found.created,
        parent=found.parent,
        settings=settings,
        rehearsed=dict(zip(found.rehearsed, map(float, arrays["rehearsed"]), strict=True)),
        judged=found.judged,
    )


def within_reach(name: str, value: float) -> bool:
    """Whether a setting may have a value; False for NaN."""
    built_in = float(getattr(Settings(), name))
    return built_in / REACH <= value <= built_in * REACH


def _settings(at: Path, values: Mapping[str, float]) -> Settings:
    names = [field.name for field in dataclasses.fields(Settings)]
    if list(values) != names:
        odd = sorted(set(names) ^ set(values)) or names
        raise ArtifactError(f"{at}: its settings are not those of this program: {', '.join(odd)}")
    for name, value in values.items():
        if not within_reach(name, value):
            built_in = getattr(Settings(), name)
            raise ArtifactError(
                f"{at}: the setting {name} = {value} lies beyond a factor of {REACH:g} around {built_in}"
            )
    return Settings(**values)


def _arrays(at: Path, content: bytes, settings: int, rehearsed: int) -> dict[str, NDArray[Any]]:
    shapes = {"settings": (settings,), "rehearsed": (rehearsed,), "projections": _IDENTITY.shape}
    try:
        found = load(content)
    except (SafetensorError, KeyError, ValueError) as error:  # KeyError: a type that numpy has not
        raise ArtifactError(f"{at}: no safetensors file that can be read: {error}") from error
    if found.keys() != shapes.keys():
        raise ArtifactError(f"{at}: holds {', '.join(sorted(found))}, wanted {', '.join(sorted(shapes))}")
    for name, array in found.items():
        if array.shape != shapes[name] or array.dtype != np.float32:
            raise ArtifactError(
                f"{at}: `{name}` is {array.dtype} of shape {array.shape}, wanted float32 of {shapes[name]}"
            )
        if not np.isfinite(array).all():
            raise ArtifactError(f"{at}: `{name}` holds a number that is not finite")
    if np.abs(found["rehearsed"]).max(initial=0.0) > LARGEST_STANDING:
        raise ArtifactError(f"{at}: `rehearsed` holds a number beyond {LARGEST_STANDING:g}")
    return found
