"""Routes about a memory as a whole: whose it is, what it holds, and how it is forgotten."""

from __future__ import annotations

from fastapi import APIRouter

import r3mem_agents
from r3mem_agents.errors import ForbiddenError
from r3mem_agents.server.rest.asking import WITH_TOKEN, Local, Memory, errors
from r3mem_agents.server.rest.shapes import (
    Forget,
    Health,
    LogEntry,
    Me,
    Receipt,
    Session,
    Stats,
    User,
)

routes = APIRouter(tags=["memory"])


@routes.get("/health")
async def health() -> Health:
    """Tell that the server answers; needs no token."""
    return Health(version=r3mem_agents.__version__)


@routes.get("/v1/me", responses=errors(), dependencies=WITH_TOKEN)
async def me(memory: Memory, local: Local) -> Me:
    """Tell whose memory the token opens."""
    return Me(user=memory.user, agent=memory.agent, users=local)


@routes.get("/v1/users", responses=errors(), dependencies=WITH_TOKEN)
def users(memory: Memory, local: Local) -> list[User]:
    """List who has turns, in the order in which they came; only where there are no tokens."""
    if not local:
        raise ForbiddenError("a token opens the memory of one user, and shows no others")
    return [User.model_validate(one) for one in memory.users()]


@routes.get("/v1/sessions", responses=errors(), dependencies=WITH_TOKEN)
def sessions(memory: Memory) -> list[Session]:
    """List the sessions, in the order in which they began."""
    return [
        Session(name=one.session, turns=one.turns, first=one.first, last=one.last)
        for one in memory.session_stats()
    ]


@routes.get("/v1/stats", responses=errors(), dependencies=WITH_TOKEN)
def stats(memory: Memory) -> Stats:
    """Count what the memory holds, and what it costs."""
    return Stats.model_validate(memory.stats())


@routes.get("/v1/log", responses=errors(), dependencies=WITH_TOKEN)
def log(memory: Memory) -> list[LogEntry]:
    """List who changed what and when, if a log of the file is kept."""
    return [LogEntry.model_validate(one) for one in memory.log()]


@routes.post("/v1/forget", responses=errors(404, 413), dependencies=WITH_TOKEN)
def forget(wanted: Forget, memory: Memory) -> Receipt:
    """Remove turns, a session or everything, so that no byte of them is left in the file."""
    return Receipt.model_validate(memory.forget(**wanted.model_dump()))
