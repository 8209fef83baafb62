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
    "start": ("triage.cli.start:start", "From nothing to your first digest, step by step"),
    "digest": ("triage.cli.digest:digest", "Today's digest"),
    "add": ("triage.cli.add:add", "Add a site, feed, mailbox, paper category or list of them"),
    "sources": ("triage.cli.sources:sources", "The sources: how they fare, and all that can be set for them"),
    "import": ("triage.cli.lists:import_list", "Merge a list of sources, or what another triage exported"),
    "export": ("triage.cli.lists:export", "Write all for another machine, or lists for other programs"),
    "sync": ("triage.cli.sources:sync", "Fetch all sources that are due, and rank"),
    "list": ("triage.cli.items:list_items", "Stored items, best first"),
    "show": ("triage.cli.items:show", "One item with its text and highlights"),
    "fetch": ("triage.cli.items:fetch", "Fetch the full text behind an item's link"),
    "mark": ("triage.cli.items:mark", "Say what you think of an item; the order learns from it"),
    "mute": ("triage.cli.items:mute", "Keep a source, person or topic out of digests for a while"),
    "undo": ("triage.cli.journal:undo", "Take back the last step, or any one"),
    "redo": ("triage.cli.journal:redo", "Bring back what was undone"),
    "journal": ("triage.cli.journal:journal", "What you have said, and what each did to the digest"),
    "why": ("triage.cli.items:why", "Why an item stands where it stands"),
    "stories": ("triage.cli.stories:stories", "What several items tell; splits a wrong group"),
    "search": ("triage.cli.search:search", "Find items by words, meaning and filters; keep searches"),
    "interests": ("triage.cli.interests:interests", "What you care about, in your words"),
    "rules": ("triage.cli.rules:rules", "What you know beforehand: more of, less of, always, never"),
    "insight": ("triage.cli.insight:insight", "How true the ranker was, what it learned, what you read"),
    "learn": ("triage.cli.learn:learn", "Tune the ranker to your marks, if that foresees them better"),
    "evaluate": ("triage.cli.evaluate:evaluate", "Measure the ranker on labelled files"),
    "serve": ("triage.cli.serve:serve", "The interface in a browser on this machine"),
    "notifications": ("triage.cli.notifications:notifications", "What the daemon told you of at once"),
    "daemon": ("triage.cli.daemon:daemon", "Fetch and rank in the background"),
    "db": ("triage.cli.db:db", "Back up, check and restore the database"),
    "status": ("triage.cli.status:status", "What is going on, in a few lines"),
    "doctor": ("triage.cli.doctor:doctor", "Check everything, with the fix for what is wrong"),
    "config": ("triage.cli.config:config", "Show, check and change the settings"),
    "paths": ("triage.cli.doctor:paths", "Where everything lies on disk"),
    "demo": ("triage.cli.demo:demo", "A ranked digest of a bundled demo day, apart from your data"),
}


class LazyGroup(click.Group):
    """Commands by name, imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of `COMMANDS`: that of a first day."""
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
        """As click does it, but an unknown name comes with the nearest known one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; see: triage --help"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
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
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


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
