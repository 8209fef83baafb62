"""`triage digest`: today's digest in every form that it can be printed or sent in."""

from __future__ import annotations

import math

import click

from triage.cli import output
from triage.cli.diagnostics import note
from triage.cli.opening import current, read_rest, show
from triage.core.errors import UsageError
from triage.runtime import Runtime


@click.command()
@click.option(
    "--minutes",
    type=click.FloatRange(1, 1440),
    help="Build a digest of this many minutes; it stays until the next one.",
)
@click.option("--markdown", is_flag=True, help="As Markdown.")
@click.option("--html", is_flag=True, help="As a page of HTML that loads nothing from anywhere.")
@click.option("--send", is_flag=True, help="By mail, as [digest.mail] in the settings says.")
@output.json_options
def digest(
    minutes: float | None, markdown: bool, html: bool, send: bool, as_json: bool, as_jsonl: bool
) -> None:
    """Shows today's digest as plain text, Markdown, HTML or JSON, or sends it."""
    if minutes is not None and math.isnan(minutes):  # which no range excludes
        raise UsageError("the minutes of a digest must be a number")
    if sum((markdown, html, send, as_json, as_jsonl)) > 1:
        raise UsageError("a digest has one form at a time", fix="triage digest --help")
    with Runtime.open() as runtime:
        found = current(runtime, minutes)
        if not (as_json or as_jsonl):  # these are for programs
            runtime.looked_at(found)
        if send:
            to = runtime.send(found)
            note(f"Sent to {to}.")
        elif markdown or html:
            from triage.services.digest import digest_pages

            page = digest_pages.html if html else digest_pages.markdown
            output.text(page(found, runtime.clock()))
        elif as_jsonl:
            output.stream(item.to_json() for item in found.items)
        elif as_json:
            output.document(found.to_json())
        else:
            show(runtime, found)
            if found.unread:
                read_rest(runtime)
