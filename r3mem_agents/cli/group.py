"""A command group whose errors are one line on stderr."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from r3mem_agents.cli.console import fail, open_outputs, warn
from r3mem_agents.cli.files import refusal
from r3mem_agents.errors import DamageWarning, OtherGistsWarning, R3MemError


class ErrorGroup(TyperGroup):
    """A command group that reports expected errors and damage without a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the whole; what the system refuses becomes a line on stderr and exit code 1."""
        open_outputs()
        try:
            return super().main(*args, **options)
        except OSError as error:
            fail(refusal(error))
            sys.exit(1)

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
        except R3MemError as error:
            fail(str(error))
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
