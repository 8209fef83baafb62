"""Health of the machine below the program: folders, disk, SQLite, clock, processors, packages.

Every check is told where to look and reads nothing of the database.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import shutil
import statistics
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from triage import __version__
from triage.core import words
from triage.core.health import Check
from triage.paths import Paths
from triage.store.engine import SAFE_SQLITE, sqlite_version

LOW_DISK_MB = 500
MAX_FILES = 5_000
"""Of a folder that are looked at."""
CLOCK_SLACK = timedelta(minutes=10)
ENOUGH_CLOCKS = 3
"""So many hosts are not wrong together."""
MOUNTS = Path("/proc/self/mounts")
"""What is mounted where, one line each: device, folder, type. Linux alone has it."""
NETWORKED = ("nfs", "cifs", "smb", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.glusterfs")
"""Beginnings of the types of file systems that other machines may write to at the same time."""
PACKAGES = ("torch", "numpy", "sqlalchemy", "textual", "feedparser", "lxml", "httpx2")
"""Whose versions matter for a report of what went wrong."""


def program() -> Iterator[Check]:
    """Versions: ours, Python's, and those of what most depends on."""
    yield Check("program", "ok", f"triage {__version__}, Python {platform.python_version()}")
    yield Check("packages", "ok", ", ".join(f"{name} {_version(name) or 'missing'}" for name in PACKAGES))


def folders(paths: Paths) -> Iterator[Check]:
    """Whose they are, who can read them, and whether we can write."""
    for folder in filter(Path.exists, paths.folders):
        yield from _folder(folder)


def _folder(folder: Path) -> Iterator[Check]:
    quoted = shlex.quote(str(folder))
    foreign = [path for path in (folder, *islice(folder.rglob("*"), MAX_FILES)) if _is_foreign(path)]
    if foreign:
        more = f", with {len(foreign) - 1} more," if len(foreign) > 1 else ""
        fix = f"sudo chown -R {os.geteuid()}:{os.getegid()} {quoted}"
        yield Check("folder", "bad", f"{foreign[0]}{more} belongs to another user of this machine", fix)
    if folder.stat().st_mode & 0o077:
        yield Check("folder", "warning", f"{folder} can be read by others", f"chmod go= {quoted}")
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        fix = f"sudo mount -o remount,rw {shlex.quote(str(_mounted(folder.resolve())[0]))}"
        yield Check("folder", "bad", f"{folder} is on a file system that takes no writes", fix)
    elif not foreign and not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        yield Check("folder", "bad", f"{folder} cannot be written", f"chmod u+rwx {quoted}")


def _is_foreign(path: Path) -> bool:
    try:
        return path.lstat().st_uid != os.geteuid()
    except OSError:  # it went meanwhile, or its folder may not be looked into, which is named
        return False


def disk(paths: Paths) -> Iterator[Check]:
    """Whether there is room to go on."""
    at = next(p for p in (paths.data, *paths.data.parents) if p.exists())
    free = shutil.disk_usage(at).free // 2**20
    nodes = os.statvfs(at)
    says = f"{free} MB free"
    if nodes.f_files and not nodes.f_favail:
        free, says = 0, f"{free} MB free, but no room for another file"
    if free > LOW_DISK_MB:
        yield Check("disk", "ok", says)
        return
    copies = " ".join(shlex.quote(str(folder)) for folder in (paths.cache, paths.backups) if folder.exists())
    ours = f"; of ours, the cache and old copies could go: du -sh {copies}" if copies else ""
    yield Check("disk", "bad", says, f"free some disk space{ours}")


def file_system(paths: Paths) -> Iterator[Check]:
    """Processes that share a write-ahead log share memory, which two machines cannot."""
    _, kind = _mounted(paths.data.resolve())
    if kind.startswith(NETWORKED):
        yield Check(
            "file system",
            "warning",
            f"{paths.data} is on a network ({kind}): two machines that write there damage the database",
            "keep it on a local disk (TRIAGE_HOME), and move it between machines by: triage export all FILE",
        )
    else:
        yield Check("file system", "ok", kind or "unknown")


def _mounted(folder: Path) -> tuple[Path, str]:
    """Where the file system that holds a folder is mounted, and its type; empty where nobody says."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        lines = []
    found = (Path("/"), "")
    for line in lines:
        _, place, kind, *_ = (*line.split(" "), "", "", "")
        at = Path(place.replace("\\040", " "))
        # Of two on one folder, the later hides the other.
        if at in (folder, *folder.parents) and len(at.parts) >= len(found[0].parts):
            found = (at, kind)
    return found


def sqlite() -> Iterator[Check]:
    """Whether two processes may write to one database with it."""
    version = sqlite_version()
    text = ".".join(map(str, version))
    if version >= SAFE_SQLITE:
        yield Check("sqlite", "ok", text)
    else:
        yield Check(
            "sqlite",
            "warning",
            f"{text} can lose pages when two processes write (fixed in {'.'.join(map(str, SAFE_SQLITE))})",
            f"{sys.executable} -m pip install pysqlite3",
        )


def clock(
    now: datetime, newest: datetime | None, compared: tuple[datetime, list[float]] | None
) -> Iterator[Check]:
    """Our clock beside what is known without asking anybody.

    Args:
        now: What it says.
        newest: When the newest item came in, by our clock of then.
        compared: When hosts were last asked, and by how many seconds each of their clocks was ahead.
    """
    fix = "sudo timedatectl set-ntp true, then: triage sync --now"
    says = f"{now.astimezone():%Y-%m-%d %H:%M %Z}"
    if compared is not None:
        at, ahead = compared
        off = timedelta(seconds=statistics.median(ahead))
        hosts = words.plural(len(ahead), "host")
        age = words.age(at, now)
        when = "just now" if age == "now" else f"{age} ago"
        if abs(off) > CLOCK_SLACK:
            direction = "behind" if off > timedelta(0) else "ahead of"
            what = f"{says}, {_span(abs(off))} {direction} {hosts} that answered {when}"
            yield Check("clock", "bad" if len(ahead) >= ENOUGH_CLOCKS else "warning", what, fix)
            return
        says += f", as {hosts} said {when}"
    if newest is not None and newest > now + CLOCK_SLACK:
        later = f"{newest.astimezone():%Y-%m-%d %H:%M %Z}"
        yield Check("clock", "bad", f"{says}, but an item came in at {later}", fix)
        return
    yield Check("clock", "ok", says)


def _span(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    if hours < 2:
        return words.plural(round(hours * 60), "minute")
    return words.plural(round(hours), "hour") if hours < 48 else words.plural(round(hours / 24), "day")


def processors() -> Iterator[Check]:
    """What encodes, told without importing torch, which takes seconds."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    says = words.plural(count or 1, "processor core")
    driver, devices = Path("/proc/driver/nvidia/gpus"), Path("/dev")  # a container may have one of both
    gpus = max(len(list(driver.glob("*"))), len(list(devices.glob("nvidia[0-9]*"))))
    torch = _version("torch")
    if gpus and torch and "+cpu" in torch:
        says += f", {words.plural(gpus, 'NVIDIA GPU')} that torch {torch} does not use"
    else:
        says += f", {words.plural(gpus, 'NVIDIA GPU')}" if gpus else ", no NVIDIA GPU seen"
    yield Check("machine", "ok", says)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
