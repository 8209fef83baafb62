"""docs/screenshot.svg: the program on its demo day, drawn by itself; `python docs/generators/screenshot.py`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

from click.testing import CliRunner

PICTURE = Path(__file__).parents[1] / "screenshot.svg"
SIZE = (112, 30)


async def draw(home: Path) -> str:
    """The digest of the demo in `home`, with an item beside it, as an SVG that loads nothing."""
    from triage.reader_backend import ReaderBackend
    from triage.runtime import Runtime
    from triage.tui.app import TriageApp

    with Runtime.open({"TRIAGE_HOME": str(home)}) as runtime:
        digest = runtime.first_page()
        assert digest is not None
        first_paper = next(place for place, item in enumerate(digest.items) if item.kind == "paper")
        app = TriageApp(ReaderBackend(runtime), demo=True, now=runtime.clock)
        async with app.run_test(size=SIZE) as pilot:
            await asyncio.sleep(2)
            await pilot.press(*["j"] * first_paper)
            await asyncio.sleep(3)
            picture = app.export_screenshot(title="triage demo", simplify=True)
    bare = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", picture, flags=re.DOTALL)
    return bare.replace("Fira Code", "DejaVu Sans Mono")


if __name__ == "__main__":
    from triage.cli.commands import cli

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TRIAGE_HOME": folder, "TZ": "UTC"}
        CliRunner().invoke(cli, ["demo", "--plain"], catch_exceptions=False)
        PICTURE.write_text(asyncio.run(draw(Path(folder) / "cache" / "demo")), encoding="utf-8")
