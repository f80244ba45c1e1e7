"""What commands print with: one console for results, one for everything else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


def out() -> Console:
    """Console of results, on stdout."""
    return Console(highlight=False)


def err() -> Console:
    """Console of progress, warnings and errors, on stderr."""
    return Console(stderr=True, highlight=False)


def emit_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print a value as JSON: UTF-8, one document, made to be parsed."""
    emit_raw(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def emit_raw(text: str) -> None:
    """Print text as UTF-8, exactly as it is, whatever the locale."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def examples(*lines: str) -> str:
    """Command lines as the epilog of a command's help, one a line."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  {escape(line)}" for line in lines)])


def fail(error: BaseException) -> None:
    """Print an error as one red line on stderr."""
    message = " ".join(str(error).split()) or type(error).__name__
    err().print(Text(f"error: {message}", style="bold red"), soft_wrap=True)


def warn(message: str) -> None:
    """Print a warning on stderr."""
    err().print(Text(f"note: {message}", style="yellow"), soft_wrap=True)


def progress(*, by_itself: bool = True) -> Progress:
    """A progress bar on stderr: what, how far, how many, time gone and time left.

    Args:
        by_itself: Whether a thread draws it; where work is timed, it is drawn by ``refresh`` only.
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err(),
        auto_refresh=by_itself,
    )


def bytes_text(count: float) -> str:
    """A number of bytes for people: ``812 B``, ``26.4 kB``, ``1.3 MB`` (powers of ten)."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} B"


def shorten(text: str, width: int) -> str:
    """The first ``width`` characters of a text on one line, with an ellipsis if cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"
