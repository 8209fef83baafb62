"""A gate that never closes proves nothing: one seeded violation for each must be reported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

BAD = '''"""A module with one violation for each family of rules."""

import json, os
import asyncio
import datetime
import logging
import pathlib
import subprocess
from typing import Any, Dict, List


class lowercase:
    def undocumented(self, x: Any) -> Any:
        print(x)
        try:
            subprocess.run(x, shell=True)
        except Exception:
            pass
        return eval(x)


async def wait(texts: List[str]) -> Dict[str, str]:
    """Returns nothing of use."""
    import time

    time.sleep(1)
    logging.info(f"at {datetime.datetime.now()}")
    out = []
    for text in texts:
        out.append(text)
    if os.path.exists("x") == True:
        return dict([(t, t) for t in out])
    return {}


def shared(found=[]):
    """Hands out one list."""
    if found:
        if len(found):
            return found
    return found


LONG = "%s"
JOINED = [*LONG] + [1]
''' % ("x" * 120)

FAMILIES = {
    *("E501", "E712", "F401", "I001", "UP006", "B006", "C404", "SIM102", "RUF005", "PERF402", "PTH110"),
    *("G004", "T201", "DTZ005", "ASYNC251", "N801", "D101", "ANN401", "BLE001", "S602", "S307"),
}


def reported(source: str, name: str) -> set[str]:
    """Codes that ruff reports for `source`, as if it were the file `name` of the checkout."""
    done = subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--output-format=json", "--stdin-filename", name, "-"],
        input=source,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {finding["code"] for finding in json.loads(done.stdout)}


def test_every_family_of_rules_fires() -> None:
    assert reported(BAD, "triage/core/seeded.py") >= FAMILIES


def test_what_tests_may_do_is_listed() -> None:
    found = reported(BAD, "tests/house/seeded.py")
    assert not {"D101", "S602", "ANN401"} & found
    assert {"BLE001", "T201", "DTZ005"} <= found


SKELETON = (
    *("ingestors/__init__.py", "model/__init__.py", "triage/__init__.py"),
    *("triage/runtime.py", "triage/reader_backend.py", "triage/guided_start.py"),
    *(f"triage/{name}/__init__.py" for name in ("cli", "core", "daemon", "services", "store", "tui")),
    *(
        f"triage/services/{name}/__init__.py"
        for name in ("fetching", "reader", "digest", "ranker", "moving", "upkeep")
    ),
    "triage/cli/main.py",
)
BROKEN = {
    "ingestors and model know neither each other": ("ingestors/__init__.py", "import model"),
    "ingestors and model are libraries: no triage, no interface, no database": (
        "model/__init__.py",
        "import sqlalchemy",
    ),
    "triage.core is pure: the standard library and nothing else": (
        "triage/core/__init__.py",
        "import msgspec",
    ),
    "layers: cli, runtime, tui or daemon, services, store, core": (
        "triage/store/__init__.py",
        "import triage.services",
    ),
    "services: upkeep or moving, ranker, digest, reader, fetching": (
        "triage/services/reader/__init__.py",
        "import triage.services.ranker",
    ),
    "the terminal interface knows its Backend protocol only": (
        "triage/tui/__init__.py",
        "def late():\n    import triage.store",
    ),
}


def lint_imports(folder: Path) -> str:
    """The report of import-linter on packages in `folder`, under our contracts."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = [str(BIN / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.stdout


def skeleton(folder: Path) -> None:
    """Packages of our names with nothing in them."""
    for name in SKELETON:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_every_import_contract_breaks_when_it_is_broken(tmp_path: Path) -> None:
    skeleton(tmp_path)
    clean = lint_imports(tmp_path)
    assert "0 broken" in clean
    assert all(f"{name} KEPT" in clean for name in BROKEN), "a contract has another name, or is gone"
    for path, line in BROKEN.values():
        (tmp_path / path).write_text(line + "\n")
    report = lint_imports(tmp_path)
    assert all(f"{name} BROKEN" in report for name in BROKEN), report
