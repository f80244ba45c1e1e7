"""The command ``r3mem`` and what hangs on it.

``r3mem --help`` answers at once: each command loads what it needs when it runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer

from r3mem_agents.cli import browse, read, transfer, upkeep, version, write
from r3mem_agents.cli.chat import command as chat
from r3mem_agents.cli.demo import command as demo
from r3mem_agents.cli.group import ErrorGroup

EPILOG = (
    "Start with: [bold]r3mem demo[/bold]\n\n"
    "Exit codes: 0 it is done, also if nothing is found; 1 an error, damage, or a no to a "
    "question; 2 a command line that cannot be understood; 130 Ctrl-C. Results go to stdout, all "
    "else to stderr."
)


TRAINING = {
    "train": ("command", "Train what expands memory tokens, on JSONL data."),
    "distil": ("distil.command", "Make what reads meaning of a pretrained encoder."),
    "tune": ("tune.command", "Tune what reads meaning on questions and what answers them."),
    "supersede": ("supersede.command", "Train what tells which turn supersedes another."),
}
"""Commands that are loaded when they are run: the module of each in ``r3mem_agents.train``, which
has a function of the command's name, and what the list of commands says of it."""


class R3MemGroup(ErrorGroup):
    """The commands of ``r3mem``; training is loaded only when it is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, and load the training code if that is what is wanted."""
        if args and args[0] in TRAINING:
            self.commands[args[0]] = _load_training(args[0])
        return super().resolve_command(ctx, args)


def _load_training(name: str) -> Any:
    """Build a training command."""
    module = import_module(f"r3mem_agents.train.{TRAINING[name][0]}")
    single = typer.Typer(add_completion=False, rich_markup_mode="rich")
    single.command(name)(getattr(module, name))
    return typer.main.get_command(single)


app = typer.Typer(
    name="r3mem",
    cls=R3MemGroup,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        version.show()
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Version, and exit."),
    ] = False,
) -> None:
    """Agent memory that compresses every turn into memory tokens, and expands them again."""


training = typer.Typer()
for name, (_, summary) in TRAINING.items():
    # Only lists the command in the help; R3MemGroup puts the real one in its place.
    training.command(name, help=summary, rich_help_panel="Models")(lambda: None)
for part in (demo, version, chat, write, read, browse, transfer, upkeep):
    app.add_typer(part.commands)
app.add_typer(training)
