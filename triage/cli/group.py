"""A command with commands of its own, whose help says what each does in a whole sentence."""

from __future__ import annotations

import click

LONGEST = 500
"""Characters of a first sentence: more than any has."""


class Group(click.Group):
    """Lists its commands with their first sentences, wrapped; click's own would cut them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but an unknown name comes with what was probably meant."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            from triage.cli.guesses import no_command

            raise no_command(self.name or "", args[0], self.commands, alone=self.invoke_without_command)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The names, in order, with what they do."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(LONGEST)) for name, each in found if each])
