"""``r3mem remember --file``: documents as passages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    err,
    harmless_line,
    late_progress,
    out,
    warn,
)
from r3mem_agents.cli.files import refusal
from r3mem_agents.cli.places import Place

if TYPE_CHECKING:
    from r3mem_agents.documents import Stored


def remember_path(path: str, place: Place, *, as_json: bool) -> None:
    """Store a document, or those of a folder, and say what was left out.

    Args:
        path: The file or the folder.
        place: The memory.
        as_json: Print JSON instead.
    """
    from r3mem_agents.documents import find_documents, store_documents

    logging.getLogger("pypdf").addHandler(logging.NullHandler())  # it tells of what it repairs
    with late_progress("reading") as show:
        found = find_documents(path, progress=show)
    for error in found.refused.values():
        warn(f"left out: {_why(error)}")
    if found.skipped:
        left = ", ".join(f"{count:,} {what}" for what, count in found.skipped.items())
        err().print(harmless_line(f"left out: {left}"), soft_wrap=True)
    with place.open(must_exist=False) as memory:
        try:
            with late_progress("compressing") as show:
                stored = store_documents(memory, found.documents, progress=show)
        except BaseException:
            warn("not all of it is stored; run the same again to go on")
            raise
    if as_json:
        emit_json(
            {
                "documents": [{"session": name, **one._asdict()} for name, one in stored.items()],
                "refused": {name: _why(error) for name, error in found.refused.items()},
                "skipped": dict(found.skipped),
            }
        )
    else:
        _show(stored, place)


def _why(error: Exception) -> str:
    return refusal(error) if isinstance(error, OSError) else str(error)


def _show(stored: dict[str, Stored], place: Place) -> None:
    new, kept, forgotten = (sum(column) for column in zip(*stored.values(), strict=True))
    told = [f"{new:,} new"] if new else []
    told += [f"{kept:,} there before"] if kept else []
    told += [f"{forgotten:,} forgotten"] if forgotten else []
    what = f"{counted(len(stored), 'document')} in {place.db}, {counted(new + kept, 'passage')}"
    out().print(harmless_line(f"{what}: {', '.join(told)}"), soft_wrap=True)
