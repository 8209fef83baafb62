"""The demo's digest beside the best set of its items that knows no rule: what lanes and chance cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triage.core.knapsack import Piece, pack


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_digest_of_the_demo_is_worth_nineteen_twentieths_of_the_best_set_without_rules(
    tmp_path: Path,
) -> None:
    def triage(*arguments: str, home: Path) -> str:
        command = [sys.executable, "-m", "triage", *arguments]
        environment = os.environ | {"TRIAGE_HOME": str(home)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout

    def data(*arguments: str) -> Any:
        return json.loads(triage(*arguments, "--json", home=tmp_path / "cache" / "demo"))

    triage("demo", "--plain", home=tmp_path)
    digest, listed = data("digest"), data("list", "--limit", "1000")
    minutes, value = (sum(item[name] for item in digest["items"]) for name in ("minutes", "value"))
    assert minutes <= digest["budget_minutes"]
    pieces = [Piece(item["id"], item["minutes"], item["value"]) for item in listed if item["story"] is None]
    best = pack(pieces, digest["budget_minutes"], share=0.0)
    assert len(pieces) > 100
    assert value >= 0.95 * best.bound
    assert value == pytest.approx(digest["value"], abs=0.001)
    assert digest["value"] >= 0.99 * digest["bound"]
