"""The versions of the reader's model: which one ranks, which came before, and the way back.

Owns the folder of artefacts and the file that names the current one. A current one that cannot be used
is never an error for who ranks: the built-in settings step in, and say so. Needs numpy.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from model import artifacts
from model.artifacts import Artifact, ArtifactError
from model.blend import Settings
from triage.core.crash import crash_point
from triage.core.errors import TriageError
from triage.core.learning import Measures, Version

KEPT = 5
"""Versions on disk; the current one is among them, however old it is."""

BUILT_IN = "the built-in settings"


@dataclass(frozen=True, slots=True)
class InUse:
    """What ranks now."""

    ranker: str
    """Names the construction and the version, for scores: those of two versions cannot be compared."""
    version: str | None = None
    """None = the built-in settings."""
    settings: Settings = field(default_factory=Settings)
    rehearsed: Mapping[str, float] = field(default_factory=dict)
    """See `Artifact`."""
    problem: str | None = None
    """Why the version that was chosen does not rank, in a sentence for the reader."""


class Models:
    """The models of one reader, on one construction of the ranker.

    Any number of processes may ask what is in use while one promotes.

    Args:
        folder: Made at the first promotion.
        ranker: Names the construction.
    """

    def __init__(self, folder: Path, ranker: str) -> None:
        self.folder = folder
        self.ranker = ranker

    @property
    def _pointer(self) -> Path:
        return self.folder / "current"

    def in_use(self, encoder: str) -> InUse:
        """What ranks with this encoder: the current version, or the built-in settings in its place."""
        version = None
        try:
            version = self._current()
            if version is None:
                return InUse(self.ranker)
            found = self._read(version, encoder)
        except ArtifactError as error:
            if version is not None and self._has_moved_on_from(version):
                return self.in_use(encoder)
            return InUse(
                self.ranker, problem=f"Ranked with {BUILT_IN}, not with what triage learn found. {error}"
            )
        return InUse(f"{self.ranker}+{version}", version, found.settings, found.rehearsed)

    def before(self, encoder: str) -> tuple[str, Settings] | None:
        """What ranked before the version in use, in words, with its settings; None if nothing did."""
        version = self.in_use(encoder).version
        if version is None:
            return None
        parent = self._read(version, encoder).parent
        if parent is not None:
            try:
                return f"version {parent}", self._read(parent, encoder).settings
            except ArtifactError:  # pruned, or damaged: going back would lead to the built-in settings, too
                return BUILT_IN, Settings()
        return BUILT_IN, Settings()

    def history(self) -> list[Version]:
        """All versions on disk, newest first; those that cannot be read come last, with the reason."""
        try:
            current = self._current()
        except ArtifactError:
            current = None
        stored = list(self.folder.iterdir()) if self.folder.exists() else []
        written = {path.name: path.stat().st_mtime_ns for path in stored if artifacts.is_id(path.name)}
        if current is not None:  # even if its folder is gone
            written.setdefault(current, 0)
        versions = [self._version(self.folder / name, current=name == current) for name in written]
        unknown = datetime.min.replace(tzinfo=UTC)
        return sorted(versions, key=lambda v: (v.created or unknown, written[v.id]), reverse=True)

    def promote(self, artifact: Artifact) -> str:
        """Makes an artefact the current version; returns its id.

        Raises:
            TriageError: Another version has become the current one since its parent was judged.
            ArtifactError: It holds a number that no artefact may hold.
        """
        with self._changing():
            if self.in_use(artifact.encoder).version != artifact.parent:
                raise TriageError("another model was promoted meanwhile", fix="triage learn")
            version = artifacts.write(self.folder, artifact)
            crash_point("learn:promoted")
            self._point_at(version)
            self._prune()
        return version

    def take_in(self, versions: Sequence[tuple[str, bytes, bytes]], current: str | None) -> bool:
        """Stores versions of another machine: id, model.json, model.safetensors of each.

        Args:
            versions: Parents before their children.
            current: The one of them that ranks there, and will rank here unless a version was learned here.

        Returns:
            Whether `current` ranks now, as far as it can be used.

        Raises:
            ArtifactError: One of them is not what its id says; those before it are stored.
        """
        with self._changing():
            for name, document, tensors in versions:
                artifacts.install(self.folder, name, document, tensors)
            if current is not None and not self._pointer.exists():
                self._point_at(current)
            self._prune()
            return current is not None and self._current() == current

    def roll_back(self, encoder: str) -> str:
        """Makes the parent of the current version the current one; returns what happened, in words.

        Where no parent can be used, the built-in settings rank again.

        Raises:
            TriageError: There is nothing to go back from.
        """
        if not self._pointer.exists():
            raise TriageError(f"nothing to go back from: {BUILT_IN} rank", fix="triage learn")
        with self._changing():
            try:
                current = self._current()
                parent = None if current is None else artifacts.read(self.folder / current).parent
                if parent is not None:
                    self._read(parent, encoder)
            except ArtifactError as error:
                self._point_at(None)
                return f"back to {BUILT_IN}, because no version before it can be used: {error}"
            self._point_at(parent)
        return f"back to {BUILT_IN}" if parent is None else f"back to version {parent}"

    def _read(self, version: str, encoder: str) -> Artifact:
        return artifacts.read(self.folder / version, encoder=encoder, ranker=self.ranker)

    def _current(self) -> str | None:
        """The version that the pointer names; None without a pointer."""
        try:
            name = self._pointer.read_bytes().strip().decode("ascii", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ArtifactError(f"{self._pointer}: {error.strerror}") from error
        if not artifacts.is_id(name):
            raise ArtifactError(f"{self._pointer}: does not name a version")
        return name

    def _has_moved_on_from(self, version: str) -> bool:
        """Whether another version was promoted since, so that this one may be gone for good reason."""
        try:
            return self._current() != version
        except ArtifactError:
            return False

    def _version(self, path: Path, *, current: bool) -> Version:
        try:
            found = artifacts.read(path)
        except ArtifactError as error:
            return Version(id=path.name, current=current, problem=str(error))
        built_in = dataclasses.asdict(Settings())
        return Version(
            id=path.name,
            current=current,
            created=found.created,
            parent=found.parent,
            encoder=found.encoder,
            settings={k: v for k, v in dataclasses.asdict(found.settings).items() if v != built_in[k]},
            labels=found.judged.labels,
            held_back=found.judged.held_back,
            before=_measures(found.judged.held_back_before),
            after=_measures(found.judged.held_back_after),
        )

    def _point_at(self, version: str | None) -> None:
        if version is None:
            self._pointer.unlink(missing_ok=True)
        else:
            partial = self.folder / "current.part"
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{version}\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._pointer)
        artifacts.sync(self.folder)

    def _prune(self) -> None:
        """Removes all but the newest versions, and what a process left that died while it wrote."""
        for version in [version for version in self.history() if not version.current][KEPT - 1 :]:
            shutil.rmtree(self.folder / version.id)
        for path in self.folder.glob(".*.part"):  # nobody else is writing: we hold the lock
            shutil.rmtree(path)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _measures(found: artifacts.Measures) -> Measures:
    return Measures(log_loss=found.log_loss, average_precision=found.average_precision)
