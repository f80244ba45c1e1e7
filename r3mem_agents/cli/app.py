"""The command ``r3mem`` itself.

``r3mem --help`` answers at once: each command is loaded when it runs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from r3mem_agents.cli.commands import R3MemGroup

EPILOG = (
    "Start with: [bold]r3mem demo[/bold]\n\n"
    "Exit codes: 0 it is done, also if nothing is found; 1 an error, damage, or a no to a "
    "question; 2 a command line that cannot be understood; 130 Ctrl-C. Results go to stdout, all "
    "else to stderr."
)

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
        from r3mem_agents.cli import version

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
