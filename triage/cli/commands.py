"""The command line: the names of all commands, and the import of the one that is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from triage import __version__
from triage.cli import diagnostics

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# name -> (module:attribute, one line for the list of commands): importing every module for `--help` or
# for one command would cost more than the command.
COMMANDS = {
    "start": ("triage.cli.start:start", "Set up step by step: interests, sources, first digest"),
    "add": ("triage.cli.add:add", "Add a site, feed, mailbox, paper query or a list of them"),
    "import": ("triage.cli.lists:import_list", "Import subscriptions, or what another triage exported"),
    "sync": ("triage.cli.sources:sync", "Fetch all sources that are due, and rank"),
    "demo": ("triage.cli.demo:demo", "Show the digest of a demo day, apart from your data"),
    "digest": ("triage.cli.digest:digest", "Show today's digest"),
    "list": ("triage.cli.items:list_items", "List stored items, best first"),
    "show": ("triage.cli.items:show", "Show one item with its text and highlights"),
    "open": ("triage.cli.items:open_item", "Open the link of an item, or one in its text"),
    "search": ("triage.cli.search:search", "Find items by words, meaning and filters; save searches"),
    "stories": ("triage.cli.stories:stories", "List stories that several items tell; split a wrong group"),
    "fetch": ("triage.cli.items:fetch", "Fetch the full text behind an item's link"),
    "serve": ("triage.cli.serve:serve", "Open the interface in a browser on this machine"),
    "mark": ("triage.cli.items:mark", "Like, love, dislike or save an item, or keep it for later"),
    "mute": ("triage.cli.items:mute", "Hide a source, person or topic for a while"),
    "undo": ("triage.cli.journal:undo", "Undo your last mark or change, or any earlier one"),
    "redo": ("triage.cli.journal:redo", "Redo what was undone"),
    "journal": ("triage.cli.journal:journal", "List your marks and changes, and what each did"),
    "interests": ("triage.cli.interests:interests", "List or edit what you care about, in your words"),
    "rules": ("triage.cli.rules:rules", "List or edit rules: more of, less of, always, never"),
    "why": ("triage.cli.items:why", "Explain why an item is where it is"),
    "insight": ("triage.cli.insight:insight", "Show how accurate the ranking was, and what you read"),
    "learn": ("triage.cli.learn:learn", "Tune the ranker to your marks, if that makes it better"),
    "evaluate": ("triage.cli.evaluate:evaluate", "Measure the ranker on your past days or labelled files"),
    "sources": ("triage.cli.sources:sources", "List your sources, change them, find those that fail"),
    "daemon": ("triage.cli.daemon:daemon", "Fetch and rank in the background"),
    "notifications": ("triage.cli.notifications:notifications", "List what the daemon notified you of"),
    "status": ("triage.cli.status:status", "Show what is going on, in a few lines"),
    "doctor": ("triage.cli.doctor:doctor", "Check everything, with the fix for what is wrong"),
    "config": ("triage.cli.config:config", "Show, check and change the settings"),
    "db": ("triage.cli.db:db", "Back up, check and restore the database"),
    "export": ("triage.cli.lists:export", "Export everything, or lists for other programs"),
    "paths": ("triage.cli.doctor:paths", "Show where everything is stored"),
}
SECTIONS = {
    "start": "Begin",
    "digest": "Read",
    "mark": "Say what you think",
    "why": "Understand the order",
    "sources": "Look after it",
}
"""The command that begins a section of the list -> its heading."""


class LazyGroup(click.Group):
    """Commands by name, imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but an unknown name comes with what was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from triage.cli.guesses import no_command

            raise no_command("", args[0], COMMANDS, alone=False)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """From the table, without importing anything; options are click's business."""
        from click.shell_completion import CompletionItem

        options = click.Command.shell_complete(self, ctx, incomplete)
        return [
            *(
                CompletionItem(name, help=text)
                for name, (_, text) in COMMANDS.items()
                if name.startswith(incomplete)
            ),
            *options,
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing anything."""
        width, heading = max(map(len, COMMANDS)), ""
        listed: dict[str, list[tuple[str, str]]] = {}
        for name, (_, text) in COMMANDS.items():
            heading = SECTIONS.get(name, heading)
            listed.setdefault(heading, []).append((name.ljust(width), text))
        for heading, rows in listed.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="triage")
@click.option("--plain", is_flag=True, help="Plain lines instead of the full-screen interface.")
@click.pass_context
def cli(ctx: click.Context, plain: bool) -> int:
    """A daily digest of feeds, mail and papers that learns what you care about.

    Without a command: today's digest, full-screen on a terminal.
    """
    if ctx.invoked_subcommand is None:
        from triage.cli.opening import open_digest

        return open_digest(plain=plain)
    return 0


def run() -> int:
    """Runs the command that was asked for; returns its exit code, or that of a wrong line."""
    try:
        code = cli.main(standalone_mode=False, prog_name="triage")
    except click.exceptions.Abort:
        return diagnostics.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return code if isinstance(code, int) else 0
