"""The command ``r3mem`` and what hangs on it.

Nothing here imports torch: ``r3mem --help`` answers at once, and each command loads what it needs
when it runs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from r3mem_agents.cli import bench, browse, chat, demo, read, transfer, upkeep, version, write
from r3mem_agents.cli.console import fail, warn
from r3mem_agents.errors import DamageWarning, OtherGistsWarning, R3MemError

EPILOG = "Start with: [bold]r3mem demo[/bold]"


class R3MemGroup(TyperGroup):
    """A command group that reports errors in one line and loads training only when it is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, and load the training code if that is what is wanted."""
        if args and args[0] in {"train", "distil", "tune", "supersede"}:
            self.commands[args[0]] = _load_training(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an expected error becomes a line on stderr and exit code 1.

        So does damage that was left out of the result.
        """
        try:
            with _damage_told() as told:
                result = super().invoke(ctx)
            if told:
                raise typer.Exit(1)
            return result
        except BrokenPipeError:
            raise
        except (R3MemError, OSError) as error:
            fail(error)
            raise typer.Exit(1) from error


@contextmanager
def _damage_told() -> Iterator[list[str]]:
    """Show warnings of this package on stderr, each once, and collect those of damage."""
    told: list[str] = []
    shown: set[str] = set()
    with warnings.catch_warnings():
        for kind in (DamageWarning, OtherGistsWarning):
            warnings.simplefilter("always", kind)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if not issubclass(category, DamageWarning | OtherGistsWarning):
                others(message, category, *rest, **more)
            elif str(message) not in shown:
                shown.add(str(message))
                warn(str(message))
            if issubclass(category, DamageWarning):
                told.append(str(message))

        warnings.showwarning = show
        yield told


def _load_training(name: str) -> Any:
    """Build a training command out of :mod:`r3mem_agents.train`."""
    from r3mem_agents.train.command import train
    from r3mem_agents.train.distil.command import distil
    from r3mem_agents.train.supersede.command import supersede
    from r3mem_agents.train.tune.command import tune

    single = typer.Typer(add_completion=False, rich_markup_mode="rich")
    commands: dict[str, Callable[..., None]] = {
        "train": train,
        "distil": distil,
        "tune": tune,
        "supersede": supersede,
    }
    single.command(name)(commands[name])
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


@training.command("train", rich_help_panel="Models")
def _train() -> None:
    """Train what expands memory tokens, on JSONL data."""
    # Only lists the command in the help; R3MemGroup puts the real one in its place.


@training.command("distil", rich_help_panel="Models")
def _distil() -> None:
    """Make what reads meaning of a pretrained encoder."""
    # As above.


@training.command("tune", rich_help_panel="Models")
def _tune() -> None:
    """Tune what reads meaning on questions and what answers them."""
    # As above.


@training.command("supersede", rich_help_panel="Models")
def _supersede() -> None:
    """Train what tells which turn supersedes another."""
    # As above.


for part in (demo, version, chat, write, read, browse, transfer, upkeep):
    app.add_typer(part.commands)
app.add_typer(training)
app.add_typer(bench.app, name="bench", rich_help_panel="Models")
