"""Routes about turns: stored, read, and looked at token by token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.pages import turn_page
from r3mem_agents.server.rest.asking import WITH_TOKEN, Memory, errors
from r3mem_agents.server.rest.costs import token_costs
from r3mem_agents.server.rest.shapes import (
    MAX_TURNS,
    Change,
    NewTurns,
    Page,
    TokenCost,
    Turn,
    Turns,
)
from r3mem_agents.types import StoredTurn
from r3mem_agents.types import Turn as PlainTurn

routes = APIRouter(tags=["turns"])


@routes.get("/v1/turns", responses=errors(), dependencies=WITH_TOKEN)
def history(
    memory: Memory,
    session: Annotated[str | None, Query(description="Only this session.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_TURNS)] = 100,
    before: Annotated[
        int | None, Query(description="Only turns before the one with this id.")
    ] = None,
    after: Annotated[
        int | None, Query(description="The earliest turns after the one with this id instead.")
    ] = None,
) -> Page:
    """Return the latest turns, byte for byte, in the order in which they were stored."""
    page = turn_page(memory, session, limit, before, after)
    return Page(turns=[told(turn) for turn in page.turns], next=page.next)


@routes.post("/v1/turns", status_code=201, responses=errors(413), dependencies=WITH_TOKEN)
def remember(given: NewTurns, memory: Memory) -> Turns:
    """Store turns, all or none, and return them as they are stored."""
    turns = [PlainTurn(**one.model_dump()) for one in given.turns]
    return Turns(turns=[told(turn) for turn in memory.remember_many(turns)])


@routes.get("/v1/turns/{id}", responses=errors(404), dependencies=WITH_TOKEN)
def one_turn(id: int, memory: Memory) -> Turn:
    """Return one turn, byte for byte."""
    return told(_fetch(memory, id))


@routes.patch("/v1/turns/{id}", responses=errors(404, 413), dependencies=WITH_TOKEN)
def change(id: int, wanted: Change, memory: Memory) -> Turn:
    """Give a turn another text, pin it, or both at once; it keeps its id, place and time."""
    if wanted.text is not None:
        return told(
            memory.edit(id, wanted.text, keep_versions=wanted.keep_versions, pinned=wanted.pinned)
        )
    if wanted.pinned is None:
        raise InvalidInputError("nothing to change: give text, pinned, or both")
    memory.pin([id], pinned=wanted.pinned)
    return told(_fetch(memory, id))


@routes.get("/v1/turns/{id}/versions", responses=errors(404), dependencies=WITH_TOKEN)
def versions(id: int, memory: Memory) -> list[Turn]:
    """Return what a turn said before it was edited, as far as that was kept, oldest first."""
    return [told(turn) for turn in memory.versions(id)]


@routes.get("/v1/turns/{id}/tokens", responses=errors(404), dependencies=WITH_TOKEN)
def tokens(id: int, memory: Memory) -> list[TokenCost]:
    """Return the parts of a turn's text, and what each costs; together they are the text."""
    return token_costs(memory.model, _fetch(memory, id).text)


@routes.get("/v1/summary", responses=errors(404), dependencies=WITH_TOKEN)
def summary(
    memory: Memory,
    session: Annotated[str, Query(description="The session.")],
    k: Annotated[int, Query(ge=1, le=MAX_TURNS)] = 3,
) -> Turns:
    """Return the few turns that say what a session was about, byte for byte, in order of time."""
    return Turns(turns=[told(turn) for turn in memory.summary(session, k)])


def told(turn: StoredTurn) -> Turn:
    """Return a turn as JSON has it."""
    return Turn.model_validate(turn)


def _fetch(memory: CompressiveMemory, id: int) -> StoredTurn:
    for turn in memory.fetch(turn_ids=[id]):
        return turn
    raise NotFoundError(f"no turn {id} in this memory")
