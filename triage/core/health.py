"""What a check of health comes to: what was found, and the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    verdict: Verdict
    says: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Daemon:
    """How the daemon is, as its sign of life has it."""

    health: Literal["absent", "gone", "well", "in trouble", "stuck", "silent"]
    says: str
    start: str | None = None
    """The command that starts it again; None if it is not installed as a service."""


NO_WAY = ("there is no host named ", "cannot connect to ")
"""How an error begins that says nothing of the source: no name server, or no way to any host."""
SILENT_TOGETHER = 3
"""Sources that fall silent at the same time, from which on the network is taken to be away."""


def are_cut_off(errors: Sequence[str | None]) -> bool:
    """Whether these last errors, of all sources that fail, are those of a machine without a network."""
    return len(errors) >= SILENT_TOGETHER and all((error or "").startswith(NO_WAY) for error in errors)
