"""Whether the machine runs on battery.

Owns the ways of asking the systems that say so; where none does, it counts as mains.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")
ASK_S = 5


def on_battery(supplies: Path = SUPPLIES, platform: str = sys.platform) -> bool:
    """Whether a battery is being emptied and no mains is there."""
    if platform == "darwin":
        return _macos()
    # Mice have batteries, too; those say that they belong to a device.
    folders = [folder for folder in _folders(supplies) if _text(folder / "scope") != "Device"]
    if any(_text(f / "type") in ("Mains", "USB") and _text(f / "online") == "1" for f in folders):
        return False
    return any(_text(f / "type") == "Battery" and _text(f / "status") == "Discharging" for f in folders)


def _macos() -> bool:
    try:
        done = subprocess.run(
            ["/usr/bin/pmset", "-g", "batt"], capture_output=True, text=True, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "'Battery Power'" in done.stdout


def _folders(supplies: Path) -> list[Path]:
    try:
        return sorted(supplies.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
