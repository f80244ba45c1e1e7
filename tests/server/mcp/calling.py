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


async def use_every_tool(client: Client, said: list[str], doomed: int) -> None:
    """Use all of a server but what has stored two turns, of which a dog is the first.

    Args:
        client: Of the server.
        said: What the turns say.
        doomed: Id of the second one, which is forgotten.
    """
    assert (await call(client, "recall", query="What is my dog called?"))["turns"]
    assert said[0] in text(await client.call_tool("context", {"query": "dog"}))
    history = (await call(client, "history"))["turns"]
    assert [turn["text"] for turn in history] == said
    assert (await call(client, "summary"))["turns"]
    assert (await call(client, "sessions"))["total"] == 1
    await call(client, "pin", turn_ids=[doomed])
    await call(client, "edit", turn_id=doomed, text="No nuts.", keep_versions=True)
    assert len((await call(client, "versions", turn_id=doomed))["turns"]) == 1
    assert (await call(client, "forget", turn_ids=[doomed]))["turns"] == 1
    assert "k: Input should be" in await refusal(client, "recall", query="x", k=0)
    listed = (await client.list_resources()).resources
    assert [len(await read(client, one.uri)) for one in listed] == [2, 1]
