"""A command group whose errors are one line on stderr."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rich_click as click
from click.exceptions import Abort, Exit

from r3mem_agents.cli.console import fail, open_outputs, warn
from r3mem_agents.cli.files import refusal
from r3mem_agents.errors import DamageWarning, OtherGistsWarning, R3MemError

CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "show_default": True,
    "rich_help_config": {"text_markup": "rich"},
}
"""Settings of such a group, which its commands take over."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of what a shell runs."""


class ErrorGroup(click.RichGroup):
    """A command group that reports expected errors and damage without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which they were added."""
        return [*self.commands]

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the whole; what the system refuses becomes a line on stderr and exit code 1."""
        open_outputs()
        try:
            return super().main(*args, **options)
        except OSError as error:
            fail(refusal(error))
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an expected error becomes a line on stderr and exit code 1.

        So does damage that was left out of the result. Ctrl-C ends with 130, at a question too.
        """
        try:
            with _damage_told() as told:
                result = super().invoke(ctx)
            if told:
                raise Exit(1)
            return result
        except R3MemError as error:
            fail(str(error))
            raise Exit(1) from error
        except (KeyboardInterrupt, Abort) as error:
            if isinstance(error, Abort) and not isinstance(error.__context__, KeyboardInterrupt):
                raise
            click.echo(err=True)
            raise Exit(INTERRUPTED) from None


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
