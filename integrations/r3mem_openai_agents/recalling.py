"""What was said elsewhere, for a model that answers now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from itertools import dropwhile, takewhile
from typing import Any

from agents import TResponseInputItem
from agents.run import CallModelData, ModelInputData

from r3mem_agents.prompts import (
    OnError,
    RecallFrom,
    check_options,
    prompt_memory,
    raise_or_log,
    recall_sessions,
    shown_turns,
)
from r3mem_agents.validation import check_count
from r3mem_openai_agents._items import to_turn
from r3mem_openai_agents.session import R3Session

logger = logging.getLogger(__name__)


def recall_filter(
    session: R3Session,
    *,
    recall_from: RecallFrom | None = None,
    k: int = 5,
    token_budget: int = 800,
    where: Mapping[str, Any] | None = None,
    as_of: datetime | None = None,
    on_error: OnError = "raise",
) -> Callable[[CallModelData[Any]], Awaitable[ModelInputData]]:
    """Show the model older turns that help with what the user says, for ``RunConfig``.

    They stand at the end of the instructions of each call of the run, whichever agent makes it; no
    item is added, so nothing of it is stored. What the call's input has already is left out.

    Args:
        session: The run's session.
        recall_from: Recall from all of the user's sessions, or from this one only, where a limit
            leaves items out; ``None`` means the user's if the session or its memory names one,
            otherwise this one.
        k: Maximum number of turns; 5, as ``CompressiveMemory.recall`` has it.
        token_budget: Maximum number of tokens; 800, as ``CompressiveMemory.context`` has it.
        where: Only turns that meet these conditions, as ``CompressiveMemory.recall`` has them.
        as_of: Only what was known at this time, likewise.
        on_error: ``"raise"`` what goes wrong, or ``"log"`` it and answer without.

    Raises:
        InvalidInputError: If an argument is something else, or no lookup would take it.

    Example:
        >>> config = RunConfig(call_model_input_filter=recall_filter(session))
        >>> await Runner.run(agent, "What is my dog called?", session=session, run_config=config)
    """
    memory = session.memory
    sessions = recall_sessions(memory, recall_from)
    check_count(k, "k")
    check_count(token_budget, "token_budget", least=0)
    check_options(where=where, as_of=as_of, on_error=on_error)

    def recalled(items: Sequence[TResponseInputItem]) -> str:
        # By their words: the session has notes between them, which are no items.
        turns = map(to_turn, items)
        shown = shown_turns(memory, [(turn.role, turn.text) for turn in turns])
        return prompt_memory(
            memory,
            _question(items),
            window=0,
            k=k,
            token_budget=token_budget,
            shown_ids=shown,
            sessions=sessions,
            where=where,
            as_of=as_of,
        ).text()

    async def with_recalled(data: CallModelData[Any]) -> ModelInputData:
        given = data.model_data
        with raise_or_log(on_error, logger, "nothing was recalled"):
            if quotation := await asyncio.to_thread(recalled, given.input):
                before = f"{given.instructions}\n\n" if given.instructions else ""
                return ModelInputData(given.input, before + quotation)
        return given

    return with_recalled


def _question(items: Sequence[TResponseInputItem]) -> str:
    # What the user said last, in one message or in several.
    turns = map(to_turn, reversed(items))
    since = dropwhile(lambda turn: turn.role != "user", turns)
    asked = [turn.text for turn in takewhile(lambda turn: turn.role == "user", since)]
    return "\n".join(reversed(asked))
