"""The wheel: what an installation without a checkout has."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel, built from the checkout by the build backend of this environment, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("triage-*.whl")
    return zipfile.Path(built)


def names(wheel: zipfile.Path) -> set[str]:
    """Of all files in it."""
    return set(wheel.root.namelist())


def test_everything_of_the_packages_is_inside(wheel: zipfile.Path) -> None:
    found = names(wheel)
    kept = {".py", ".tcss", ".typed", ".json", ".eml", ".rss", ".atom", ".rdf", ".xml"}
    for package in ("triage", "ingestors", "model"):
        files = {path for path in (ROOT / package).rglob("*") if path.suffix in kept}
        assert {str(path.relative_to(ROOT)) for path in files} <= found
        assert f"{package}/py.typed" in found
    assert "triage/tui/app.tcss" in found
    assert any(name.startswith("triage/demo/mail/") for name in found)


def test_migrations_lie_inside_the_package(wheel: zipfile.Path) -> None:
    scripts = {
        f"triage/_migrations/{path.relative_to(ROOT / 'migrations')}"
        for path in (ROOT / "migrations").rglob("*")
        if path.suffix in (".py", ".mako")
    }
    assert scripts
    assert scripts <= names(wheel)


def test_nothing_else_is_installed(wheel: zipfile.Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    own = {top for top in tops if not top.endswith((".dist-info", ".data"))}
    assert own == {"triage", "ingestors", "model"}


def test_the_manual_pages_go_where_man_looks(wheel: zipfile.Path) -> None:
    pages = {path.name for path in (ROOT / "docs" / "man").glob("*.1")}
    inside = {name.rpartition("/")[2] for name in names(wheel) if ".data/data/share/man/man1/" in name}
    assert "triage.1" in pages
    assert inside >= pages


def test_licence_command_and_ingestors_are_declared(wheel: zipfile.Path) -> None:
    (info,) = [path for path in wheel.iterdir() if path.name.endswith(".dist-info")]
    points = (info / "entry_points.txt").read_text()
    assert "triage = triage.cli.main:main" in points
    assert "feeds = ingestors.feeds:FeedIngestor" in points
    assert "License-Expression: Apache-2.0" in (info / "METADATA").read_text()
    assert (info / "licenses" / "LICENSE").exists()
