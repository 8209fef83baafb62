"""What a check of health comes to: what was found, and the command that mends it."""

from __future__ import annotations

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
