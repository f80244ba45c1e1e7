"""Clients of the SDK, and what their calls return."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent, TextResourceContents

ROOT = Path(__file__).parents[3]


def command(checkpoint: Path, db: Path, *options: str) -> StdioServerParameters:
    """``r3mem mcp`` on a file, as a host starts it."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "r3mem_agents", "mcp", "--db", str(db), *options],
        env={"R3MEM_MODEL": str(checkpoint), "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=ROOT,
    )


async def call(client: Client, tool: str, /, **arguments: Any) -> Any:
    """What a tool returns; the client holds it to the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text(result)
    return result.structured_content


async def refusal(client: Client, tool: str, /, **arguments: Any) -> str:
    """What a client is told of a call that fails."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text(result)


def text(result: CallToolResult) -> str:
    """The text of a result."""
    [part] = result.content
    assert isinstance(part, TextContent)
    return part.text


async def read(client: Client, uri: str) -> Any:
    """What a resource holds."""
    [part] = (await client.read_resource(uri)).contents
    assert isinstance(part, TextResourceContents)
    assert part.mime_type == "application/json"
    return json.loads(part.text)
