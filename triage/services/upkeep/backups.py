"""Backups by name and age, and the way back to one of them.

Owns the names of copies and how many are kept; how a copy is made and put back is `triage.store.backup`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.core.errors import SchemaError, TriageError, UsageError
from triage.paths import Paths
from triage.store import backup
from triage.store.migrate import HEAD

KEPT = 7
"""Copies made by `triage db backup` that stay in its folder; those made before upgrades are counted apart."""

REPLACED = "replaced-"
"""What the names of databases begin with that a restore has put aside."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the database."""

    path: str
    bytes: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    path: str
    schema: int
    newest_schema: int
    problems: tuple[str, ...]


def make(paths: Paths, now: datetime, target: Path | None = None, *, automatic: int = 0) -> Copy:
    """Copies the database, also while it is in use.

    Args:
        paths: Of the reader.
        now: Names the copy.
        target: Where to write it, over an earlier copy if there is one; by default the folder of backups, of
            which the newest `KEPT` stay.
        automatic: Made by the daemon, of whose copies the newest so many stay; 0 if the reader asked.

    Raises:
        UsageError: There is nothing to copy yet, or `target` is a file of another kind.
        TriageError: It cannot be written.
    """
    if not paths.database.exists():
        raise UsageError("there is no database yet", fix="triage add URL-OR-PATH")
    if target is not None:
        target = target.expanduser().absolute()
        if target.exists() and not backup.is_copy(target):
            raise UsageError(
                f"{target} is something else and was left as it is", fix="give the copy another name"
            )
        backup.copy(paths.database, target)
        return _copy(target)
    paths.backups.mkdir(mode=0o700, exist_ok=True)
    name, kept = ("daily", automatic) if automatic else ("copy", KEPT)
    made = paths.backups / f"{name}-{now:%Y%m%dT%H%M%SZ}.db"
    backup.discard_abandoned(paths.backups)
    backup.copy(paths.database, made)
    # What was made when the clock was ahead goes first: else it stayed, and each new copy would go instead.
    for old in sorted(paths.backups.glob(f"{name}-*.db"), key=lambda path: (path <= made, path))[:-kept]:
        old.unlink()
    return _copy(made)


def listing(paths: Paths) -> list[Copy]:
    """All copies in the folder of backups, newest first."""
    found = [_copy(path) for path in paths.backups.glob("*.db")]
    return sorted(found, key=lambda copy: copy.made_at, reverse=True)


def was_replaced(copy: Copy) -> bool:
    """Whether it is what a restore put aside: mostly a damaged one."""
    return Path(copy.path).name.startswith(REPLACED)


def check(file: Path) -> Report:
    """Reads a whole database file and says what is wrong with it.

    Raises:
        SchemaError: It is no database of this program.
        TriageError: It cannot be read.
    """
    if not file.exists():
        raise UsageError(f"there is no {file}", fix="triage add URL-OR-PATH")
    number, problems = backup.problems(file)
    return Report(str(file), number, HEAD, tuple(problems))


def restore(paths: Paths, source: Path, now: datetime) -> Path:
    """Makes a copy the database again; returns where the one that was in use is kept.

    Whoever calls it holds the lock of ingestion. The vectors stay: those that the copy does not know are
    overwritten, those that it misses are made again.

    Raises:
        SchemaError: `source` is no database of this program, or of a newer version of it.
        TriageError: It is damaged, or cannot be put in place; the database is as it was.
    """
    source = source.expanduser().absolute()
    report = check(source)
    if report.problems:
        raise TriageError(f"{source} is damaged: {report.problems[0]}", fix="triage db backup --list")
    if report.schema > HEAD:
        raise SchemaError(
            f"{source} has schema {report.schema}, newer than this program's {HEAD}", fix="upgrade triage"
        )
    paths.backups.mkdir(mode=0o700, exist_ok=True)
    aside = _free(paths.backups, f"{REPLACED}{now:%Y%m%dT%H%M%SZ}")
    backup.put_back(source, paths.database, aside)
    paths.digest.unlink(missing_ok=True)  # it shows items of the database that was replaced
    return aside


def _free(folder: Path, stem: str) -> Path:
    """A name in `folder` that nothing has: what is put aside must not replace the copy that is put back."""
    names = (f"{stem}{number}.db" for number in ("", *(f"-{n}" for n in range(2, 10_000))))
    return next(folder / name for name in names if not (folder / name).exists())


def _copy(path: Path) -> Copy:
    status = path.stat()
    return Copy(str(path), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
