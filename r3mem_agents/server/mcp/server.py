"""The server: tools, resources and a prompt over the memory of the current request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.resources import ResourceSecurity
from mcp_types import ToolAnnotations

import r3mem_agents
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.mcp.failing import FailingServer, Tell, tell_all
from r3mem_agents.server.mcp.prompt import MemoryPrompt, instructions
from r3mem_agents.server.mcp.reading import ReadingTools
from r3mem_agents.server.mcp.resources import JSON, SESSION, SESSIONS, MemoryResources
from r3mem_agents.server.mcp.writing import WritingTools

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
SETS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
REMOVES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)


def mcp_server(
    memory: Callable[[], CompressiveMemory],
    *,
    tell: Tell = tell_all,
    captured: bool = False,
    lifespan: Callable[[MCPServer[Any]], AbstractAsyncContextManager[Any]] | None = None,
) -> MCPServer[Any]:
    """Make a server whose tools work on the memory of the request that is being answered.

    Args:
        memory: Returns that memory. It is called in the thread and the context of the request, once
            for each, and may raise what the client is to be told.
        tell: Puts an error of this package into words for the client.
        captured: Whether hooks of the host remember every turn, so that the model need not.
        lifespan: Is entered before the first request and left after the last one.

    Returns:
        The server, for any transport of the SDK.
    """
    resources, told = MemoryResources(memory), instructions(captured=captured)
    server = FailingServer(
        "r3mem",
        title="r3mem memory",
        instructions=told,
        version=r3mem_agents.__version__,
        log_level="WARNING",
        lifespan=lifespan,
        tell=tell,
        listed=resources.listed,
        completed=resources.completed,
    )
    reading, writing = ReadingTools(memory), WritingTools(memory)
    _add(server, READS, reading.recall, reading.context, reading.history)
    _add(server, READS, reading.versions, reading.summary, reading.sessions)
    _add(server, ADDS, writing.remember)
    _add(server, SETS, writing.pin)
    _add(server, REMOVES, writing.edit, writing.forget)
    described = inspect.getdoc(resources.sessions)
    server.resource(SESSIONS, description=described, mime_type=JSON)(resources.sessions)
    # A name is no path here: it may hold what would be one.
    names = ResourceSecurity(exempt_params={"name"})
    server.resource(
        SESSION, description=inspect.getdoc(resources.session), mime_type=JSON, security=names
    )(resources.session)
    prompt = MemoryPrompt(memory, told)
    server.prompt(description=inspect.getdoc(prompt.use_memory))(prompt.use_memory)
    return server


def _add(server: MCPServer[Any], hints: ToolAnnotations, *tools: Callable[..., Any]) -> None:
    for tool in tools:
        # The SDK would take a docstring with the indentation that it has in the source.
        server.add_tool(tool, description=inspect.getdoc(tool), annotations=hints)
