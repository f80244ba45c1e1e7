"""The Model Context Protocol server, over the official SDK. Extra ``server``.

``mcp_server`` makes a server from a function that gives the memory of the current request, whatever
the transport is. ``serve_stdio`` runs one for the host that started this process, and
``McpEndpoint`` is one for an ASGI application to serve over HTTP.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("mcp") is None:
    raise MissingExtraError("mcp", "server")

from r3mem_agents.server.mcp.failing import Tell, tell_all
from r3mem_agents.server.mcp.http import McpEndpoint
from r3mem_agents.server.mcp.server import mcp_server
from r3mem_agents.server.mcp.stdio import serve_stdio

__all__ = ["McpEndpoint", "Tell", "mcp_server", "serve_stdio", "tell_all"]
