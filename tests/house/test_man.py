"""The manual pages are those of the commands, and a formatter has nothing to say against them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from triage.cli.commands import COMMANDS
from triage.cli.man import pages

FOLDER = Path(__file__).parents[2] / "docs" / "man"


def test_the_pages_are_those_of_the_commands() -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.1")}
    assert stored.keys() == {"triage.1", *(f"triage-{name}.1" for name in COMMANDS)}
    old = [name for name, page in pages().items() if stored[name] != page]
    assert not old, f"make man writes them anew: {', '.join(old)}"


def test_a_formatter_takes_them_without_a_word() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", *sorted(map(str, FOLDER.glob("*.1")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
