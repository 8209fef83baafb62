"""docs/licences.md, from the metadata of what is installed: `python docs/generators/licences.py`.

What runs and what only an extra brings is followed from pyproject.toml on.
"""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
HEAD = """\
# Licences

Made by `python docs/generators/licences.py` from the metadata of what is installed. A test fails on a licence of the
GPL family other than the LGPL. `triage` itself is Apache-2.0; nothing of what stands here is part of it: pip fetches
each from where it is published.
"""
EXTRAS = {
    "offline-model": "The encoder's weights",
    "notify": "The extra notify",
    "serve": "The extra serve",
    "dev": "For development only",
}
"""Extra -> its heading."""
STATED = {
    "apprise": "BSD-2-Clause, not installed here; what it needs in turn is not listed",
    "imapclient": "BSD-3-Clause",
    "pysqlite3": "Zlib",
}
"""Of those whose metadata names none, as their sources say, and of what the pinned set leaves out."""
_CLASSIFIER = "License :: OSI Approved :: "


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    seen: set[str] = set()
    for extra, heading in {"": "What the program runs with", **EXTRAS}.items():
        found = sorted(closure(extra) - seen)
        seen.update(found)
        lines += [f"## {heading}", "", "| package | licence |", "|---|---|"]
        lines += [f"| {name} | {licence(name)} |" for name in found]
        lines.append("")
    return "\n".join(lines)


def _requirements(name: str) -> list[str]:
    """Those of `triage` come from pyproject.toml: what an older checkout has installed says nothing of this one."""
    if name != "triage":
        try:
            return metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            return []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].items()
    return [
        *project["dependencies"],
        *(f"{line}; extra == '{extra}'" for extra, lines in extras for line in lines),
    ]


def closure(extra: str) -> set[str]:
    """All that is installed because of the program, or of one of its extras, by canonical name."""
    found: set[str] = set()
    waiting = [("triage", frozenset({extra} if extra else ()))]
    visited = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        for line in _requirements(name):
            requirement = Requirement(line)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": each}) for each in extras or {""}):
                continue
            needed = canonicalize_name(requirement.name)
            found.add(needed)
            step = (needed, frozenset(requirement.extras))
            if step not in visited:
                visited.add(step)
                waiting.append(step)
    return found


def licence(name: str) -> str:
    """What a package says of itself: an expression, a classifier, or the first line of its licence."""
    if name in STATED:
        return STATED[name]
    about = metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [each for each in about.get_all("Classifier", []) if each.startswith(_CLASSIFIER)]
    if classifiers:
        return ", ".join(each.removeprefix(_CLASSIFIER) for each in classifiers)
    stated = (about.get("License") or "").strip().split("\n")[0]
    return re.sub(r"\s+", " ", stated) or "not stated"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
