"""docs/hazards.md, from the cases of hazards.toml and from the tests that name them.

Run by `make hazards`; test_hazards.py holds the page to the tests.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "hazards.md"
CASES = Path(__file__).with_suffix(".toml")
SHOWN = 2
"""Tests that a line names at most: the first by path."""

INTRODUCTION = """\
# Hazards

What can go wrong, and the test that holds the program to its answer. This page is written by `make hazards`
from `tests/house/hazards.toml` and from the tests that name a case; `tests/house/test_hazards.py` fails when
it is out of date, when a case has neither a test nor a reason, or when a test names a case that is not here.
Of the tests of a case at most two are named; `grep -rn NET-01 tests` finds the others.
"""


FUZZING = """
## Fuzzing

Every parser's entry point under a fuzzer that is guided by coverage, from the seeds of
`tests/ingestors/mutations.py`. Run on {when} by `{command}`,
after `pip install atheris`, and for 90 to 600 s each for the slower ones, feeds and mail the longest: no
exception but those that a parser child turns into a refusal, no input that took longer than 10 s, no death,
and no control character in what would be stored. What was found before is mended:
`tests/ingestors/test_pages.py::test_a_page_in_an_unknown_encoding_costs_no_other_page`.

| parser | inputs |
|---|---:|
"""


def catalogue() -> dict[str, dict[str, Any]]:
    """The tables of hazards.toml: `groups` by prefix, `cases` and `uncovered` by id, and `fuzzing`: how
    it was run and how many `inputs` each parser got."""
    return tomllib.loads(CASES.read_text(encoding="utf-8"))


def carriers() -> dict[str, list[str]]:
    """Case -> the tests that name it, `tests/x/test_y.py::test_z`."""
    ids = re.compile(rf"\b(?:{'|'.join(catalogue()['groups'])})-\d\d\b")
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, said in _tests(ast.parse(path.read_text(encoding="utf-8"))):
            for case in sorted(set(ids.findall(said))):
                found[case].append(f"{path.relative_to(ROOT)}::{name}")
    return dict(found)


def _tests(body: ast.Module | ast.ClassDef, inside: str = "") -> Iterator[tuple[str, str]]:
    """Each test with its docstring and the strings of its decorators; comments do not count."""
    for node in body.body:
        if isinstance(node, ast.ClassDef):
            yield from _tests(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            strings = [
                part.value
                for decorator in node.decorator_list
                for part in ast.walk(decorator)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            yield inside + node.name, "\n".join([ast.get_docstring(node) or "", *strings])


def page() -> str:
    """The text of docs/hazards.md."""
    known, found = catalogue(), carriers()
    parts = [INTRODUCTION]
    for prefix, title in known["groups"].items():
        parts.append(f"\n## {title}\n\n| case | what happens | held by |\n|---|---|---|\n")
        for case, says in known["cases"].items():
            if case.startswith(f"{prefix}-"):
                parts.append(
                    f"| {case} | {says} | {_held(found.get(case, []), known['uncovered'].get(case))} |\n"
                )
    fuzzing = known["fuzzing"]
    parts.append(FUZZING.format(**fuzzing))
    parts += [f"| `{parser}` | {count:,} |\n" for parser, count in fuzzing["inputs"].items()]
    parts.append(f"| all | {sum(fuzzing['inputs'].values()):,} |\n")
    return "".join(parts)


def _held(tests: list[str], reason: str | None) -> str:
    if not tests:
        return f"no test: {reason}"
    return ", ".join(f"`{test}`" for test in tests[:SHOWN])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
