"""The commands of ``r3mem``: a list that says of each what it does, and each once it is run."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import rich_click as click

from r3mem_agents.cli.group import ErrorGroup

PANELS = {
    "See it work": {
        "demo": (
            "cli.demo.command",
            "Remember four real meetings, check every byte, ask questions, draw the memory.",
        ),
        "version": ("cli.version", "Show the version."),
        "chat": (
            "cli.chat.command",
            "Talk with a memory: what is said is stored, and recalled when it helps.",
        ),
    },
    "Memory": {
        "remember": ("cli.write", "Store one turn, or documents."),
        "edit": (
            "cli.change",
            "Give a turn another text; it keeps its number, place, time and all else.",
        ),
        "versions": (
            "cli.change",
            "Show what a turn said before it was edited, oldest first, as far as that was kept.",
        ),
        "pin": ("cli.change", "Let turns come first in every context, and not expire."),
        "forget": (
            "cli.write",
            "Forget turns, a session or everything, without a trace in the file.",
        ),
        "recall": ("cli.read", "Find the turns that answer a question, best first."),
        "context": ("cli.read", "Print what is remembered about a question, ready for a prompt."),
        "summary": (
            "cli.read",
            "Show the few turns that say what a session was about, byte for byte.",
        ),
        "stats": ("cli.read", "Show what a memory holds and what it costs."),
        "history": (
            "cli.browse",
            "Show the turns in order, byte for byte but for further lines, which are indented.",
        ),
        "fetch": (
            "cli.browse",
            "Show turns that you know by their numbers or keys, byte for byte.",
        ),
        "sessions": (
            "cli.browse",
            "List the sessions of a user, in the order in which they began.",
        ),
        "users": (
            "cli.browse",
            "List who has turns in a file, with the agents that remember them.",
        ),
        "export": (
            "cli.transfer",
            "Write the turns as JSON Lines: all fields, UTF-8, one turn a line.",
        ),
        "import": (
            "cli.transfer",
            "Store the turns of a file: of an export of another program, or of r3mem export.",
        ),
        "log": (
            "cli.log",
            "Show who changed what and when, without any of the words, if a log is kept.",
        ),
        "verify": (
            "cli.upkeep",
            "Read everything in a file, of all users, and report what is damaged.",
        ),
        "backup": ("cli.upkeep", "Copy a whole file, of all users, while it may be in use."),
        "recompress": (
            "cli.upkeep",
            "Give every turn of a file, of all users, the memory tokens of a newer model.",
        ),
    },
    "Servers": {
        "mcp": (
            "cli.mcp",
            "Serve a memory to an MCP host, such as Claude Code, over stdin and stdout.",
        ),
        "serve": ("cli.serve", "Serve a memory over HTTP: REST, MCP and a page, until Ctrl-C."),
        "token": (
            "cli.token",
            "Make, list and remove the tokens by which r3mem serve tells users apart.",
        ),
    },
    "Hosts": {
        "connect": (
            "cli.connect",
            "Tell a host of agents of a memory: its MCP server, and hooks that remember each turn.",
        ),
        "hook": (
            "cli.hook",
            "Remember what a host of agents tells on stdin, and print what its model should know.",
        ),
    },
    "Models": {
        "train": (
            "train.command",
            "Train an expander; run the same command again to go on after an interruption.",
        ),
        "distil": (
            "train.distil.command",
            "Make an encoder of a pretrained one; run it again to go on after an interruption.",
        ),
        "tune": (
            "train.tune.command",
            "Tune an encoder on questions; run it again to go on after an interruption.",
        ),
        "supersede": (
            "train.supersede.command",
            "Train what compares two turns; run it again to go on after an interruption.",
        ),
        "latent": (
            "train.latent.command",
            "Train the memory tokens that a causal language model reads in place of its history.",
        ),
    },
}
"""The panels of the list of commands: of each command the module that has it, and what its
help begins with."""


class R3MemGroup(ErrorGroup):
    """The commands of ``r3mem``; only the one that is run is loaded."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for panel, commands in PANELS.items():
            self.add_panel(click.RichCommandPanel(panel, commands=[*commands]))
            for name, (_, summary) in commands.items():
                self.add_command(click.RichCommand(name=name, help=summary))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is wanted, and load it."""
        for commands in PANELS.values():
            if args and args[0] in commands:
                self.add_command(_load(args[0], commands[args[0]][0]))
        return super().resolve_command(ctx, args)


def _load(name: str, module: str) -> click.Command:
    """The command of a module that has a name."""
    there = vars(import_module(f"r3mem_agents.{module}")).values()
    [found] = (one for one in there if isinstance(one, click.Command) and one.name == name)
    return found
