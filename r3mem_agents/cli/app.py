"""The command ``r3mem`` itself.

``r3mem --help`` answers at once: each command is loaded when it runs.
"""

from __future__ import annotations

import rich_click as click

from r3mem_agents.cli.commands import R3MemGroup
from r3mem_agents.cli.group import CONTEXT

EPILOG = (
    "Start with: [bold]r3mem demo[/bold]\n\n"
    "Exit codes: 0 it is done, also if nothing is found; 1 an error, damage, or a no to a "
    "question; 2 a command line that cannot be understood; 130 Ctrl-C. Results go to stdout, all "
    "else to stderr."
)


def _show_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from r3mem_agents.cli import version

        version.show()
        context.exit()


def _install_completion(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from r3mem_agents.cli import completion

        completion.install(context)
        context.exit()


def _show_completion(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from r3mem_agents.cli import completion

        completion.show(context)
        context.exit()


@click.group("r3mem", cls=R3MemGroup, epilog=EPILOG, context_settings=CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Version, and exit.",
)
@click.option(
    "--install-completion",
    is_flag=True,
    expose_value=False,
    callback=_install_completion,
    help="Install completion for the current shell: bash, zsh or fish.",
)
@click.option(
    "--show-completion",
    is_flag=True,
    expose_value=False,
    callback=_show_completion,
    help="Show completion for the current shell, to copy it or customize the installation.",
)
def app() -> None:
    """Agent memory that compresses every turn into memory tokens, and expands them again."""
