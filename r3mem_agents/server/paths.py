"""Which paths need a memory."""

from __future__ import annotations

MCP_PATH = "/mcp"

PRIVATE = ("/v1", MCP_PATH)
"""Where paths begin that need a memory; all others are for everybody: the page, ``/health``."""


def is_private(path: str) -> bool:
    """Tell whether a path needs a memory."""
    route = path.removesuffix("\n")  # which the end of a route's pattern lets pass
    return path.startswith(tuple(f"{one}/" for one in PRIVATE)) or route in PRIVATE
