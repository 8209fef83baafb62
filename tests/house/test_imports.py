"""What each way into the program may import, proven in fresh processes.

The import contracts see which module may name which; only a run shows whether an import is deferred.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from triage.core.items import Digest
from triage.paths import Paths
from triage.services.digest import digest_file

ROOT = Path(__file__).parents[2]
PARSERS = {
    *("feedparser", "lxml", "mailparser", "bibtexparser", "pylatexenc", "rispy"),
    *("trafilatura", "justext", "htmldate", "courlan", "pypdf"),
}
NUMBERS = {"torch", "sentence_transformers", "transformers", "numpy", "scipy"}
HEAVY = {*PARSERS, *NUMBERS, "sqlalchemy", "alembic", "httpx2", "apscheduler"}

PROGRAM = """
import sys
try:
    {code}
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules, file=sys.stderr)
"""
COMMAND = "sys.argv[1:] = {arguments!r}; from triage.cli.main import main; main()"


def modules_after(code: str) -> set[str]:
    """Names of all modules, and of the packages around them, that a fresh process has after `code`."""
    program = PROGRAM.format(code=code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = done.stderr.split()
    return {
        ".".join(parts[: n + 1]) for parts in (name.split(".") for name in names) for n in range(len(parts))
    }


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        # Reads no file of the reader's: neither settings, nor database, nor interface.
        (
            COMMAND.format(arguments=["--version"]),
            {*HEAVY, "textual", "msgspec", "ingestors", "model", "triage.runtime", "triage.store"},
        ),
        # What `--help` and a mistyped name cost.
        (
            "import triage.cli.main",
            {*HEAVY, "textual", "msgspec", "ingestors", "model", "triage.runtime", "triage.store"},
        ),
        # `triage` alone: no parser of the command line.
        ("import triage.cli.opening", {*HEAVY, "click", "textual", "ingestors", "model", "triage.store"}),
        # The first frame: textual is most of its cost, and the real backend is handed in.
        (
            "import triage.tui.app",
            {*HEAVY, "msgspec", "ingestors", "model", "triage.runtime", "triage.services", "triage.store"},
        ),
        # What the terminal interface and the daemon hold of the ranker: frames over a pipe.
        ("import triage.services.ranker.worker_client", {*HEAVY, "textual", "ingestors", "triage.store"}),
        # What the terminal interface asks of the services: numbers are for the model worker.
        (
            "from triage.services.reader import feedback, insight, journal, ledger, rules, searching",
            {*PARSERS, *NUMBERS, "httpx2", "apscheduler", "textual"},
        ),
        # Runs for weeks: numbers belong to the worker, parsers to the children, migrations to the start.
        ("import triage.daemon.app", {*PARSERS, *NUMBERS, "httpx2", "alembic", "sqlalchemy.orm", "textual"}),
        # `triage add` claims targets without the HTTP library, which the first request loads.
        (
            "from ingestors import registry; registry.claim('https://example.org/')",
            {*HEAVY, "textual", "triage"},
        ),
        # The parents of the two children that parse and encode.
        ("import ingestors.sandbox, model.encoder", {*HEAVY, "textual", "triage"}),
    ],
)
def test_a_way_in_does_not_pay_for_others(code: str, forbidden: set[str]) -> None:
    assert not modules_after(code) & forbidden


def test_a_built_digest_is_shown_from_one_file() -> None:
    paths = Paths.of()
    paths.create()
    digest_file.write(
        paths.digest,
        Digest(built_at=datetime(2026, 3, 2, tzinfo=UTC), budget_minutes=15.0, items=(), considered=1),
    )
    found = modules_after(COMMAND.format(arguments=["digest"]))
    assert not found & {*HEAVY, "textual", "ingestors", "model", "triage.store"}


def imported_by(path: Path) -> set[str]:
    """Every name that a file imports, at its top or inside of a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def sources() -> list[Path]:
    return [path for name in ("triage", "ingestors", "model") for path in sorted((ROOT / name).rglob("*.py"))]


def test_only_the_parser_modules_import_parsers() -> None:
    inside = ROOT / "ingestors" / "parsers"
    found = {path for path in sources() if {name.split(".")[0] for name in imported_by(path)} & PARSERS}
    assert found
    assert all(path.is_relative_to(inside) for path in found)


def test_parser_modules_are_imported_by_each_other_only() -> None:
    inside = ROOT / "ingestors" / "parsers"
    for path in sources():
        if not path.is_relative_to(inside):
            assert not {name for name in imported_by(path) if name.startswith("ingestors.parsers")}, path


def test_only_the_encoding_child_imports_torch() -> None:
    torch = {"torch", "sentence_transformers", "transformers"}
    found = [path for path in sources() if {name.split(".")[0] for name in imported_by(path)} & torch]
    loaded = ("bert.py", "bert_encoder.py", "encode_child.py", "general_encoder.py", "pooling.py")
    assert sorted(found) == [ROOT / "model" / name for name in loaded]
