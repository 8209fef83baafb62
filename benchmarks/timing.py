"""What a program took, by what the system says of its ended process, and how such figures are said.

Owns the unit of all benchmarks, `Figures`, and their medians, spreads and ratios. Knows none of the programs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

HERE = Path(__file__).parent

WALL, CPU, MEMORY = "wall s", "CPU s", "peak MB"
Figures = Mapping[str, float]
"""Name of a figure, with its unit -> what was measured once. `WALL`, `CPU` (all children included) and
`MEMORY` (of the largest process) mean the same everywhere."""
Measured = dict[str, dict[str, list[Figures]]]
"""Table -> program -> its figures, one for each round."""

OURS = "triage"


class Failed(Exception):
    """A program did not do what it was measured at."""


def run(argv: Sequence[str], **environment: str) -> Figures:
    """Runs a program to its end; what it prints is thrown away. Raises Failed if it fails."""
    started = monotonic()
    process = subprocess.Popen(argv, env=surroundings(**environment), stdout=subprocess.DEVNULL)
    return wait(process, started)


def wait(process: subprocess.Popen[bytes], started: float) -> Figures:
    """What a process took that was started at that moment of the monotonic clock; raises Failed."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{process.args!s:.200} ended with {process.returncode}")
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return {WALL: monotonic() - started, CPU: used.ru_utime + used.ru_stime, MEMORY: kilobytes / 1024}


def ask(argv: Sequence[str], **environment: str) -> dict[str, Figures]:
    """Runs a program that measures itself and prints JSON: program -> figures. Raises Failed if it fails."""
    done = subprocess.run(
        argv, env=surroundings(**environment), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise Failed(f"{argv!s:.200} ended with {done.returncode}")
    found: dict[str, Figures] = json.loads(done.stdout.splitlines()[-1])
    return found


def surroundings(**added: str) -> dict[str, str]:
    """The environment of this process, what is added, and byte code: whoever installs a program has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | added


def python(script: str, *arguments: str) -> list[str]:
    """The command line of a script beside this file."""
    return [sys.executable, str(HERE / script), *arguments]


def values(rounds: Sequence[Figures], figure: str) -> list[float]:
    """One figure of all rounds that have it."""
    return [each[figure] for each in rounds if figure in each]


def ratios(ours: Sequence[Figures], theirs: Sequence[Figures], figure: str) -> list[float]:
    """Ours to theirs, round by round: what else a machine does changes from minute to minute."""
    return [a[figure] / b[figure] for a, b in zip(ours, theirs, strict=True) if figure in a and figure in b]


def spread(numbers: Sequence[float]) -> str:
    """Median, and the least and the most in brackets: `2.67 (2.65-2.72)`."""
    if not numbers:
        return ""
    middle, least, most = (_short(n) for n in (statistics.median(numbers), min(numbers), max(numbers)))
    return middle if least == most else f"{middle} ({least}-{most})"


def add(measured: Measured, found: Mapping[str, Mapping[str, Figures]]) -> None:
    """Adds a round of tables to those before it."""
    for title, programs in found.items():
        for program, figures in programs.items():
            measured.setdefault(title, {}).setdefault(program, []).append(figures)


def compared(programs: Mapping[str, Sequence[Figures]], *, wall: bool = True) -> str:
    """A Markdown table: a row a program, and how many times as much we take.

    Args:
        programs: The rounds of each.
        wall: Whether the clock is believed; otherwise its figures are left out.
    """
    found = dict.fromkeys(figure for rounds in programs.values() for each in rounds for figure in each)
    figures = [figure for figure in found if wall or "wall" not in figure]
    by = [figure for figure in (WALL, CPU) if figure in figures]
    rows = [["", *figures, f"ours to it, {' and '.join(by)}"]]
    for program, rounds in programs.items():
        same = program == OURS or OURS not in programs
        times = ["" if same else spread(ratios(programs[OURS], rounds, figure)) for figure in by]
        rows.append([program, *(spread(values(rounds, f)) for f in figures), "; ".join(filter(None, times))])
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _short(number: float) -> str:
    """Three digits that count, no exponent; five of what is nearly one."""
    if 0.99 <= number < 1:
        return f"{number:.5f}"
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}" if number >= 0.1 else f"{number:.3f}"


def say(line: str) -> None:
    """Prints a line at once: a run takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
