"""What commands print with: one console for results, one for everything else."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from r3mem_agents.errors import InvalidInputError

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_S = 2.0
"""Work that takes less shows no progress; chosen."""

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it, and what turns the direction of writing."""


def harmless(text: str) -> str:
    """A text as a terminal may show it: control characters but tab and line feed are spelled out.

    What was stored may hold sequences that clear the screen, rename the window or write elsewhere
    on it. A carriage return before a line feed is left out.
    """
    return CONTROLS.sub(_escape, text.replace("\r\n", "\n"))


def harmless_text(text: str, style: str = "") -> Text:
    """A harmless text for a console, which takes nothing in it for markup."""
    return Text(harmless(text), style=style)


def harmless_line(text: str, style: str = "") -> Text:
    """The same on one line: no name in it can begin another one."""
    return Text(" ".join(harmless(text).splitlines()), style=style)


def _escape(control: re.Match[str]) -> str:
    return f"\\u{ord(control[0]):04x}"


def open_outputs() -> None:
    """Let every output be one that takes any text.

    Where the caller closed one, what is printed goes nowhere; where one's encoding lacks a
    character, that is spelled out. Of a terminal without a size rich would believe that nothing
    fits into it.
    """
    if not os.environ.get("COLUMNS", "").strip("0"):
        os.environ.pop("COLUMNS", None)
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def stdin_bytes() -> BinaryIO:
    """What is piped in, as bytes.

    Raises:
        InvalidInputError: The caller closed it.
    """
    if sys.stdin is None:
        raise InvalidInputError("stdin is closed; pipe the text in, or give it as an argument")
    return sys.stdin.buffer


def said(text: str) -> str:
    """A text that was given as an argument, or that is piped in where the argument is ``-``.

    Raises:
        InvalidInputError: What is piped in is no text, or the caller closed it.
    """
    if text != "-":
        return text
    try:
        return stdin_bytes().read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"stdin is not UTF-8 text: {error}") from None


def asks_people() -> bool:
    """Tell whether somebody sits there who can be asked."""
    return all(one is not None and one.isatty() for one in (sys.stdin, sys.stderr))


def out() -> Console:
    """Console of results, on stdout."""
    return Console(highlight=False)


def err() -> Console:
    """Console of progress, warnings and errors, on stderr."""
    return Console(stderr=True, highlight=False)


def emit_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print a value as JSON: UTF-8, one document, made to be parsed."""
    emit_raw(json_document(value))


def json_document(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """A value as JSON that a terminal may show."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    # JSON lets some controls of a terminal stand in a string, and knows the same way to spell them.
    return CONTROLS.sub(_escape, text) + "\n"


def emit_raw(text: str) -> None:
    """Print text as UTF-8, whatever the locale: exactly as it is, but harmless on a terminal."""
    if sys.stdout.isatty():
        text = harmless(text)
    sys.stdout.flush()
    # A path may hold bytes that are no text: JSON knows the same way to spell them.
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def examples(*lines: str) -> str:
    """Command lines as the epilog of a command's help, one a line."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  {escape(line)}" for line in lines)])


def fail(message: str) -> None:
    """Print an error as one red line on stderr."""
    flat = " ".join(message.split())
    err().print(harmless_text(f"error: {flat}", "bold red"), soft_wrap=True)


def warn(message: str) -> None:
    """Print a warning on stderr."""
    err().print(harmless_text(f"note: {message}", "yellow"), soft_wrap=True)


def progress(*, by_itself: bool = True) -> Progress:
    """A progress bar on stderr: what, how far, how many, time gone and time left.

    Args:
        by_itself: Whether a thread draws it; where work is timed, it is drawn by ``refresh`` only.
    """
    from rich import progress as bars  # most commands show none

    return bars.Progress(
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
        console=err(),
        auto_refresh=by_itself,
    )


@contextmanager
def late_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar that shows itself only once work takes ``PATIENCE_S``.

    Args:
        what: Stands before the bar.

    Yields:
        What is to be told how much is done, and of how much.
    """
    bar, begun = progress(), time.monotonic()
    task = bar.add_task(what, total=None)

    def show(done: int, whole: int) -> None:
        bar.update(task, completed=done, total=whole)
        if time.monotonic() - begun > PATIENCE_S:
            bar.start()

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


def counted(count: int, noun: str) -> str:
    """So many of something: ``1 turn``, ``1,536 turns``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shorten(text: str, width: int) -> str:
    """The first ``width`` characters of a text on one line, with an ellipsis if cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"
