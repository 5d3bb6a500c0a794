"""The group of commands, with their one-line helps here, so that `--help` imports none of them."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click

from eyeline.version import VERSION

# Name of the command, which is also its module here, and its line in `eyeline --help`.
COMMANDS = {
    "ask": "Ask a question about one or more images.",
    "describe": "Describe one or more images.",
    "run": "The same question of many images; goes on where it stopped.",
    "estimate": "Tokens and dollars of images, nothing sent.",
    "show": "A picture of what models see, with patches or tiles.",
    "check": "What is wrong with the images of a request body.",
    "serve": "An OpenAI-compatible gateway, and a page to try pictures on.",
    "cache": "What is kept of earlier answers: stats, clear, path.",
    "models": "The models that see, with prices and dates.",
    "doctor": "Which engine would answer, and why; what is installed.",
}


class LazyGroup(click.Group):
    """Imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"eyeline.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, n=1)
            ask = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{ask}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="eyeline %(version)s")
def commands() -> None:
    """
    Ask questions about images: OpenAI, any compatible server, or the reader built in.

    The answer goes to stdout, everything else to stderr. Exit status: 0 all done, 1 done but some
    failed, 2 could not start, 130 interrupted.
    """
