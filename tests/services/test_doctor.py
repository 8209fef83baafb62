"""What the doctor finds in a machine that is not what a database wants."""

from __future__ import annotations

import pytest
from world import NOW

from triage.config import Config
from triage.paths import Paths
from triage.services import doctor
from triage.services.doctor import Check
from triage.store.engine import SAFE_SQLITE


def found(paths: Paths, name: str) -> Check:
    (check,) = (each for each in doctor.examine(paths, Config(), NOW, "waiting") if each.name == name)
    return check


def test_an_sqlite_that_can_lose_pages_is_named(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """DB-14."""
    monkeypatch.setattr(doctor, "sqlite_version", lambda: (3, 51, 2))
    old = found(paths, "sqlite")
    assert old.verdict == "warning"
    assert old.fix is not None
    assert old.fix.endswith("pip install pysqlite3")
    monkeypatch.setattr(doctor, "sqlite_version", lambda: SAFE_SQLITE)
    assert found(paths, "sqlite").verdict == "ok"


@pytest.mark.parametrize(
    ("mounts", "verdict"),
    [
        ("{root} ext4", "ok"),
        ("{root} ext4\n{home} nfs4", "warning"),
        ("{root} nfs\n{home} ext4", "ok"),
        ("{root} ext4\n{home} cifs", "warning"),
        ("{root} ext4\n{home}-other nfs4", "ok"),
        ("{root} ext4\n{home} fuse.sshfs", "warning"),
        ("", "ok"),
        ("what is this", "ok"),
    ],
)
def test_a_home_on_a_network_is_named(
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    mounts: str,
    verdict: str,
) -> None:
    """DB-12. Two machines that write to one database damage it."""
    table = tmp_path_factory.mktemp("proc") / "mounts"
    lines = mounts.format(root="/", home=str(paths.data.resolve()).replace(" ", "\\040")).splitlines()
    table.write_text("".join(f"server:/x {line} rw,relatime 0 0\n" for line in lines))
    monkeypatch.setattr(doctor, "MOUNTS", table)
    check = found(paths, "file system")
    assert check.verdict == verdict
    assert (check.fix is None) == (verdict == "ok")
