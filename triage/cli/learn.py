"""`triage learn`: other settings of the ranker, tried on the reader's marks, kept if they are better."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import click

from triage.cli import output
from triage.cli.diagnostics import Progress, note
from triage.core.learning import Measures, Outcome, Version
from triage.runtime import Runtime


@click.command()
@click.option("--dry-run", is_flag=True, help="Try, and change nothing.")
@click.option("--rollback", is_flag=True, help="Go back to the model before the current one.")
@click.option("--history", is_flag=True, help="List the models that were learned.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def learn(dry_run: bool, rollback: bool, history: bool, as_json: bool) -> None:
    """Tries other settings of the ranker on your own marks, and keeps them if they are better.

    Your marks are replayed, each predicted from those before it. The best of a dozen candidates
    is kept only if it foresees the newest third, which it was not chosen by, no worse than the current model.
    Undo and later marks work as before; --rollback takes the step back.
    """
    if dry_run + rollback + history > 1:
        raise click.UsageError("--dry-run, --rollback and --history exclude each other")
    with Runtime.open() as runtime, Progress() as progress:
        if history:
            from triage.services.ranker.models import Models
            from triage.services.ranker.ranking import RANKER

            _show_history(Models(runtime.paths.models, RANKER).history(), as_json)
        elif rollback:
            message = runtime.worker.roll_back(runtime.clock(), progress)
            _show([output.clean(message)], {"message": message}, as_json)
        else:
            outcome = runtime.worker.learn(runtime.clock(), progress, dry_run=dry_run)
            _show(_outcome_lines(outcome), dataclasses.asdict(outcome), as_json)


def _show(lines: list[str], data: dict[str, object], as_json: bool) -> None:
    if as_json:
        output.document(data)
        return
    for text in lines:
        output.line(text)


def _outcome_lines(outcome: Outcome) -> list[str]:
    lines = list(_trial_lines(outcome))
    if outcome.held_back_before is not None and outcome.held_back_after is not None:
        lines.append(f"held back   {_change(outcome.held_back_before, outcome.held_back_after)}")
    lines.append(outcome.message)
    if outcome.version is not None:
        lines.append(f"now ranking: version {outcome.version} (back: triage learn --rollback)")
    elif outcome.promotable:
        lines.append("nothing was changed (--dry-run)")
    return lines


def _trial_lines(outcome: Outcome) -> Iterator[str]:
    if outcome.fitting is None:
        return
    yield f"{outcome.labels} marks, the newest {outcome.held_back} of them held back"
    yield f"{'':<28} log-loss  average precision"
    yield _row("as it is", outcome.fitting)
    for trial in outcome.trials:
        yield _row(str(trial), trial.fitting) + ("  best" if trial == outcome.best else "")


def _row(name: str, measures: Measures) -> str:
    return f"{name:<28} {measures.log_loss:8.4f}  {measures.average_precision:17.4f}"


def _change(before: Measures, after: Measures) -> str:
    return (
        f"log-loss {before.log_loss:.4f} → {after.log_loss:.4f}, "
        f"average precision {before.average_precision:.4f} → {after.average_precision:.4f}"
    )


def _show_history(versions: list[Version], as_json: bool) -> None:
    if as_json:
        output.document([_as_json(version) for version in versions])
        return
    if not versions:
        note("Nothing was learned yet: the built-in settings rank (triage learn).")
        return
    for version in versions:
        for text in _version_lines(version):
            output.line(text)
    built_in = " " if any(version.current for version in versions) else "*"
    output.line(f"{built_in} the built-in settings")


def _version_lines(version: Version) -> Iterator[str]:
    sign = "*" if version.current else " "
    if version.created is None:
        yield f"{sign} {version.id}  cannot be used: {output.clean(version.problem or '')}"
        return
    settings = ", ".join(f"{name} {value:g}" for name, value in (version.settings or {}).items())
    yield f"{sign} {version.id}  {version.created:%Y-%m-%d %H:%M} UTC  {settings or 'as built in'}"
    if version.before is not None and version.after is not None:
        held_back = f"on {version.held_back} of {version.labels} marks"
        yield f"    {held_back}: {_change(version.before, version.after)}"


def _as_json(version: Version) -> dict[str, object]:
    created = version.created.isoformat() if version.created else None
    return dataclasses.asdict(version) | {"created": created}
