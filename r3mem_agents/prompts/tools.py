"""A memory as tools of an agent, for hosts that make tools of plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any

from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.memory.context import NOTHING_FOUND, turn_line
from r3mem_agents.prompts.keys import note_key
from r3mem_agents.prompts.marks import mark_recalled
from r3mem_agents.prompts.options import check_options
from r3mem_agents.prompts.sessions import Place
from r3mem_agents.types import Recollection
from r3mem_agents.validation import check_count

Statement = Annotated[str, "What to remember, as one self-contained statement."]
Question = Annotated[str, "What to look for, as a question or in keywords."]
Numbers = Annotated[list[int], "Numbers of the turns, as recall shows them."]
Pinned = Annotated[bool, "False undoes it."]


def memory_tools(
    place: Callable[[], Place],
    *,
    k: int = 5,
    where: Mapping[str, Any] | None = None,
    as_of: datetime | None = None,
    expires: timedelta | None = None,
    call: Callable[[], str | None] = lambda: None,
    mistake: type[Exception] | None = None,
) -> list[Callable[..., str]]:
    """Let a model remember, recall, forget and pin by itself.

    Their names, docstrings and annotations are what a model is to be told of them. Where what the
    model asked for is at fault, each raises ``mistake`` with a text: tell it, so that it can ask
    again. What ``place`` raises is no mistake of the model.

    Args:
        place: The place of the run that calls.
        k: Maximum number of turns that ``recall`` returns.
        where: ``recall`` returns only turns that meet these conditions.
        as_of: ``recall`` returns only what was known at this time.
        expires: How long after it was remembered something is gone; ``None`` means never.
        call: Id of the call that is being done, if the host knows it: a call that is repeated with
            the same id and text remembers once.
        mistake: The host's exception for what a model is told; ``None`` means
            ``InvalidInputError`` and ``NotFoundError`` as they are.

    Returns:
        ``remember``, ``recall``, ``forget`` and ``pin``; they block.

    Raises:
        InvalidInputError: If ``k`` is too small, or a lookup or a write would not take the rest.
    """
    check_count(k, "k")
    check_options(where=where, as_of=as_of, expires=expires)

    @contextmanager
    def asked_of() -> Iterator[Place]:
        here = place()
        try:
            yield here
        except (InvalidInputError, NotFoundError) as error:
            if mistake is None:
                raise
            raise mistake(str(error)) from error

    def remember(text: Statement) -> str:
        """Remember something for later conversations, word for word."""
        with asked_of() as here:
            key = None if (id_ := call()) is None else note_key(id_, text)
            turn = here.memory.remember("assistant", text, key=key, expires=expires)
        return f"Remembered as turn {turn.id}."

    def recall(query: Question) -> str:
        """Look up what was said or noted before, in this conversation and in earlier ones."""
        with asked_of() as (memory, sessions):
            hits = memory.recall(query, k, sessions=sessions, where=where, as_of=as_of)
        return _shown(hits)

    def forget(turn_ids: Numbers) -> str:
        """Forget turns for good. Only do so when you are asked to."""
        with asked_of() as here:
            receipt = _holding(here, turn_ids, "nothing was forgotten").forget(turn_ids=turn_ids)
        return f"Forgot {receipt.turns} turns."

    def pin(turn_ids: Numbers, pinned: Pinned = True) -> str:
        """Keep turns in view from now on, and from expiring: for what must never be missed."""
        with asked_of() as here:
            _holding(here, turn_ids, "nothing was pinned").pin(turn_ids, pinned=pinned)
        return f"{'Pinned' if pinned else 'Unpinned'} {len(set(turn_ids))} turns."

    return [remember, recall, forget, pin]


def _holding(place: Place, turn_ids: list[int], outcome: str) -> CompressiveMemory:
    # The memory, if what it may recall has these turns.
    for session in place.sessions or ():
        if missing := set(turn_ids).difference(place.memory.turn_ids(session)):
            raise NotFoundError(f"no turn {min(missing)} in this conversation; {outcome}")
    return place.memory


def _shown(hits: list[Recollection]) -> str:
    if not hits:
        return NOTHING_FOUND
    return mark_recalled("\n".join(f"turn {hit.turn.id} {turn_line(hit.turn)}" for hit in hits))
