"""The server over streamable HTTP, as a part of an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from urllib.parse import parse_qs

from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from r3mem_agents.errors import InvalidInputError, R3MemError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.failures import answer, failure
from r3mem_agents.server.limits import MAX_BODY_BYTES
from r3mem_agents.server.mcp.damage import damage_collected
from r3mem_agents.server.mcp.server import mcp_server
from r3mem_agents.server.paths import MCP_PATH


class McpEndpoint:
    """Answers requests on the memory that ``auth`` gives them, whose session ``?session=`` names.

    It keeps nothing between two requests, so that any worker may answer any of them, and answers
    each with one JSON document.

    Attributes:
        route: It, at its path, for the application's routes.
    """

    def __init__(self) -> None:
        self._memory: ContextVar[CompressiveMemory] = ContextVar("memory")
        self._server = mcp_server(self._memory.get, tell=_tell)
        self._server.streamable_http_app(
            json_response=True,
            stateless_http=True,
            max_request_body_size=MAX_BODY_BYTES,
            # ``auth`` checks host and origin.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self.route = Route(MCP_PATH, endpoint=self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Enter this while it serves, in the application's lifespan."""
        with damage_collected():
            async with self._server.session_manager.run():
                yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            HTTPException: It is no POST: there are no streams to open, and no sessions to end.
        """
        if scope["method"] != "POST":
            raise HTTPException(405, headers={"Allow": "POST"})
        query = parse_qs(scope["query_string"].decode("latin-1"))
        [session] = query.get("session", [None])[-1:]
        try:
            memory = scope["state"]["memory"].scoped(session=session, door="mcp")
        except InvalidInputError as error:  # which REST around it would tell in its own form
            told = failure(error)
            await answer(told, told.rpc_body, send)
            return
        before = self._memory.set(memory)
        try:
            await self._server.session_manager.handle_request(scope, receive, send)
        finally:
            self._memory.reset(before)


def _tell(error: R3MemError) -> str:
    return failure(error).line
