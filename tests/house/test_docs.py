"""The documents say what is there: commands, options, keys, settings, files and names are looked up."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from triage.cli import diagnostics
from triage.cli.main import COMMANDS, cli
from triage.config import Config
from triage.core.errors import TriageError
from triage.tui.actions import ACTIONS
from triage.tui.screens.digest import KEYS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_PROGRAM = re.compile(r"(?:\$ )?(?:\.venv/bin/)?(triage(?: .+)?)")
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
            yield shlex.split(found[1], comments=True)[1:]


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


def rows(heading: str) -> list[list[str]]:
    """The cells of the README's first table below a heading."""
    after = README.read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()[2:]]


def test_the_table_of_commands_is_that_of_the_program() -> None:
    assert rows("### Commands") == [[f"`triage {name}`", text] for name, (_, text) in COMMANDS.items()]


def test_the_table_of_keys_is_that_of_the_program() -> None:
    table = rows("### Keys")
    known = {(a.shown_keys, a.label, a.help): a.id for a in ACTIONS}
    found = {known.get((keys.replace("`", ""), label, text.rstrip(" |"))) for keys, label, text in table}
    assert None not in found, "a row differs from triage/tui/actions.py"
    assert set(KEYS) - {"help"} <= found, "the key bar has more"


def test_all_settings_are_documented_with_their_defaults() -> None:
    (body,) = fences(README, "toml")
    defaults = settings(msgspec.to_builtins(Config()))
    assert settings(tomllib.loads(body)) == {
        name: value for name, value in defaults.items() if value is not None
    }
    without = {name.rpartition(".")[2] for name, value in defaults.items() if value is None}
    assert set(re.findall(r"^# (\w+) = ", body, re.MULTILINE)) == without


def settings(tables: dict[str, Any], prefix: str = "") -> dict[str, object]:
    """`table.key` -> value."""
    found: dict[str, object] = {}
    for key, value in tables.items():
        named = f"{prefix}{key}"
        found |= settings(value, f"{named}.") if isinstance(value, dict) else {named: value}
    return found


def test_the_exit_codes_are_those_of_the_program() -> None:
    after = README.read_text(encoding="utf-8").split("| exit code |", 1)[1]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", after, re.MULTILINE)}
    kinds: list[type[TriageError]] = [TriageError, *TriageError.__subclasses__()]
    raised = {kind.exit_code for kind in kinds}
    assert codes == {0, diagnostics.INTERRUPTED, *raised}


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_name_on_a_page_exists(page: Path) -> None:
    made_by_the_build = {"triage/_migrations"}
    for mentioned in set(paths(page)) - made_by_the_build:
        file, _, name = mentioned.partition("::")
        assert (ROOT / file).exists(), f"{file} does not exist"
        assert not name or name in defined_in(ROOT / file), f"{mentioned} does not exist"


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
