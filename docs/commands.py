"""The reference of the command line, docs/cli.md, written from the command itself.

python -m docs.commands
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import rich_click as click

from r3mem_agents.cli import app
from r3mem_agents.cli.commands import PANELS

PAGE = Path(__file__).parent / "cli.md"
EXAMPLES = re.compile(r"^\[bold\]Examples?\[/bold\]\n\n((?: +.*\n\n?)+)", re.MULTILINE)


def reference() -> str:
    """What ``--help`` says of every command, as one page."""
    whole = click.RichContext(app, info_name="r3mem", **app.context_settings)
    page = "\n".join(["# Command line", "", *described(whole), *listed(), "", ""])
    for name in app.list_commands(whole):
        _, command, _ = app.resolve_command(whole, [name])  # it is loaded when it is first run
        assert command is not None
        page += "\n".join(chapter(command, name, whole))
    page = EXAMPLES.sub(examples, page)
    return re.sub(r"\[bold\](.*?)\[/bold\]", r"**\1**", page).rstrip() + "\n"


def chapter(command: click.Command, name: str, within: click.Context) -> Iterator[str]:
    """A command, and under it those that it has."""
    context = command.context_class(command, info_name=name, parent=within)
    depth = context.command_path.count(" ")
    yield from (f"{'#' * (1 + depth)} `{context.command_path}`", "", *described(context), "")
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from chapter(one, inner, context)


def described(context: click.Context) -> Iterator[str]:
    """What a command does, how it is called, and with what."""
    command = context.command
    yield from (cleandoc(command.help or ""), "")
    called = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("**Usage**:", "", "```console", f"$ {called}", "```", "")
    arguments = [one for one in command.get_params(context) if isinstance(one, click.RichArgument)]
    if arguments:
        yield from ("**Arguments**:", "")
        for argument in arguments:
            more = "  [required]" if argument.required else ""
            yield f"* `{argument.make_metavar(context)}`: {argument.help}{more}"
        yield ""
    yield from ("**Options**:", "")
    for option in command.get_params(context):
        if isinstance(option, click.Option):
            called, told = option.get_help_record(context) or ("", "")
            yield f"* `{called}`: {told}"
    yield ""
    if command.epilog:
        yield from (command.epilog, "")


def listed() -> Iterator[str]:
    """The commands, in the order of ``--help``."""
    yield from ("**Commands**:", "")
    for commands in PANELS.values():
        for name, (_, summary) in commands.items():
            yield f"* `{name}`: {summary}"


def examples(found: re.Match[str]) -> str:
    """Examples as a block."""
    lines = [f"$ {line.strip()}" for line in found[1].splitlines() if line.strip()]
    return "\n".join(["**Examples**:", "", "<!-- not run -->", "```console", *lines, "```", "", ""])


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
