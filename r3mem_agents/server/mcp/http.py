"""The server over streamable HTTP, as a part of an ASGI application."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar

from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.mcp.failing import Tell
from r3mem_agents.server.mcp.server import mcp_server

PATH = "/mcp"


class McpEndpoint:
    """Answers requests on the memory that the application has put into their ``state``.

    It keeps nothing between two requests, so that any worker may answer any of them, and answers
    with one JSON document each. Whose memory it is, host, origin and size of a request are up to
    what is around it.

    Args:
        tell: Puts an error of this package into words for the client.
    """

    def __init__(self, tell: Tell) -> None:
        self._memory: ContextVar[CompressiveMemory] = ContextVar("memory")
        self._server = mcp_server(self._memory.get, tell=tell)
        self._server.streamable_http_app(
            json_response=True,
            stateless_http=True,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self.route = Route(PATH, endpoint=self, methods=["POST"])

    def running(self) -> AbstractAsyncContextManager[None]:
        """What must be entered while it serves: a part of the application's lifespan."""
        return self._server.session_manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ``scope["state"]["memory"]`` is what it may use."""
        before = self._memory.set(scope["state"]["memory"])
        try:
            await self._server.session_manager.handle_request(scope, receive, send)
        finally:
            self._memory.reset(before)
