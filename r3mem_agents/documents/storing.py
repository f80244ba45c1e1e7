"""Documents into a memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from r3mem_agents.documents.document import Document
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.passages import is_passage

AT_ONCE = 128
"""Passages that are stored in one transaction; chosen."""


class Stored(NamedTuple):
    """What storing a document did.

    Attributes:
        added: Passages that are new in the memory.
        kept: Passages that were there, and keep their ids.
        forgotten: Passages that were there, and that the document has no more.
    """

    added: int
    kept: int
    forgotten: int


def remember_document(
    memory: CompressiveMemory,
    document: Document,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Stored:
    """Store the passages of a document as turns of a session with its name.

    If the memory has it already, it becomes what it is now: passages that it still has are kept,
    and those that it has no more are forgotten, with the last of the new ones. A document that has
    not changed changes nothing, and one that was stored in part goes on.

    Args:
        memory: The memory.
        document: The document.
        progress: Is told how many passages are done, and of how many.

    Raises:
        InvalidInputError: If the document's name cannot be one of a session.
        StoreError: If it could not be written; passages before those that could not be are stored.
    """
    turns = document.turns()
    keys = [turn.key for turn in turns if turn.key is not None]
    before = memory.turn_ids(document.name)
    kept = {*memory.turn_ids(document.name, keys=keys)}
    others = memory.fetch(turn_ids=[one for one in before if one not in kept])
    gone = [turn.id for turn in others if is_passage(turn.role, turn.metadata)]
    for start in range(0, len(turns), AT_ONCE):
        batch = turns[start : start + AT_ONCE]
        done = start + len(batch)
        memory.remember_many(batch, forget=gone if done == len(turns) else ())
        if progress is not None:
            progress(done, len(turns))
    return Stored(len(turns) - len(kept), len(kept), len(gone))
