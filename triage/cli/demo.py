"""`triage demo`."""

from __future__ import annotations

import click

from triage import config
from triage.cli import diagnostics
from triage.cli.opening import at_terminal, full_screen, show
from triage.paths import Paths
from triage.runtime import Runtime
from triage.services.digest import digest_file

BEGIN = "That was an invented day. To begin with your own interests and sources: triage start"


@click.command()
@click.option("--reset", is_flag=True, help="Start over: forget what you marked in the demo.")
@click.option("--plain", is_flag=True, help="Plain lines instead of the full-screen interface.")
def demo(reset: bool, plain: bool) -> int:
    """Shows the digest of a bundled, invented day; your own sources and marks are not touched.

    Marks that you make are kept and learned from, in the demo only.
    """
    home = Paths.under(Paths.of().demo_home)
    if reset or not home.demo_marker.exists() or digest_file.read(home.digest) is None:
        _build(home)
    environ = {"TRIAGE_HOME": str(Paths.of().demo_home)}
    with Runtime.open(environ) as runtime:
        digest = runtime.first_page()
        assert digest is not None
        if at_terminal():
            code = runtime.run_tui() if full_screen() and not plain else runtime.run_lines()
            diagnostics.note(BEGIN)
            return code
        show(runtime, digest)
        diagnostics.note(BEGIN)
        diagnostics.note(f"To try commands on the demo: export TRIAGE_HOME={environ['TRIAGE_HOME']}")
        return 0


def _build(home: Paths) -> None:
    from triage.services.upkeep import demo as service

    service.prepare(home)
    reader = service.sample_reader()
    clock = config.clock({"TRIAGE_NOW": reader.now.isoformat()})
    with diagnostics.Progress() as progress, Runtime(home, clock=clock, demo=True) as runtime:
        service.ingest_day(home, runtime.database, runtime.config, runtime.clock, progress)
        runtime.worker.build(reader.now, progress, minutes=reader.minutes)
    home.demo_marker.write_text(reader.now.isoformat(), encoding="utf-8")
