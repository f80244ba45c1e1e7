"""Everything that a process serves: the doors, and the guard before them.

    Failures(Auth(Bodies(REST, with /mcp beside it, and the page for all other paths)))

To add a door, mount its application of ASGI in ``application``; what it has to begin and end goes
into ``lifespan``, as Starlette does that for the outermost application only. A door finds its
memory where ``auth`` puts it, and what it raises becomes an answer in ``failures``. Each worker has
a copy of all this, and the next request may reach another one: a door keeps nothing between
requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.auth import Auth
from r3mem_agents.server.failures import App, Failures
from r3mem_agents.server.limits import DEFAULT_RATE, Bodies, Rates
from r3mem_agents.server.mcp import McpEndpoint
from r3mem_agents.server.page.files import Page
from r3mem_agents.server.rest.app import rest_app

THREADS = 8
"""Calls that run at once in a process, others wait; chosen: the engine has threads of its own."""


def application(
    file: OpenFile, *, hosts: Set[str] = frozenset(), local: bool, rate: str = DEFAULT_RATE
) -> App:
    """Return what serves a file.

    Args:
        file: The file, which is closed after the last request.
        hosts: Names under which the server is reached; none means any.
        local: Let requests choose their user as long as the file has no tokens.
        rate: How often one owner may ask.
    """

    @asynccontextmanager
    async def lifespan(doors: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        async with mcp.running():
            yield
        await to_thread.run_sync(file.close)

    mcp, doors = McpEndpoint(), rest_app(lifespan)
    doors.routes.append(mcp.route)
    doors.router.default = Page()
    return Failures(Auth(Bodies(doors), file, hosts=hosts, local=local, rates=Rates(rate)))
