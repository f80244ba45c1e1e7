"""Tools that change the memory. Their docstrings are what a model reads to choose one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.mcp import arguments as take
from r3mem_agents.server.mcp import results as give
from r3mem_agents.types import Turn


class WritingTools:
    """The tools, over the memory of the current request."""

    def __init__(self, memory: Callable[[], CompressiveMemory]) -> None:
        self._memory = memory

    def remember(
        self,
        turns: Annotated[
            list[take.SaidTurn],
            take.Described("One turn or several.", min_length=1, max_length=take.MAX_TURNS),
        ],
        session: take.Session = "",
    ) -> give.Remembered:
        """Keep what was said, word for word, for later conversations.

        Store facts, wishes, decisions and corrections as they were said, each as a turn of its own.
        All of them are stored, or none.
        """
        said = [Turn(**(turn.model_dump() | {"session": session or None})) for turn in turns]
        return {"turns": [give.place_result(turn) for turn in self._memory().remember_many(said)]}

    def edit(
        self,
        turn_id: take.TurnId,
        text: Annotated[str, take.Described("What it says from now on.", max_length=take.MAX_TEXT)],
        keep_versions: Annotated[
            bool,
            take.Described("Keep what it said before as a version; else it is gone for good."),
        ] = False,
    ) -> give.StoredPlace:
        """Correct a turn: it keeps its id, place and time, and says something else.

        Where a person changes their mind, remember the new words instead: the older turn is marked.
        """
        turn = self._memory().edit(turn_id, text, keep_versions=keep_versions)
        return give.place_result(turn)

    def pin(
        self,
        turn_ids: take.TurnIds,
        pinned: Annotated[bool, take.Described("False undoes it.")] = True,
    ) -> give.Pinned:
        """Let turns come first in every context, and not expire: for what must never be missed."""
        self._memory().pin(turn_ids, pinned=pinned)
        return {"turn_ids": turn_ids, "pinned": pinned}

    def forget(
        self,
        turn_ids: Annotated[take.TurnIds | None, take.Described("The turns to forget.")] = None,
        session: Annotated[
            take.OptionalText, take.Described("Or a session, to forget all of it.")
        ] = "",
    ) -> give.Forgotten:
        """Remove turns, or a whole session, for good: no byte of them is left in the file.

        Ask the person first. Nothing brings them back.
        """
        if (turn_ids is None) == (not session):
            raise InvalidInputError("give one of turn_ids and session")
        memory = self._memory()
        return give.forgotten(memory.forget(turn_ids=turn_ids, session=session or None))
